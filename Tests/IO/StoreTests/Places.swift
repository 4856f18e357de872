// Gatehouse. SPDX-License-Identifier: MIT

import Glibc
import Store
import Testing

/// A schema as the tests need it: one table.
let schema = StoreSchema(
    application: 0x4741_5445,
    steps: [["CREATE TABLE items (id INTEGER PRIMARY KEY, text TEXT NOT NULL, bytes BLOB) STRICT"]]
)

/// A change that puts a row in.
func put(_ id: Int, _ text: String = "x") -> StoreChange {
    StoreChange("INSERT OR REPLACE INTO items VALUES (?, ?, ?)", [.integer(Int64(id)), .text(text), .null])
}

/// The ids of a table's rows.
func ids(_ database: Database) throws -> [Int] {
    try database.rows("SELECT id FROM items ORDER BY id").compactMap { $0[0].integer.map { Int($0) } }
}

/// A directory for the length of a test.
func withDirectory<R>(_ body: (String) throws -> R) throws -> R {
    let directory = try Directory()
    defer { directory.remove() }
    return try body(directory.path)
}

/// A directory of a test's own.
struct Directory {
    let path: String

    init() throws {
        var template = Array("/tmp/gatehouse-store-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        path = try #require(made)
    }

    func remove() {
        chmod(path, 0o700)
        for name in names(path) {
            let file = "\(path)/\(name)"
            if unlink(file) != 0 { rmdir(file) }
        }
        rmdir(path)
    }
}

/// What stands in a directory.
func names(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// The bytes of a file; nil if it cannot be read.
func contents(_ path: String) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = read(file, &bytes, bytes.count)
    return Array(bytes.prefix(max(count, 0)))
}

/// Writes a file anew.
func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    try #require(file >= 0)
    defer { close(file) }
    #expect(Glibc.write(file, bytes, bytes.count) == bytes.count)
    chmod(path, mode)
}

/// The permissions of a file or directory.
func mode(_ path: String) -> mode_t {
    var found = stat()
    return lstat(path, &found) == 0 ? found.st_mode & 0o777 : 0
}
