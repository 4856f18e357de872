// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Diagnostics
import Egress
import Testing

@testable import gatehouse

@Suite struct ConnectCommandTests {
    private func parse(_ arguments: [String]) throws -> ConnectCommand? {
        try ConnectCommand(arguments, ["TOKEN": "Bearer t"])
    }

    @Test func `a URL becomes a configuration with one server`() throws {
        let parsed = try parse([
            "http://[::1]:8080/mcp", "--header", "X-Key:  k ", "--header-env=Authorization=TOKEN",
        ])
        let command = try #require(parsed)
        let server = try #require(command.configuration.servers.first)
        #expect(command.configuration.servers.count == 1)
        #expect(server.remote?.url == "http://[::1]:8080/mcp")
        #expect(server.remote?.headers == [.init("X-Key", "k"), .init("Authorization", "Bearer t")])
        #expect(server.remote?.transport == .found)
        #expect(command.level == .warning)
    }

    @Test func `exactly its host may be reached`() throws {
        let parsed = try parse(["--type", "sse", "http://LocalHost:1/sse"])
        let egress = try #require(parsed).configuration.egress
        #expect(egress.refusal(of: "http://localhost:2/other") == nil)
        #expect(egress.refusal(of: "http://127.0.0.1/") != nil)
        #expect(egress.refusal(of: "http://example.com/") != nil)
    }

    @Test(arguments: [
        [], ["x"], ["--header-env", "A=NOBODY", "http://a/"], ["--header-env", "A", "http://a/"],
        ["--header", "A: b\r\nC: d", "http://a/"], ["--header", ": b", "http://a/"],
        ["http://a/", "http://b/"],
        ["--type", "", "http://a/"], ["http://a/", "--header"], ["-x", "http://a/"],
    ])
    func `what cannot be meant is refused`(_ arguments: [String]) {
        #expect(throws: Options.Misuse.self) { try parse(arguments) }
    }

    @Test func `help is no command`() throws {
        #expect(try parse(["http://a/", "--help"]) == nil)
    }
}
