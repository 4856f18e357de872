// Gatehouse. SPDX-License-Identifier: MIT

import CSQLite

/// Opening: what is refused, and what a database is brought to.
extension Database {
    /// Opens the database of a directory, and makes both if they are missing.
    ///
    /// The calling thread waits for the disk.
    ///
    /// - Parameters:
    ///   - path: The directory.
    ///   - schema: What stands in the database.
    ///   - disk: The name of what SQLite writes by; nil is the system. Tests have one that fails.
    /// - Throws: Why it is refused; then the file is as it was.
    package convenience init(
        directory path: String,
        schema: StoreSchema,
        disk: String? = nil
    ) throws(StoreFailure) {
        let directory = try StateDirectory(path)
        var handle: OpaquePointer?
        // Without a lock of its own: one thread at a time has it.
        let flags =
            SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(directory.database, &handle, flags, disk)
        guard let handle else { throw StoreFailure(.refused, "SQLite has no memory") }
        self.init(handle, in: directory)
        do throws(StoreFailure) {
            guard code == SQLITE_OK else { throw failure(code) }
            try begin(schema)
        } catch {
            close()
            let kind: StoreFailure.Kind = error.kind == .full ? .full : .refused
            throw StoreFailure(kind, "\(directory.database): \(error.description)")
        }
    }

    private func begin(_ schema: StoreSchema) throws(StoreFailure) {
        // What is refused keeps even its write-ahead log as it is.
        gatehouse_sqlite_switch(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        gatehouse_sqlite_switch(handle, SQLITE_DBCONFIG_DEFENSIVE, 1)
        gatehouse_sqlite_switch(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
        // The only user: the index of the write-ahead log needs no file that others share.
        try run("PRAGMA locking_mode = EXCLUSIVE")
        let version = try checkedVersion(schema)
        try run("PRAGMA journal_mode = WAL")
        try run("PRAGMA synchronous = FULL")
        // 128 KiB of pages before they are moved to the database, and no more than twice that is kept of the log afterwards:
        // a log that has filled a small disk could not be moved any more, since the database would have to grow for it.
        try run("PRAGMA wal_autocheckpoint = 32")
        try run("PRAGMA journal_size_limit = 262144")
        try run("PRAGMA cache_size = -1024")
        try run("PRAGMA temp_store = MEMORY")
        try migrate(schema, from: version)
        gatehouse_sqlite_switch(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
    }

    /// The version of a database that is ours, whole and not too new.
    private func checkedVersion(_ schema: StoreSchema) throws(StoreFailure) -> Int {
        let application = try number("PRAGMA application_id")
        let version = Int(try number("PRAGMA user_version"))
        let tables = try number("SELECT count(*) FROM sqlite_schema")
        if application == 0, version == 0, tables == 0 { return 0 }
        guard application == Int64(schema.application) else {
            throw StoreFailure(.refused, "this is the database of another program")
        }
        guard (0...schema.steps.count).contains(version) else {
            let text =
                "it was written by a newer version of Gatehouse (schema \(version); this one knows "
                + "\(schema.steps.count))"
            throw StoreFailure(.refused, text)
        }
        let finding = try rows("PRAGMA integrity_check(1)").first?.first?.text ?? "no answer"
        guard finding == "ok" else {
            throw StoreFailure(
                .refused,
                "the database is damaged: \(finding.split(separator: "\n").first ?? "")"
            )
        }
        return version
    }

    private func migrate(_ schema: StoreSchema, from version: Int) throws(StoreFailure) {
        for (index, step) in schema.steps.enumerated().dropFirst(version) {
            try run("BEGIN IMMEDIATE")
            do throws(StoreFailure) {
                for statement in step { try run(statement) }
                try run("PRAGMA application_id = \(schema.application)")
                try run("PRAGMA user_version = \(index + 1)")
                try run("COMMIT")
            } catch {
                if isInTransaction { try? run("ROLLBACK") }
                throw error
            }
        }
    }

    private func number(_ sql: String) throws(StoreFailure) -> Int64 {
        try rows(sql).first?.first?.integer ?? 0
    }
}
