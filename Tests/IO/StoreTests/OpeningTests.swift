// Gatehouse. SPDX-License-Identifier: MIT

import Glibc
import Store
import Testing

@Suite struct OpeningTests {
    @Test func `directory and files are made for this user alone and what is committed is there again`()
        throws
    {
        try withDirectory { parent in
            let path = "\(parent)/state"
            defer { Directory(existing: path).remove() }
            let database = try Database(directory: path, schema: schema)
            try database.commit([[put(1, "ö\0ü")]])
            #expect(mode(path) == 0o700)
            #expect(names(path) == ["gatehouse.db", "gatehouse.db-wal", "gatehouse.lock"])
            for name in names(path) { #expect(mode("\(path)/\(name)") == 0o600, "\(name)") }
            database.close()
        }
        try withDirectory { path in
            do {
                let database = try Database(directory: path, schema: schema)
                try database.commit([[put(1, "ö\0ü")]])
            }
            let again = try Database(directory: path, schema: schema)
            let rows = try again.rows("SELECT * FROM items")
            #expect(rows == [[.integer(1), .text("ö\0ü"), .null]])
        }
    }

    @Test func `one process at a time has a directory`() throws {
        try withDirectory { path in
            let first = try Database(directory: path, schema: schema)
            let failure = refusal(path)
            #expect(failure?.kind == .taken)
            #expect(failure?.description.contains("(process \(getpid()))") == true)
            try first.commit([[put(1)]])
            _ = consume first
            #expect(try ids(Database(directory: path, schema: schema)) == [1])
        }
    }

    /// Makes a database with a few pages of rows, closed.
    private func filled(_ path: String) throws -> [UInt8] {
        let database = try Database(directory: path, schema: schema)
        try database.commit((0..<200).map { [put($0, String(repeating: "text ", count: 20))] })
        database.close()
        return try #require(contents("\(path)/gatehouse.db"))
    }

    private func refusal(_ path: String, _ schema: StoreSchema = schema) -> StoreFailure? {
        do throws(StoreFailure) {
            _ = try Database(directory: path, schema: schema)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: ["text", "a header alone", "damage in the middle", "cut", "a byte of the header"])
    func `what is no whole database is refused and stays as it was`(_ kind: String) throws {
        try withDirectory { path in
            var bytes = try filled(path)
            switch kind {
            case "text": bytes = Array("this is a letter, and no database at all\n".utf8)
            case "a header alone": bytes = Array(bytes.prefix(100))
            case "damage in the middle":
                bytes.replaceSubrange(8192..<8292, with: repeatElement(0xA5, count: 100))
            case "cut": bytes.removeLast(bytes.count / 2)
            default: bytes[3] = 0
            }
            try write(bytes, to: "\(path)/gatehouse.db")
            let failure = try #require(refusal(path))
            #expect(failure.kind == .refused)
            #expect(failure.description.contains("\(path)/gatehouse.db"))
            #expect(!failure.description.contains("\n"))
            #expect(contents("\(path)/gatehouse.db") == bytes)
        }
    }

    @Test func `a newer version and a stranger's database are refused with words and stay as they were`()
        throws
    {
        try withDirectory { path in
            let bytes = try filled(path)
            let older = StoreSchema(application: schema.application, steps: [])
            let newer = try #require(refusal(path, older))
            #expect(newer.description.contains("newer version of Gatehouse (schema 1; this one knows 0)"))
            let other = StoreSchema(application: 7, steps: schema.steps)
            let foreign = try #require(refusal(path, other))
            #expect(foreign.description.contains("another program"))
            #expect(contents("\(path)/gatehouse.db") == bytes)
            #expect(refusal(path) == nil)
        }
    }

    @Test func `what others could read or change is refused`() throws {
        try withDirectory { path in
            _ = try filled(path)
            chmod("\(path)/gatehouse.db", 0o640)
            #expect(refusal(path)?.description.contains("set its mode to 600") == true)
            chmod("\(path)/gatehouse.db", 0o600)
            chmod(path, 0o770)
            #expect(refusal(path)?.description.contains("set its mode to 700") == true)
            chmod(path, 0o750)
            #expect(refusal(path) == nil, "others may look who is there")
        }
    }

    @Test func `other kinds of files in the place of the database are refused`() throws {
        try withDirectory { path in
            mkdir("\(path)/gatehouse.db", 0o700)
            #expect(refusal(path)?.description.contains("no plain file") == true)
            rmdir("\(path)/gatehouse.db")
            try write([], to: "\(path)/elsewhere")
            symlink("\(path)/elsewhere", "\(path)/gatehouse.db")
            #expect(refusal(path)?.description.contains("no plain file") == true)
            #expect(contents("\(path)/elsewhere") == [])
            unlink("\(path)/gatehouse.db")
            #expect(refusal("\(path)/elsewhere")?.kind == .refused, "a file is no directory")
            try write([1], to: "\(path)/gatehouse.db-wal")
            #expect(refusal(path)?.description.contains("is missing") == true)
            #expect(contents("\(path)/gatehouse.db-wal") == [1])
        }
    }

    @Test func `steps that a database has not taken are taken, a step that fails is taken back`() throws {
        try withDirectory { path in
            _ = try filled(path)
            let added = "ALTER TABLE items ADD COLUMN more INTEGER"
            let wrong = StoreSchema(
                application: schema.application,
                steps: schema.steps + [[added, "INSERT INTO nowhere VALUES (1)"]]
            )
            #expect(refusal(path, wrong) != nil)
            do {
                let same = try Database(directory: path, schema: schema)
                #expect(throws: StoreFailure.self) { try same.rows("SELECT more FROM items") }
                #expect(try ids(same).count == 200)
            }
            let right = StoreSchema(application: schema.application, steps: schema.steps + [[added]])
            do {
                let newer = try Database(directory: path, schema: right)
                #expect(try newer.rows("SELECT more FROM items").count == 200)
            }
            #expect(refusal(path)?.description.contains("newer") == true)
            #expect(refusal(path, right) == nil)
        }
    }

    @Test func `what was committed is there after the log was cut in its last transaction`() throws {
        try withDirectory { path in
            let database = try Database(directory: path, schema: schema)
            try database.commit([[put(1)]])
            try database.commit([[put(2)]])
            // As kill -9 leaves it: copied while it is open.
            var log = try #require(contents("\(path)/gatehouse.db-wal"))
            let bytes = try #require(contents("\(path)/gatehouse.db"))
            log.removeLast(100)
            try withDirectory { copy in
                try write(bytes, to: "\(copy)/gatehouse.db")
                try write(log, to: "\(copy)/gatehouse.db-wal")
                #expect(try ids(Database(directory: copy, schema: schema)) == [1])
            }
        }
    }
}

extension Directory {
    init(existing path: String) { self.path = path }
}

extension Database {
    /// Commits, or throws the first failure.
    func commit(_ writes: [[StoreChange]]) throws {
        for failure in apply(writes) {
            if let failure { throw failure }
        }
    }
}
