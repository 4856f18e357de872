// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Diagnostics
import EventLoop
import Frontends
import JSON
import JSONRPC
import MCPClient
import MCPCore
import MCPServer
import TestSupport
import Testing

/// Two servers in Swift under one name, for clients of both eras.
@Suite("Federation", .timeLimit(.minutes(5)))
struct FederationTests {
    static let eras: [EraPreference] = [.legacy, .modern]

    private func server(_ name: String, tools: [String], uris: [String] = []) -> MCPServer {
        let server = MCPServer(name: name, version: "1", instructions: "Use \(name).")
        for tool in tools { server.addTool(named: tool) { _, _ in ToolResult([.text("\(name) \(tool)")]) } }
        for uri in uris {
            server.addResource(ResourceDescription(uri: uri, name: uri)) { _ in
                [ResourceContents(uri: uri, text: "\(name) \(uri)")]
            }
        }
        return server
    }

    @Test(arguments: eras) func `names are prefixed where both servers have them`(
        era: EraPreference
    ) async throws {
        let one = server("one", tools: ["search", "fetch"])
        let two = server("two", tools: ["store", "search"])
        try await FederationBench.with([("one", one), ("two", two)], era) { bench in
            try await bench.lists(["one_search", "fetch", "store", "two_search"])
            try await bench.answers("two_search", "two search")
            try await bench.answers("fetch", "one fetch")
            let code = try await bench.code("search")
            #expect(code == -32602)
        }
    }

    @Test(arguments: eras) func `a name keeps its meaning when the other server takes it too`(
        era: EraPreference
    ) async throws {
        let one = server("one", tools: ["fetch"])
        let two = server("two", tools: ["search"])
        try await FederationBench.with([("one", one), ("two", two)], era) { bench in
            try await bench.lists(["fetch", "search"])
            one.addTool(named: "search") { _, _ in ToolResult([.text("one search")]) }
            try await bench.lists(["fetch", "one_search", "two_search"])
            try await bench.answers("search", "two search")
            try await bench.answers("one_search", "one search")
            two.removeTool(named: "search")
            try await bench.lists(["fetch", "search"])
            try await bench.answers("search", "one search")
            try await bench.answers("one_search", "one search")
        }
    }

    @Test(arguments: eras) func `a URI that both servers list is the first one's`(
        era: EraPreference
    ) async throws {
        let one = server("one", tools: [], uris: ["x:1", "x:both"])
        let two = server("two", tools: [], uris: ["x:both", "x:2"])
        try await FederationBench.with([("one", one), ("two", two)], era) { bench in
            let listed = try await bench.list("resources/list")["resources"]?.array ?? []
            #expect(listed.compactMap { $0["uri"]?.string } == ["x:1", "x:both", "x:2"])
            for (uri, text) in [("x:both", "one x:both"), ("x:2", "two x:2")] {
                let contents = try await bench.request("resources/read", ["uri": .string(uri)])["contents"]
                #expect(contents?.array?.first?["text"]?.string == text)
            }
        }
    }

    @Test(arguments: eras) func `both servers are heard to change`(era: EraPreference) async throws {
        let one = server("one", tools: ["a"])
        let two = server("two", tools: ["b"])
        try await FederationBench.with([("one", one), ("two", two)], era) { bench in
            let began = Locked(false)
            let changes = Locked(0)
            try await bench.loop.run {
                var filter = SubscriptionFilter()
                filter.tools = true
                _ = bench.held.value.client.subscribe(filter) { event in
                    if case .began = event { began.withLock { $0 = true } }
                    if case .notice = event { changes.withLock { $0 += 1 } }
                }
            }
            try await bench.loop.wait("the subscription") { began.withLock { $0 } }
            one.addTool(named: "c") { _, _ in ToolResult([]) }
            try await bench.loop.wait("the first change") { changes.withLock { $0 } >= 1 }
            let before = changes.withLock { $0 }
            two.addTool(named: "d") { _, _ in ToolResult([]) }
            try await bench.loop.wait("the other change") { changes.withLock { $0 } > before }
            try await bench.lists(["a", "c", "b", "d"])
        }
    }
}

/// A gateway that federates servers of this process, and a client of it.
private struct FederationBench: Sendable {
    final class Parts {
        let gateway: GatewayServer
        let client: MCPClient
        var connected: Result<ServerDescription, MCPClientError>?
        var isOver = false

        init(_ servers: [(name: String, server: MCPServer)], _ era: EraPreference, _ loop: EventLoop) throws {
            var configuration = GatewayConfiguration()
            configuration.port = 0
            configuration.timeouts.federation = .seconds(60)
            gateway = try GatewayServer(
                configuration,
                hosting: servers,
                in: .current(variables: [:]),
                on: loop,
                log: Log(level: .error, subsystem: .gateway)
            )
            var options = MCPClient.Options(identity: ClientIdentity(name: "federation", version: "1"))
            options.era = era
            client = MCPClient(.http(url: gateway.url + "/mcp"), options: options, on: loop)
            client.connect { [weak self] in self?.connected = $0 }
        }

        func end() {
            client.close { [self] in gateway.stop { self.isOver = true } }
        }
    }

    let held: LoopBound<Parts>
    let loop: EventLoop

    static func with(
        _ servers: [(name: String, server: MCPServer)],
        _ era: EraPreference,
        _ body: @escaping @Sendable (FederationBench) async throws -> Void
    ) async throws {
        try await withLoop { loop in
            let held = try await loop.run { LoopBound(try Parts(servers, era, loop), loop) }
            try await loop.wait("the connection") { held.value.connected != nil }
            let outcome: Result<Void, any Error>
            do {
                let greeting = try await loop.run { try held.value.connected?.get() }
                if era == .legacy {
                    #expect(greeting?.instructions == "# one\n\nUse one.\n\n# two\n\nUse two.")
                }
                outcome = .success(try await body(FederationBench(held: held, loop: loop)))
            } catch {
                outcome = .failure(error)
            }
            try await loop.run { held.value.end() }
            try await loop.wait("the end of the gateway") { held.value.isOver }
            try outcome.get()
        }
    }

    func request(_ method: String, _ params: JSONValue) async throws -> JSONValue {
        try await withCheckedThrowingContinuation { continuation in
            loop.post {
                _ = held.value.client.request(method, params) {
                    continuation.resume(with: $0.mapError { $0 as any Error })
                }
            }
        }
    }

    func list(_ method: String) async throws -> JSONValue {
        try await withCheckedThrowingContinuation { continuation in
            loop.post {
                held.value.client.list(method) {
                    continuation.resume(with: $0.mapError { $0 as any Error })
                }
            }
        }
    }

    func lists(_ names: [String]) async throws {
        let tools = try await list("tools/list")["tools"]?.array ?? []
        #expect(tools.compactMap { $0["name"]?.string } == names)
    }

    func answers(_ tool: String, _ text: String) async throws {
        let result = try await request("tools/call", ["name": .string(tool), "arguments": .object([])])
        #expect(result["content"]?.array?.first?["text"]?.string == text)
    }

    func code(_ tool: String) async throws -> Int? {
        do {
            _ = try await request("tools/call", ["name": .string(tool), "arguments": .object([])])
            return nil
        } catch MCPClientError.refused(let failure, _) {
            return failure.code.value
        }
    }
}
