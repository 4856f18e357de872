// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Configuration
import Diagnostics
import EventLoop
import Gateway
import JSON
import JSONRPC
import MCPCore
import Sessions
import TestSupport
import Testing

@testable import Frontends

/// Servers that a configuration no longer has, while they finish what they were doing.
@Suite("Retired servers") struct RetiredServersTests {
    private static let log = Log(level: .error, subsystem: .gateway)

    @Test func `what runs is counted once for each name, and told for each server`() async throws {
        try await withLoop { loop in
            try await loop.run {
                var registry = Registry(
                    [StubBackend("a", processes: 1), StubBackend("b", processes: 0)],
                    defaultName: nil
                )
                registry.retired = [StubBackend("a", processes: 2), StubBackend("gone", processes: 4)]
                let context = FrontendContext(
                    loop: loop,
                    pipeline: Pipeline(
                        admission: Admission(hosts: [], origins: [], allowsLoopback: true),
                        registry: registry,
                        sessions: SessionTable(capacity: 1, lifetime: 1),
                        records: Records(log: Self.log)
                    ),
                    limits: Limits(),
                    timeouts: Timeouts(),
                    showsMetrics: true,
                    log: Self.log
                )
                let samples = withExtendedLifetime(context) { Self.samples(context.pipeline) }
                let processes = samples.filter { $0.hasPrefix("gatehouse_processes{") }
                #expect(
                    processes == [
                        #"gatehouse_processes{server="a"} 3"#, #"gatehouse_processes{server="b"} 0"#,
                        #"gatehouse_processes{server="gone"} 4"#,
                    ]
                )
                let names = samples.compactMap { $0.split(separator: " ").first }
                #expect(Set(names).count == samples.count)
                let told = context.serverDescriptions.map { server in
                    "\(server["name"]?.string ?? "") \(server["state"]?.string ?? "")"
                }
                #expect(told == ["a up", "b up", "a stopping", "gone stopping"])
            }
        }
    }

    /// The lines of the metrics of servers, but for those that describe them.
    private static func samples(_ pipeline: Pipeline) -> [String] {
        GatewayReadings.register(in: pipeline, of: nil)
        let text = String(decoding: pipeline.records.metrics.exposition(.prometheus), as: UTF8.self)
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { String($0) }
    }

    @Test func `one that ends is known until it has, and nobody finds it`() async throws {
        try await withLoop { loop in
            try await loop.run {
                let (old, new) = (StubBackend("a", processes: 2), StubBackend("a", processes: 1))
                let servers = ServerSet(
                    GatewayConfiguration(),
                    hosting: [new],
                    in: .current(variables: [:]),
                    on: loop,
                    tracer: nil,
                    log: Self.log
                )
                servers.retire(old, [], within: 0)
                _ = servers.apply(GatewayConfiguration())
                servers.sweep(now: loop.now)
                #expect(servers.registry.retired.first === old)
                #expect(servers.registry.find("a") === new)
                #expect(!servers.registry.has(old))
                #expect(servers.registry.all.count == 1)
                old.finish()
                servers.sweep(now: loop.now)
                #expect(servers.registry.retired.isEmpty)
            }
        }
    }

    @Test func `a gateway that takes another configuration knows of them until they are gone`() async throws {
        try await withLoop { loop in
            let bench = try await loop.run { LoopBound(try ReloadBench(loop, log: Self.log), loop) }
            try await loop.wait("the end of the server") { bench.value.retired.isEmpty }
            try await loop.run { bench.value.end() }
            try await loop.wait("the end of the gateway") { bench.value.isOver }
        }
    }
}

/// A gateway whose only server has just been changed.
private final class ReloadBench {
    private let gateway: GatewayServer
    private(set) var isOver = false

    init(_ loop: EventLoop, log: Log) throws {
        var configuration = GatewayConfiguration()
        configuration.port = 0
        configuration.servers = [Self.server("before")]
        gateway = try GatewayServer(configuration, in: .current(variables: [:]), on: loop, log: log)
        #expect(retired.isEmpty)
        configuration.servers = [Self.server("after")]
        gateway.reload(configuration)
        #expect(retired.map(\.name) == ["a"])
    }

    var retired: [any Backend] { gateway.context.pipeline.registry.retired }

    func end() {
        gateway.stop { self.isOver = true }
    }

    /// One that starts nothing.
    private static func server(_ summary: String) -> ServerConfiguration {
        var server = ServerConfiguration(name: "a", command: "nothing")
        server.problem = "there is no such program"
        server.summary = summary
        return server
    }
}

/// A server with processes that is never asked for anything.
private final class StubBackend: Backend {
    let name: String
    let processCount: Int
    private var onEnd: (() -> Void)?

    init(_ name: String, processes: Int) {
        self.name = name
        processCount = processes
    }

    var summary: String? { nil }
    var problem: String? { nil }
    var sessionTimeout: UInt64? { nil }
    var sessionLimit: Int? { nil }
    var isBusy: Bool { false }
    var isKnown: Bool { true }

    func whenKnown(_ body: @escaping (Failure?) -> Void) throws(Failure) { body(nil) }

    func openSession(for principal: Principal) throws(Failure) -> any Conversation { throw Self.refusal }

    func modern(
        for principal: Principal,
        instance: UInt64?,
        declared: () -> JSONValue
    ) throws(Failure) -> ModernConversation {
        throw Self.refusal
    }

    private static let refusal = Failure(.internalError, "Nothing is answered here", source: .upstream)

    func headerParameters(
        ofTool name: @autoclosure () -> [UInt8]?,
        for principal: Principal
    ) -> HeaderParameters? { nil }

    func learnTools(_ tools: Span<UInt8>) {}
    func heartbeat(slot: Int, of slots: Int) {}
    func sweep(now: UInt64) {}
    func beginStopping() {}
    func end(_ completion: @escaping () -> Void) { onEnd = completion }

    /// The last process is gone.
    func finish() {
        let completion = onEnd.take()
        completion?()
    }
}
