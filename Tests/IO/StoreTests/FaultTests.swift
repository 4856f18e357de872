// Gatehouse. SPDX-License-Identifier: MIT

import CFaultyDisk
import CSQLite
import Store
import Testing

/// The disk fails at every operation in turn; it is one for the whole process, so that these run one by one.
@Suite(.serialized) struct FaultTests {
    init() { faulty_disk_register() }

    /// No space, a failed write, a failed sync, and a file system that was made read-only.
    private static let failures = [
        SQLITE_FULL, SQLITE_IOERR | 3 << 8, SQLITE_IOERR | 4 << 8, SQLITE_READONLY,
    ]

    /// Batches of writes, large enough that the log is moved into the database meanwhile.
    private func write(to database: Database, from start: Int, batches: Int) -> Set<Int> {
        var durable: Set<Int> = []
        for batch in 0..<batches {
            let keys = (0..<4).map { start + batch * 4 + $0 }
            let results = database.apply(keys.map { [put($0, String(repeating: "x", count: 30_000))] })
            for (key, result) in zip(keys, results) where result == nil { durable.insert(key) }
        }
        return durable
    }

    @Test(arguments: failures)
    func `a failure of any operation loses nothing that was said to be durable`(_ code: Int32) throws {
        faulty_disk_fail(0, 0, 0, 0)
        let total = try withDirectory { path in
            let database = try Database(directory: path, schema: schema, disk: "faulty-0")
            let before = faulty_disk_count(0)
            #expect(write(to: database, from: 0, batches: 12).count == 48)
            return Int(faulty_disk_count(0) - before)
        }
        try #require(total > 50)
        // Every operation once would be hundreds of databases: the codes share them, in steps that meet all kinds.
        let first = 1 + (Self.failures.firstIndex(of: code) ?? 0)
        for number in stride(from: first, through: total, by: total / 8 | 1) {
            try withDirectory { path in
                var durable: Set<Int> = []
                do {
                    let database = try Database(directory: path, schema: schema, disk: "faulty-0")
                    faulty_disk_fail(0, Int32(number), 2, code)
                    durable = write(to: database, from: 0, batches: 12)
                    // The disk is well again: so is the database, without being opened anew.
                    faulty_disk_fail(0, 0, 0, 0)
                    let after = write(to: database, from: 1000, batches: 1)
                    #expect(after.count == 4, "after operation \(number)")
                    durable.formUnion(after)
                    #expect(try durable.isSubset(of: ids(database)), "operation \(number)")
                }
                let again = try Database(directory: path, schema: schema)
                #expect(try durable.isSubset(of: ids(again)), "operation \(number), opened again")
            }
        }
    }

    @Test(arguments: failures)
    func `a disk that stays full refuses everything until there is space`(_ code: Int32) throws {
        faulty_disk_fail(0, 0, 0, 0)
        try withDirectory { path in
            let database = try Database(directory: path, schema: schema, disk: "faulty-0")
            try database.commit([[put(1)]])
            faulty_disk_fail(0, 1, .max, code)
            for _ in 0..<20 { #expect(database.apply([[put(2)], [put(3)]]).allSatisfy { $0 != nil }) }
            #expect(try ids(database) == [1])
            faulty_disk_fail(0, 0, 0, 0)
            try database.commit([[put(2)]])
            #expect(try ids(database) == [1, 2])
        }
    }

    @Test func `a disk that the log alone would fill goes on taking writes`() throws {
        faulty_disk_fail(0, 0, 0, 0)
        try withDirectory { path in
            let database = try Database(directory: path, schema: schema, disk: "faulty-0")
            // Far less than the log has when it is moved to the database by itself.
            faulty_disk_limit(0, 200_000)
            defer { faulty_disk_limit(0, 0) }
            for round in 0..<100 {
                let results = database.apply([[put(round % 4, String(repeating: "x", count: 10_000))]])
                #expect(results == [nil], "write \(round)")
            }
            #expect(try ids(database) == [0, 1, 2, 3])
        }
    }

    @Test func `a database that cannot be made is refused and leaves nothing half done`() throws {
        for number in 1...24 {
            try withDirectory { path in
                faulty_disk_fail(0, Int32(number), .max, SQLITE_FULL)
                let failed = (try? Database(directory: path, schema: schema, disk: "faulty-0")) == nil
                faulty_disk_fail(0, 0, 0, 0)
                let database = try Database(directory: path, schema: schema, disk: "faulty-0")
                try database.commit([[put(1)]])
                #expect(try ids(database) == [1], "operation \(number), failed: \(failed)")
            }
        }
    }

    @Test func `a wrong write fails alone`() throws {
        try withDirectory { path in
            let database = try Database(directory: path, schema: schema)
            let wrong = StoreChange("INSERT INTO items VALUES (?, ?, NULL)", [.integer(2), .null])
            let results = database.apply([[put(1)], [put(2), wrong], [put(3)]])
            #expect(results[0] == nil && results[2] == nil)
            #expect(results[1]?.kind == .rejected)
            #expect(try ids(database) == [1, 3])
        }
    }
}
