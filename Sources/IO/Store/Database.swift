// Gatehouse. SPDX-License-Identifier: MIT

import CSQLite

/// An open database: one connection, used by one thread at a time.
///
/// It starts by `init`, which refuses what it cannot vouch for and leaves that untouched. Statements are prepared once and
/// kept. It ends with `close` or with the last reference; what was committed lasts in any case.
package final class Database {
    let handle: OpaquePointer
    /// The directory, whose lock is held for as long as the database is open.
    private var directory: StateDirectory?
    private var statements: [String: OpaquePointer] = [:]
    private var isClosed = false

    init(_ handle: OpaquePointer, in directory: StateDirectory?) {
        self.handle = handle
        self.directory = directory
    }

    deinit { close() }

    /// Closes it; nothing can be done with it afterwards.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        for statement in statements.values { sqlite3_finalize(statement) }
        statements = [:]
        sqlite3_close_v2(handle)
        directory = nil
    }

    /// Reads rows.
    ///
    /// - Parameters:
    ///   - sql: A statement with a `?` for each value.
    ///   - values: The values.
    /// - Returns: The columns of each row.
    /// - Throws: Why that was not possible.
    package func rows(_ sql: String, _ values: [StoreValue] = []) throws(StoreFailure) -> [[StoreValue]] {
        let statement = try prepared(sql)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        try bind(values, to: statement)
        var rows: [[StoreValue]] = []
        while true {
            let code = sqlite3_step(statement)
            guard code == SQLITE_ROW else {
                guard code == SQLITE_DONE else { throw failure(code) }
                return rows
            }
            rows.append((0..<sqlite3_column_count(statement)).map { Self.column($0, of: statement) })
        }
    }

    /// Carries out a statement.
    func run(_ sql: String, _ values: [StoreValue] = []) throws(StoreFailure) {
        _ = try rows(sql, values)
    }

    /// Whether a transaction is open: a failed statement may have ended it.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    private func prepared(_ sql: String) throws(StoreFailure) -> OpaquePointer {
        guard !isClosed else { throw StoreFailure(.closed, "the database is closed") }
        if let statement = statements[sql] { return statement }
        var statement: OpaquePointer?
        let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
        let code = sqlite3_prepare_v3(handle, sql, -1, flags, &statement, nil)
        guard code == SQLITE_OK, let statement else { throw failure(code) }
        statements[sql] = statement
        return statement
    }

    private func bind(_ values: [StoreValue], to statement: OpaquePointer) throws(StoreFailure) {
        for (index, value) in values.enumerated() {
            let place = Int32(truncatingIfNeeded: index + 1)
            let code: Int32
            switch value {
            case .null: code = sqlite3_bind_null(statement, place)
            case .integer(let number): code = sqlite3_bind_int64(statement, place, number)
            case .text(let text):
                var text = text
                code = text.withUTF8 { bytes in
                    bytes.withMemoryRebound(to: CChar.self) { characters in
                        let count = Int32(clamping: characters.count)
                        return gatehouse_sqlite_bind_text(statement, place, characters.baseAddress, count)
                    }
                }
            case .blob(let bytes):
                code = bytes.withUnsafeBytes {
                    gatehouse_sqlite_bind_blob(statement, place, $0.baseAddress, Int32(clamping: $0.count))
                }
            }
            guard code == SQLITE_OK else { throw failure(code) }
        }
    }

    private static func column(_ index: Int32, of statement: OpaquePointer) -> StoreValue {
        switch sqlite3_column_type(statement, index) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(statement, index))
        case SQLITE_NULL: return .null
        case SQLITE_BLOB:
            let bytes = sqlite3_column_blob(statement, index)
            let count = Int(sqlite3_column_bytes(statement, index))
            return .blob(bytes.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: count)) } ?? [])
        default:
            let bytes = sqlite3_column_text(statement, index)
            let count = Int(sqlite3_column_bytes(statement, index))
            return .text(
                bytes.map { String(decoding: UnsafeBufferPointer(start: $0, count: count), as: UTF8.self) }
                    ?? ""
            )
        }
    }

    /// What the last call's result code means.
    func failure(_ code: Int32) -> StoreFailure {
        let text = String(cString: sqlite3_errmsg(handle))
        switch code & 0xFF {
        case SQLITE_FULL: return StoreFailure(.full, "there is no space left (\(text))")
        case SQLITE_IOERR, SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_NOMEM, SQLITE_LOCKED,
            SQLITE_BUSY, SQLITE_PROTOCOL:
            return StoreFailure(.unwritable, "\(text) (SQLite \(code))")
        case SQLITE_CORRUPT, SQLITE_NOTADB: return StoreFailure(.refused, "the database is damaged: \(text)")
        default: return StoreFailure(.rejected, "\(text) (SQLite \(code))")
        }
    }
}
