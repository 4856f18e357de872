// Gatehouse. SPDX-License-Identifier: MIT

import Children
import Foundation
import Testing

@Suite struct `Searching for an executable` {
    private let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        for name in ["one", "two", "two/directory"] {
            try FileManager.default.createDirectory(
                atPath: folder + "/" + name,
                withIntermediateDirectories: true
            )
        }
        for (name, mode) in [
            ("one/plain", 0o644), ("two/plain", 0o755), ("one/tool", 0o755), ("two/tool", 0o755),
        ] {
            _ = FileManager.default.createFile(
                atPath: folder + "/" + name,
                contents: Data(),
                attributes: [.posixPermissions: mode]
            )
        }
    }

    @Test func `takes the first in the path that can be executed`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "/nowhere:\(folder)/one:\(folder)/two/"
        #expect(ExecutableSearch.resolve("tool", path: path) == folder + "/one/tool")
        #expect(ExecutableSearch.resolve("plain", path: path) == folder + "/two/plain")
        #expect(ExecutableSearch.resolve("directory", path: path) == nil)
        #expect(ExecutableSearch.resolve("missing", path: path) == nil)
        #expect(ExecutableSearch.resolve("", path: path) == nil)
        #expect(ExecutableSearch.resolve("tool\u{0}", path: path) == nil)
        #expect(ExecutableSearch.resolve("sh", path: nil) == "/bin/sh")
    }

    @Test func `takes a command with a slash as a path`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(ExecutableSearch.resolve(folder + "/one/tool", path: nil) == folder + "/one/tool")
        #expect(ExecutableSearch.resolve(folder + "/one/plain", path: nil) == nil)
        #expect(
            ExecutableSearch.resolve("one/tool", path: nil, workingDirectory: folder) == folder + "/one/tool"
        )
        #expect(ExecutableSearch.resolve("./tool", path: "/bin", workingDirectory: folder + "/one") != nil)
    }

    @Test func `takes relative directories from the working directory`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(
            ExecutableSearch.resolve("tool", path: "two", workingDirectory: folder) == folder + "/two/tool"
        )
        #expect(
            ExecutableSearch.resolve("tool", path: ":/bin", workingDirectory: folder + "/two") == folder
                + "/two/tool"
        )
    }
}
