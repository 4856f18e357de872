// Gatehouse. SPDX-License-Identifier: MIT

import Children
import EventLoop
import Foundation
import JSON
import MCPClient
import MCPServer
import TestSupport
import Testing

@testable import Hosting
@testable import SwiftAppExample

/// A gateway inside a program, in the three ways of examples/swift-app.
@Suite("A gateway inside a program")
struct FunctionAppTests {
    /// The program of this package, whose `demo` is a server on stdio.
    private func program() throws -> String {
        let launcher = try #require(ChildSpawner.locateLauncher())
        let program = URL(fileURLWithPath: launcher).deletingLastPathComponent().appending(path: "gatehouse")
            .path
        try #require(FileManager.default.isExecutableFile(atPath: program))
        return program
    }

    /// Calls a tool once.
    private func call(_ url: String, _ tool: String, _ arguments: JSONValue) async throws -> String? {
        try await withLoop { loop in
            let caller = try await loop.run { LoopBound(OneCall(url, loop), loop) }
            try await loop.run { caller.value.call(tool, arguments) }
            try await loop.wait("the result") { caller.value.outcome != nil }
            let text = try await loop.run {
                try? caller.value.outcome?.get()["content"]?.array?.first?["text"]?.string
            }
            try await loop.run { caller.value.close() }
            try await loop.wait("the end of the client") { caller.value.isClosed }
            return text ?? nil
        }
    }

    /// A configuration in a file of its own.
    private static func file(_ document: JSONValue) throws -> URL {
        let file = FileManager.default.temporaryDirectory.appending(path: "app-\(UUID().uuidString).json")
        try Data(document.text()).write(to: file)
        return file
    }

    @Test func `offers what a configuration file says`() async throws {
        let file = try Self.file([
            "servers": ["demo": ["command": .string(try program()), "args": ["demo"]]]
        ])
        defer { try? FileManager.default.removeItem(at: file) }
        let app = try byConfiguration(file.path, port: 0)
        #expect(await app.status.state == .stopped)
        let url = try await app.start()
        let text = try await call(url + "/mcp/demo", "echo", ["text": "by a file"])
        #expect(text == "by a file")
        let status = await app.status
        #expect(status.state == .running && status.url == url && status.mode == .stdio)
        #expect(status.servers.map(\.name) == ["demo"])
        #expect(status.servers.allSatisfy { $0.problem == nil })
        await #expect(throws: ServingFailure.self) { try await app.start() }
        async let first: Void = app.stop()
        async let second: Void = app.stop()
        await second
        // Whichever came second has waited for the end.
        let end = await app.status
        #expect(end.state == .stopped && end.url == nil && end.totalProcesses == 0)
        await first
    }

    /// Starts what a file describes, stops it, and says what of the log is about its server's standard error.
    private func said(_ gateway: JSONValue) async throws -> [String] {
        let script = "echo \"my word is $WORD\" >&2; exec \"$0\" demo"
        let document: JSONValue = [
            "servers": [
                "demo": [
                    "command": "sh", "args": ["-c", .string(script), .string(try program())],
                    "env": ["WORD": "pomegranate"],
                ]
            ],
            "gateway": gateway,
        ]
        let file = try Self.file(document)
        defer { try? FileManager.default.removeItem(at: file) }
        let app = try byConfiguration(file.path, port: 0)
        let lines = Locked<[String]>([])
        let url = try await app.start { line in
            lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
        }
        let text = try await call(url + "/mcp/demo", "echo", ["text": "there"])
        #expect(text == "there")
        await app.stop()
        return lines.withLock { $0 }.filter { $0.contains("my word is") }
    }

    @Test func `writes the log as the file says, and no secret`() async throws {
        let lines = try await said([
            "log": ["format": "json", "level": "error", "levels": ["server": "debug"]]
        ])
        let line = try #require(lines.first)
        let value = try JSONValue(Array(line.utf8).span)
        #expect(value["message"]?.string == "stderr: my word is [redacted]")
        #expect(value["subsystem"]?.string == "server" && value["server"]?.string == "demo")
    }

    @Test func `writes warnings where the file states no level`() async throws {
        #expect(try await said(["log": ["format": "json"]]) == [])
    }

    @Test func `stops by itself when it is let go of`() async throws {
        var app: MCPFunctionApp? = try byValues(program(), ["demo"], key: "k", port: 0)
        let url = try #require(try await app?.start())
        #expect(try await call(url + "/mcp?code=k", "echo", ["text": "there"]) == "there")
        app = nil
        // As long as anything listens, the call is answered.
        for _ in 0..<10_000 {
            guard try await call(url + "/mcp?code=k", "echo", ["text": "there"]) != nil else { return }
        }
        Issue.record("it still answers")
    }

    @Test func `offers a program to those who have the key`() async throws {
        let app = try byValues(program(), ["demo"], key: "k+ä", port: 0)
        let url = try await app.start()
        let text = try await call(url + "/mcp?code=k%2B%C3%A4", "echo", ["text": "by values"])
        #expect(text == "by values")
        for wrong in ["", "?code=", "?code=k", "?code=k%2B%C3%A4x", "?code=k%2B%C3%A4&code=k", "?code=%zz"] {
            let refused = try await call(url + "/mcp" + wrong, "echo", ["text": "no"])
            #expect(refused == nil)
        }
        #expect(await app.status.servers.map(\.name) == ["program"])
        await app.stop()
    }

    @Test func `offers a server written in Swift, and starts again`() async throws {
        let app = try bySwift(port: 0)
        for name in ["Ada", "Grace"] {
            let url = try await app.start()
            let text = try await call(url + "/mcp", "greet", ["name": .string(name)])
            #expect(text == "Hello, \(name)!")
            await app.stop()
        }
    }

    @Test func `runs until its task is cancelled`() async throws {
        let app = try bySwift(port: 0)
        let (urls, continuation) = AsyncStream<String>.makeStream()
        try await withThrowingTaskGroup { group in
            group.addTask { try await app.run { continuation.yield($0) } }
            var iterator = urls.makeAsyncIterator()
            let url = await iterator.next()
            #expect(url?.hasPrefix("http://127.0.0.1:") == true)
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(await app.status.state == .stopped)
    }

    @Test func `is not made when it could not serve as it was meant`() throws {
        #expect(throws: ServingFailure.self) { try MCPFunctionApp(configurationFile: "/nowhere.json") }
        for level in [MCPAccessLevel.function(keys: []), .function(keys: ["a", ""])] {
            let failure = #expect(throws: ServingFailure.self) {
                try MCPFunctionApp(accessLevel: level, hosted: [("a", MCPServer(name: "a", version: "1"))])
            }
            #expect(failure?.description.contains("needs keys") == true)
        }
        let missing = MCPServerStdioParams(command: "no-such-program-here")
        for (name, params) in [("a", missing), ("not a name", MCPServerStdioParams(command: "sh"))] {
            #expect(throws: ServingFailure.self) {
                try MCPFunctionApp(
                    server: MCPStdioConfiguration(name: name, params: params),
                    accessLevel: .anonymous
                )
            }
        }
        let twice = MCPServer(name: "a", version: "1")
        #expect(throws: ServingFailure.self) {
            try MCPFunctionApp(accessLevel: .anonymous, hosted: [("a", twice), ("a", twice)])
        }
    }

    @Test func `starts although a program of the file is missing, and says so`() async throws {
        let file = try Self.file([
            "servers": [
                "missing": ["command": "no-such-program-here"],
                "demo": ["command": .string(try program()), "args": ["demo"], "nothing": true],
            ]
        ])
        defer { try? FileManager.default.removeItem(at: file) }
        let app = try byConfiguration(file.path, port: 0)
        let lines = Locked<[String]>([])
        _ = try await app.start { line in
            lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
        }
        let servers = await app.status.servers
        await app.stop()
        #expect(servers.map(\.name) == ["missing", "demo", "federation"])
        #expect(servers.filter { $0.problem != nil }.map(\.name) == ["missing"])
        let said = lines.withLock { $0 }
        #expect(said.contains { $0.contains("error: servers.missing.command: ") })
        #expect(said.contains { $0.contains("warning: servers.demo.nothing: unknown key") })
    }

    @Test func `keys say who is let in, where a file does not`() throws {
        let file = try Self.file(["servers": ["a": ["command": "sh"]]])
        defer { try? FileManager.default.removeItem(at: file) }
        func make(_ level: MCPAccessLevel) throws -> MCPFunctionApp {
            try MCPFunctionApp(
                configurationFile: file.path,
                accessLevel: level,
                host: "0.0.0.0",
                hosts: ["mcp.example"],
                port: 0
            )
        }
        _ = try make(.function(keys: ["k"]))
        let failure = #expect(throws: ServingFailure.self) { try make(.anonymous) }
        #expect(failure?.description.contains("nobody is asked who they are") == true)
    }

    @Test(arguments: [true, false])
    func `listens for other machines only under names that it is given`(_ isHosted: Bool) async throws {
        let program = try program()
        func make(_ host: String, _ hosts: [String]) throws -> MCPFunctionApp {
            let params = MCPServerStdioParams(command: program, args: ["demo"])
            return try MCPFunctionApp(
                server: isHosted ? nil : MCPStdioConfiguration(name: "a", params: params),
                accessLevel: .anonymous,
                hosted: isHosted ? [("a", MCPServer(name: "a", version: "1"))] : [],
                host: host,
                hosts: hosts,
                port: 0
            )
        }
        for (host, hosts, words) in [
            ("0.0.0.0", [], "\"hosts\" must name"), ("example.com", [], "must be an IP address"),
            ("127.0.0.1", ["http://a.example"], "must be a host"),
        ] {
            let failure = #expect(throws: ServingFailure.self) { try make(host, hosts) }
            #expect(failure?.description.contains(words) == true)
        }
        let app = try make("0.0.0.0", ["MCP.example"])
        let port = try #require(URL(string: try await app.start())?.port)
        let request: (String) throws -> String = { host in
            try answer(
                to: "GET /mcp/health HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n",
                at: UInt16(clamping: port)
            )
        }
        #expect(try request("mcp.example:\(port)").hasPrefix("HTTP/1.1 200 "))
        #expect(try request("other.example").hasPrefix("HTTP/1.1 403 "))
        await app.stop()
    }

    @Test func `takes what a program says as it stands`() throws {
        let params = MCPServerStdioParams(
            command: "sh",
            args: ["${NOT_SET}", "$HOME", "$${x}"],
            env: ["A": "${B}"]
        )
        let app = try MCPFunctionApp(
            server: MCPStdioConfiguration(name: "literal", params: params),
            accessLevel: .anonymous
        )
        _ = app
    }
}

/// A client that calls once.
private final class OneCall {
    private let client: MCPClient
    private(set) var outcome: Result<JSONValue, MCPClientError>?
    private(set) var isClosed = false

    init(_ url: String, _ loop: EventLoop) {
        let options = MCPClient.Options(identity: ClientIdentity(name: "test", version: "1"))
        client = MCPClient(.http(url: url), options: options, on: loop)
    }

    func call(_ tool: String, _ arguments: JSONValue) {
        client.connect { [self] connected in
            if case .failure(let error) = connected { return outcome = .failure(error) }
            client.request("tools/call", ["name": .string(tool), "arguments": arguments]) {
                self.outcome = $0
            }
        }
    }

    func close() {
        client.close { self.isClosed = true }
    }
}

/// Sends text to a port of this machine; what comes back until the end.
private func answer(to text: String, at port: UInt16) throws -> String {
    let connection = FileHandle(fileDescriptor: try connectLoopback(port), closeOnDealloc: true)
    try connection.write(contentsOf: Data(text.utf8))
    return String(decoding: try connection.readToEnd() ?? Data(), as: UTF8.self)
}
