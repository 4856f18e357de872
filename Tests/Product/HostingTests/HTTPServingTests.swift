// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import Hosting
import JSON
import MCPClient
import MCPServer
import TestSupport
import Testing

/// A server of a Swift program over HTTP.
@Suite("Serving over HTTP")
struct HTTPServingTests {
    private func greeter() -> MCPServer {
        let server = MCPServer(name: "greeter", version: "1.0")
        server.addTool(named: "greet", description: "Say hello.") { arguments, _ in
            ToolResult([.text("Hello, \(arguments["name"]?.string ?? "nobody")!")])
        }
        return server
    }

    /// Serves while the body runs, which is told where.
    private func serving(
        hosts: [String] = [],
        _ body: @escaping @Sendable (String) async throws -> Void
    ) async throws {
        let server = greeter()
        let (urls, continuation) = AsyncStream<String>.makeStream()
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.serveHTTP(port: 0, hosts: hosts) { continuation.yield($0) } }
            var iterator = urls.makeAsyncIterator()
            let url = await iterator.next()
            do {
                try await body(try #require(url))
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
        }
    }

    @Test(arguments: [EraPreference.modern, .legacy])
    func `Clients of both eras call it until its task is cancelled`(era: EraPreference) async throws {
        try await serving { url in
            #expect(url.hasPrefix("http://127.0.0.1:") && url.hasSuffix("/mcp"))
            try await withLoop { loop in
                let caller = try await loop.run { LoopBound(Caller(url, era, loop), loop) }
                try await loop.run { caller.value.greet("Ada") }
                try await loop.wait("the greeting") { caller.value.outcome != nil }
                let text = try await loop.run {
                    try caller.value.outcome?.get()["content"]?.array?.first?["text"]
                }
                #expect(text == "Hello, Ada!")
                try await loop.run { caller.value.close() }
                try await loop.wait("the end of the client") { caller.value.isClosed }
            }
        }
    }

    @Test(arguments: [[], ["Greeter.localhost"]])
    func `Only hosts that were named are served beside loopback`(hosts: [String]) async throws {
        try await serving(hosts: hosts) { url in
            let named = url.split(separator: "127.0.0.1", maxSplits: 1).joined(separator: "greeter.localhost")
            try await withLoop { loop in
                let caller = try await loop.run { LoopBound(Caller(named, .modern, loop), loop) }
                try await loop.run { caller.value.greet("Ada") }
                try await loop.wait("the outcome") { caller.value.outcome != nil }
                let text = try await loop.run {
                    try? caller.value.outcome?.get()["content"]?.array?.first?["text"]
                }
                #expect((text == "Hello, Ada!") == !hosts.isEmpty)
                try await loop.run { caller.value.close() }
                try await loop.wait("the end of the client") { caller.value.isClosed }
            }
        }
    }

    @Test func `A port that is taken is an error`() async throws {
        try await serving { [greeter] url in
            let port = try #require(
                url.split(separator: ":").last.flatMap { UInt16($0.prefix { $0 != "/" }) }
            )
            await #expect(throws: ServingFailure.self) { try await greeter().serveHTTP(port: port) }
        }
    }
}

/// A client that calls once.
private final class Caller {
    private let client: MCPClient
    private(set) var outcome: Result<JSONValue, MCPClientError>?
    private(set) var isClosed = false

    init(_ url: String, _ era: EraPreference, _ loop: EventLoop) {
        var options = MCPClient.Options(identity: ClientIdentity(name: "test", version: "1"))
        options.era = era
        client = MCPClient(.http(url: url), options: options, on: loop)
    }

    func greet(_ name: String) {
        client.connect { [self] connected in
            if case .failure(let error) = connected { return outcome = .failure(error) }
            let params: JSONValue = ["name": "greet", "arguments": ["name": .string(name)]]
            client.request("tools/call", params) { self.outcome = $0 }
        }
    }

    func close() {
        client.close { self.isClosed = true }
    }
}
