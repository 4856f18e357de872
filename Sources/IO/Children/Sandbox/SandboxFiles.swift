// Gatehouse. SPDX-License-Identifier: MIT

import Glibc

/// What deciding about a view must know of the file system; handed in, so that it can be tested without one.
package struct SandboxFiles: Sendable {
    /// What is at a path, links not followed.
    package enum Kind: Sendable, Equatable {
        case directory
        case link(String)
        /// A file, a socket or a device.
        case other
    }

    /// What is at a path; nil for nothing.
    var kind: @Sendable (String) -> Kind?
    /// The path without any link in it; nil if nothing is there.
    var real: @Sendable (String) -> String?
    /// The names in a directory.
    var entries: @Sendable (String) -> [String]

    package init(
        kind: @escaping @Sendable (String) -> Kind?,
        real: @escaping @Sendable (String) -> String?,
        entries: @escaping @Sendable (String) -> [String]
    ) {
        self.kind = kind
        self.real = real
        self.entries = entries
    }

    /// This machine's.
    package static let current = SandboxFiles(
        kind: { path in
            var status = stat()
            guard lstat(path, &status) == 0 else { return nil }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: return .directory
            case S_IFLNK: return target(of: path).map(Kind.link)
            default: return .other
            }
        },
        real: { realPath(of: $0) },
        entries: { path in
            guard let directory = opendir(path) else { return [] }
            defer { closedir(directory) }
            var names: [String] = []
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { names.append(name) }
            }
            return names
        }
    )

    /// A path of this machine without any link in it; nil if nothing is there.
    package static func realPath(of path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func target(of path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let length = readlink(path, start, buffer.count)
            guard length > 0, length < buffer.count else { return nil }
            return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
