// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer
import Testing

// The code of MCPServer.docc/Testing.md and Publishing.md; ArticleTests compares them.

@Suite struct TestingArticle {
    private typealias Add = FirstServer.Add
    private typealias Delete = FirstServer.Delete

    @Test func `two numbers are added`() async throws {
        let server = MCPServer(name: "calculator", version: "1.0.0")
        server.add(Add.self)
        let result = try await server.call("add", ["a": 1, "b": 2])
        #expect(result.structuredContent == 3)
    }

    @Test func `what is wrong is told by name`() async throws {
        let server = MCPServer(name: "calculator", version: "1.0.0")
        server.add(Add.self)
        let result = try await server.call("add", ["a": "one"])
        #expect(result.isError)
        #expect(
            result.content == [.text("Invalid arguments: a must be an integer, not a string; b is missing")]
        )
    }

    @Test func `nothing is deleted without a yes`() async throws {
        let server = MCPServer(name: "files", version: "1.0.0")
        server.add(Delete.self)
        let result = try await server.call("delete", ["path": "a.txt"]) { _ in ["action": "decline"] }
        #expect(result.content == [.text("Kept.")])
    }

    @Test func `the tool is listed`() async throws {
        let server = MCPServer(name: "calculator", version: "1.0.0")
        server.add(Add.self)
        let (messages, outlet) = AsyncStream.makeStream(of: String.self)
        let connection = ServerConnection(to: server) { message, _ in
            outlet.yield(String(decoding: message, as: UTF8.self))
        }
        let request = """
            {"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{
              "io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}
            """
        connection.receive(Array(request.utf8))
        let answer = await messages.first { _ in true }
        #expect(answer?.contains(#""name":"add""#) == true)
        connection.close()
    }

    @Test func `options are set before the server is made`() {
        var options = ServerOptions()
        options.pageSize = 50
        options.questionTTL = 60_000
        let server = MCPServer(name: "calculator", version: "1.0.0", options: options)
        #expect(server.options.pageSize == 50)
    }
}
