// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Diagnostics
import EventLoop
import Frontends
import Glibc
import JSON
import JSONRPC
import MCPClient
import MCPServer
import TestSupport
import Testing

@testable import gatehouse

/// Which client meets which server.
struct Cell: Sendable, CustomTestStringConvertible {
    /// The era that the client speaks.
    let client: EraPreference
    /// Where the fixture server is: `hosted` in the gateway, or a process of one era.
    let server: String
    /// Whether the client meets it in a federation, beside a server that has nothing of the same name.
    let isFederated: Bool

    var testDescription: String { "\(client) client, \(server) server\(isFederated ? " federated" : "")" }

    static let all = [false, true].flatMap { isFederated in
        [EraPreference.legacy, .modern].flatMap { client in
            ["hosted", "legacy", "modern"].map { Cell(client: client, server: $0, isFederated: isFederated) }
        }
    }
}

/// A gateway with the fixture server in all its places, and a client of it.
final class CellBench {
    let loop: EventLoop
    private let gateway: GatewayServer
    let client: MCPClient
    private(set) var connected: Result<ServerDescription, MCPClientError>?
    private(set) var isOver = false
    /// What the server told without being asked, by method.
    private(set) var notices: [(method: String, params: JSONValue)] = []
    private(set) var questions: [(key: String?, method: String, params: JSONValue)] = []
    /// Answers to questions, by method; a form that has none is filled in.
    var answers: [String: JSONValue] = [
        "sampling/createMessage": [
            "role": "assistant", "model": "m", "content": ["type": "text", "text": "Paris"],
        ],
        "roots/list": ["roots": [["uri": "file:///home", "name": "home"]]],
    ]

    init(_ cell: Cell, _ loop: EventLoop, capabilities: JSONValue) throws {
        self.loop = loop
        var configuration = GatewayConfiguration()
        configuration.port = 0
        for era in ["legacy", "modern"] {
            var server = ServerConfiguration(
                name: era,
                command: Self.program,
                arguments: ["everything", "--era", era, "--page-size", "20"]
            )
            server.era = era == "legacy" ? .legacy : .modern
            configuration.servers.append(server)
        }
        let hosted = EverythingServer.make(.init())
        var federation = FederationConfiguration()
        federation.servers = ["beside", cell.server]
        configuration.federation = federation
        // However busy the machine is, both servers are waited for.
        configuration.timeouts.federation = .seconds(60)
        let beside = MCPServer(name: "beside", version: "1")
        beside.addTool(named: "only_beside") { _, _ in ToolResult([.text("beside")]) }
        gateway = try GatewayServer(
            configuration,
            hosting: [("hosted", hosted), ("beside", beside)],
            in: .current(variables: ["PATH": "/usr/bin:/bin"]),
            on: loop,
            log: Log(level: .error, subsystem: .gateway)
        )
        var options = MCPClient.Options(identity: ClientIdentity(name: "cells", version: "1"))
        // On a machine that does much else, a hundred of these wait for each other.
        options.connectTimeout = 240_000
        options.requestTimeout = 240_000
        options.era = cell.client
        options.identity.capabilities = capabilities
        options.identity.logLevel = "debug"
        let path = cell.isFederated ? "/mcp" : "/mcp/\(cell.server)"
        client = MCPClient(.http(url: gateway.url + path), options: options, on: loop)
        client.onRequest = { [weak self] question in self?.answer(question) }
        client.onEvent = { [weak self] event in
            if case .notification(let method, let params) = event { self?.notices.append((method, params)) }
        }
        client.connect { [weak self] in self?.connected = $0 }
    }

    /// The program, beside these tests.
    private static let program: String = {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer[..<max(length, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) + "/gatehouse"
    }()

    private func answer(_ question: ServerQuestion) {
        let request = question.request
        questions.append((request.key, request.method, request.params))
        question.answer(.success(answers[request.method] ?? Self.filled(request.params["requestedSchema"])))
    }

    /// A form with something in each field.
    private static func filled(_ schema: JSONValue?) -> JSONValue {
        let fields = (schema?["properties"]?.members ?? []).map { field -> JSONValue.Member in
            switch field.value["type"]?.string {
            case "boolean": .init(field.name, true)
            case "integer", "number": .init(field.name, 1)
            default: .init(field.name, "ada")
            }
        }
        return ["action": "accept", "content": .object(fields)]
    }

    func end() {
        client.close { [self] in gateway.stop { self.isOver = true } }
    }
}

/// What a test does with a bench, from outside of its loop.
struct CellClient: Sendable {
    let bench: LoopBound<CellBench>
    let loop: EventLoop

    /// Has a bench for the length of a test; it must end with nothing left.
    static func with(
        _ cell: Cell,
        capabilities: JSONValue = [
            "elicitation": ["form": .object([]), "url": .object([])], "sampling": .object([]),
            "roots": .object([]),
        ],
        _ body: @escaping @Sendable (CellClient) async throws -> Void
    ) async throws {
        try await withLoop { loop in
            let bench = try await loop.run {
                LoopBound(try CellBench(cell, loop, capabilities: capabilities), loop)
            }
            let outcome: Result<Void, any Error>
            do {
                try await loop.wait("the connection") { bench.value.connected != nil }
                _ = try await loop.run { try bench.value.connected?.get() }
                outcome = .success(try await body(CellClient(bench: bench, loop: loop)))
            } catch {
                outcome = .failure(error)
            }
            try await loop.run { bench.value.end() }
            try await loop.wait("the end of the gateway") { bench.value.isOver }
            try outcome.get()
        }
    }

    func request(
        _ method: String,
        _ params: JSONValue = .object([]),
        onProgress: (@Sendable (JSONValue) -> Void)? = nil
    ) async throws -> JSONValue {
        try await withCheckedThrowingContinuation { continuation in
            loop.post {
                bench.value.client.request(method, params, onProgress: onProgress) {
                    continuation.resume(with: $0.mapError { $0 as any Error })
                }
            }
        }
    }

    func call(
        _ tool: String,
        _ arguments: JSONValue = .object([]),
        onProgress: (@Sendable (JSONValue) -> Void)? = nil
    ) async throws -> JSONValue {
        try await request(
            "tools/call",
            ["name": .string(tool), "arguments": arguments],
            onProgress: onProgress
        )
    }

    /// The text of a tool's first block.
    func text(_ tool: String, _ arguments: JSONValue = .object([])) async throws -> String {
        try await call(tool, arguments)["content"]?.array?.first?["text"]?.string ?? ""
    }

    /// The code of the error that a request ends with; nil if it does not.
    func code(_ method: String, _ params: JSONValue) async throws -> Int? {
        do {
            _ = try await request(method, params)
            return nil
        } catch {
            guard case .refused(let failure, _) = error as? MCPClientError else { throw error }
            return failure.code.value
        }
    }

    func questions() async throws -> [String] {
        try await loop.run { bench.value.questions.map(\.method) }
    }

    func answer(_ method: String, with value: JSONValue) async throws {
        try await loop.run { bench.value.answers[method] = value }
    }

    func notice(_ method: String) async throws -> JSONValue? {
        try await loop.wait("\(method)") { bench.value.notices.contains { $0.method == method } }
        return try await loop.run { bench.value.notices.first { $0.method == method }?.params }
    }
}
