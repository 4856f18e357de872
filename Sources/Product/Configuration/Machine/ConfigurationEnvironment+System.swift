// Gatehouse. SPDX-License-Identifier: MIT

import Glibc

// The one place of this room that asks the system.

extension ConfigurationEnvironment {
    /// The environment of this process, as it is now.
    package static func current(variables: [String: String]) -> ConfigurationEnvironment {
        ConfigurationEnvironment(
            variables: variables,
            workingDirectory: currentDirectory(),
            isExecutable: { path in unsafe kind(path) == S_IFREG && access(path, X_OK) == 0 },
            isDirectory: { path in unsafe kind(path) == S_IFDIR && access(path, X_OK) == 0 },
            isReadable: { path in unsafe kind(path).map { $0 != S_IFDIR } == true && access(path, R_OK) == 0 }
        )
    }

    /// Reads a file whole: a regular one, or a pipe as `--config <(…)` gives.
    ///
    /// Throws a sentence for people if it cannot be read or is larger than the limit.
    package static func contents(of path: String, limit: Int) throws(FileFailure) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe read(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(path)
            }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= limit else {
                throw FileFailure(message: "\(path) is larger than the limit of \(limit) bytes")
            }
        }
    }

    private static func failure(_ path: String) -> FileFailure {
        let reason = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "error \(errno)"
        return FileFailure(message: "cannot read \(path): \(reason)")
    }

    private static func kind(_ path: String) -> mode_t? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT
    }

    private static func currentDirectory() -> String {
        guard let text = unsafe getcwd(nil, 0) else { return "/" }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }
}

/// Why a file could not be read.
package struct FileFailure: Error, Sendable, CustomStringConvertible {
    /// A sentence for people.
    package var message: String

    /// The sentence.
    package var description: String { message }
}
