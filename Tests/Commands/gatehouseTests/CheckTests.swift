// Gatehouse. SPDX-License-Identifier: MIT

import Foundation
import Testing

@testable import gatehouse

@Suite struct CheckTests {
    /// The exit status for a file with one server and this under `gateway`.
    private func status(_ gateway: String, _ arguments: [String]) throws -> Int32 {
        let file = FileManager.default.temporaryDirectory.appending(path: "check-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        let text = #"{ "servers": { "a": { "command": "/bin/sh" } }, "gateway": \#(gateway) }"#
        try Data(text.utf8).write(to: file)
        return Check.run(arguments: arguments + [file.path])
    }

    @Test(
        arguments: [
            ([], 0), (["--host", "::1", "--port", "0"], 0), (["--host", "0.0.0.0"], 2),
            (["--host=0.0.0.0", "--port=1"], 2), (["--host", "mcp.example"], 2), (["--port", "65536"], 2),
        ] as [([String], Int32)]
    )
    func `an address that is given is checked like one of the file`(
        _ arguments: [String],
        _ expected: Int32
    ) throws {
        let found = try status("{}", arguments)
        #expect(found == expected)
    }

    @Test func `it goes before the one of the file`() throws {
        let open = try status(#"{ "host": "0.0.0.0" }"#, [])
        let closed = try status(#"{ "host": "0.0.0.0" }"#, ["--host", "127.0.0.1"])
        let words = #"{ "authentication": "none", "hosts": ["mcp.example"] }"#
        let meant = try status(words, ["--host", "0.0.0.0"])
        #expect([open, closed, meant] == [2, 0, 0])
    }
}
