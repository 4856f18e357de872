// Gatehouse. SPDX-License-Identifier: MIT

import FoundationEssentials
import Hosting
import MCPServer
import Testing

/// A server of a Swift program over HTTP.
@Suite("Serving over HTTP")
struct HTTPServingTests {
    @Test func `A server is reached over HTTP until its task is cancelled`() async throws {
        let server = MCPServer(name: "greeter", version: "1.0")
        server.addTool(named: "greet", description: "Say hello.", inputSchema: ["type": "object"]) { _, _ in
            ToolResult([.text("Hello!")])
        }
        let (urls, continuation) = AsyncStream<String>.makeStream()
        let serving = Task {
            defer { continuation.finish() }
            try await server.serveHTTP(port: 0) { continuation.yield($0) }
        }
        var url: String?
        for await found in urls {
            url = found
            break
        }
        let endpoint = try #require(url)
        #expect(endpoint.hasPrefix("http://127.0.0.1:") && endpoint.hasSuffix("/mcp"))
        serving.cancel()
        try await serving.value
    }

    @Test func `A port that is taken is an error`() async throws {
        let server = MCPServer(name: "greeter", version: "1.0")
        let (urls, continuation) = AsyncStream<String>.makeStream()
        let first = Task { try await server.serveHTTP(port: 0) { continuation.yield($0) } }
        var iterator = urls.makeAsyncIterator()
        let url = try #require(await iterator.next())
        let port = try #require(url.split(separator: ":").last.flatMap { UInt16($0.prefix { $0 != "/" }) })
        await #expect(throws: ServingFailure.self) { try await server.serveHTTP(port: port) }
        first.cancel()
        try await first.value
    }
}
