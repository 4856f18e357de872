// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import HTTPClient
import JSON
import MCPClient
import TestSupport
import Testing

/// A client on the loop, and what it was told.
final class Bench {
    let client: MCPClient
    var server: ScriptedServer?
    var connected: Result<ServerDescription, MCPClientError>?
    var results: [Result<JSONValue, MCPClientError>] = []
    var progress: [JSONValue] = []
    var events: [String] = []
    var told: [String] = []
    var questions: [ServerQuestion] = []
    var isClosed = false

    init(_ target: ServerTarget, era: EraPreference, _ loop: EventLoop) {
        var options = MCPClient.Options(identity: ClientIdentity(name: "test", version: "1"))
        options.era = era
        options.identity.capabilities = [
            "elicitation": ["form": [:], "url": [:]], "roots": [:],
            "extensions": .object([.init(TaskWatch.extension, [:])]),
        ]
        client = MCPClient(target, options: options, on: loop)
        client.onEvent = { [weak self] event in
            switch event {
            case .notification(let method, _): self?.events.append(method)
            case .task(let id, let status, _): self?.events.append("task \(id) \(status)")
            case .warning(let text): self?.events.append("warning: \(text)")
            case .diagnostics(let bytes): self?.events.append(String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    var error: MCPClientError? {
        guard case .failure(let error) = connected else { return nil }
        return error
    }

    func request(_ method: String, _ params: JSONValue = .null) {
        client.request(method, params, onProgress: { self.progress.append($0) }) { self.results.append($0) }
    }

    /// The texts of the results; an error's description for an error.
    var texts: [String] {
        results.map { result in
            switch result {
            case .success(let value): String(decoding: value.text(), as: UTF8.self)
            case .failure(let error): "! \(error)"
            }
        }
    }
}

extension LoopBound where Value == Bench {
    /// Makes a client and has it connect.
    static func connect(
        _ loop: EventLoop,
        era: EraPreference = .auto,
        _ target: @escaping @Sendable () throws -> (ServerTarget, ScriptedServer?)
    ) async throws -> LoopBound<Bench> {
        let bench = try await loop.run {
            let (target, server) = try target()
            let bench = Bench(target, era: era, loop)
            bench.server = server
            bench.client.connect { bench.connected = $0 }
            return LoopBound(bench, loop)
        }
        try await loop.wait("the connection") { bench.value.connected != nil }
        return bench
    }

    func request(_ method: String, _ params: JSONValue = .null) async throws {
        let before = try await loop.run {
            value.request(method, params)
            return value.results.count
        }
        try await loop.wait("the end of \(method)") { value.results.count > before }
    }

    func close() async throws {
        try await loop.run { value.client.close { value.isClosed = true } }
        try await loop.wait("the end of the client") { value.isClosed }
    }
}
