// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import JSON
import MCPServer
import Testing

@testable import gatehouse

/// A client of the everything server in this process, in either era.
final class EverythingClient: Sendable {
    enum Era: String, Sendable, CaseIterable {
        case legacy, modern
    }

    private struct State {
        var nextID = 1
        var waiting: [Int: CheckedContinuation<JSONValue, Never>] = [:]
        var heard: [JSONValue] = []
        var asked: [String] = []
        var rounds = 0
    }

    let era: Era
    private let capabilities: JSONValue
    private let line: Line

    /// The connection, which exists only after what it sends to, and what came from it.
    private final class Line: Sendable {
        let connection = Locked<ServerConnection?>(nil)
        let state = Locked(State())
    }

    static let full: JSONValue = [
        "sampling": [:], "roots": [:], "elicitation": ["form": [:], "url": [:]],
        "extensions": ["io.modelcontextprotocol/tasks": [:]],
    ]

    init(
        _ era: Era,
        _ options: ServerOptions = ServerOptions(),
        server: MCPServer? = nil,
        capabilities: JSONValue = EverythingClient.full
    ) async throws {
        self.era = era
        self.capabilities = capabilities
        let line = Line()
        self.line = line
        let connection = ServerConnection(to: server ?? EverythingServer.make(options)) { message, _ in
            guard let value = try? JSONValue(message.span) else { return }
            Self.receive(value, line)
        }
        line.connection.withLock { $0 = connection }
        guard era == .legacy else { return }
        _ = try await request(
            "initialize",
            [
                "protocolVersion": "2025-11-25", "capabilities": capabilities,
                "clientInfo": ["name": "test", "version": "1"],
            ]
        )
        notify("notifications/initialized")
    }

    deinit { line.connection.withLock { $0.take() }?.close() }

    /// Notifications that came.
    var heard: [JSONValue] { line.state.withLock { $0.heard } }
    /// The keys of questions, in the order in which they came.
    var asked: [String] { line.state.withLock { $0.asked } }
    /// How often calls were answered with questions (modern era).
    var rounds: Int { line.state.withLock { $0.rounds } }

    /// Sends a request and waits for its response.
    func send(_ method: String, _ params: JSONValue = [:]) async -> JSONValue {
        let id = line.state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
        return await withCheckedContinuation { continuation in
            line.state.withLock { $0.waiting[id] = continuation }
            write([
                "jsonrpc": "2.0", "id": .number(String(id)), "method": .string(method),
                "params": dressed(params),
            ])
        }
    }

    /// A request's result, after as many rounds as it takes.
    func request(_ method: String, _ params: JSONValue = [:]) async throws -> JSONValue {
        var response = await send(method, params)
        while let result = response["result"], result["resultType"] == "input_required" {
            line.state.withLock { $0.rounds += 1 }
            let questions = result["inputRequests"]?.members ?? []
            for question in questions { line.state.withLock { $0.asked.append(question.name) } }
            let answers = questions.map { JSONValue.Member($0.name, Self.answer($0.value)) }
            var members = params.members ?? []
            members.append(.init("inputResponses", .object(answers)))
            if let state = result["requestState"] { members.append(.init("requestState", state)) }
            response = await send(method, .object(members))
        }
        return try #require(response["result"], "\(String(decoding: response.text(), as: UTF8.self))")
    }

    /// Calls a tool.
    func call(_ tool: String, _ arguments: JSONValue = [:]) async throws -> JSONValue {
        try await request("tools/call", ["name": .string(tool), "arguments": arguments])
    }

    /// The text of a tool's first block.
    func text(_ tool: String, _ arguments: JSONValue = [:]) async throws -> String {
        let result = try await call(tool, arguments)
        return result["content"]?.array?.first?["text"]?.string ?? ""
    }

    func notify(_ method: String, _ params: JSONValue = [:]) {
        write(["jsonrpc": "2.0", "method": .string(method), "params": params])
    }

    private func dressed(_ params: JSONValue) -> JSONValue {
        guard era == .modern else { return params }
        var meta = params["_meta"]?.members ?? []
        meta.append(.init("io.modelcontextprotocol/protocolVersion", "2026-07-28"))
        meta.append(.init("io.modelcontextprotocol/clientCapabilities", capabilities))
        let rest = (params.members ?? []).filter { $0.name != "_meta" }
        return .object(rest + [.init("_meta", .object(meta))])
    }

    private func write(_ message: JSONValue) {
        line.connection.withLock { $0 }?.receive(message.text())
    }

    private static func receive(_ message: JSONValue, _ line: Line) {
        if let id = message["id"]?.integer, message["method"] == nil {
            line.state.withLock { $0.waiting.removeValue(forKey: id) }?.resume(returning: message)
        } else if let id = message["id"] {
            let key = message["params"]?["_meta"]?["io.github.gatehouse/inputKey"]?.string ?? ""
            line.state.withLock { $0.asked.append(key) }
            let answer: JSONValue = ["jsonrpc": "2.0", "id": id, "result": answer(message)]
            line.connection.withLock { $0 }?.receive(answer.text())
        } else {
            line.state.withLock { $0.heard.append(message) }
        }
    }

    /// What a person and a model would say.
    private static func answer(_ question: JSONValue) -> JSONValue {
        switch question["method"]?.string {
        case "sampling/createMessage":
            return ["role": "assistant", "model": "m", "content": ["type": "text", "text": "Paris"]]
        case "roots/list": return ["roots": [["uri": "file:///a"]]]
        default:
            guard let schema = question["params"]?["requestedSchema"] else { return ["action": "accept"] }
            let content = (schema["properties"]?.members ?? []).filter { $0.value["default"] == nil }
                .map { JSONValue.Member($0.name, value($0.value)) }
            return ["action": "accept", "content": .object(content)]
        }
    }

    private static func value(_ schema: JSONValue) -> JSONValue {
        if let choice = schema["enum"]?.array?.first { return choice }
        if let choice = (schema["oneOf"] ?? schema["anyOf"])?.array?.first?["const"] { return choice }
        switch schema["type"]?.string {
        case "boolean": return true
        case "integer", "number": return 1
        case "array": return .array([value(schema["items"] ?? .null)])
        default: return "Ada"
        }
    }
}
