// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Bytes
import Configuration
import Diagnostics
import Gateway
import HTTPServer
import HTTPWire
import JSON
import Sessions

extension FrontendContext {
    /// Answers with everything that is counted, in the form that the scraper asks for.
    func answerMetrics(_ exchange: HTTPExchange, _ passage: Passage) {
        let accept = exchange.head.values(named: "accept").map { String(decoding: $0, as: UTF8.self) }
        let format = ExpositionFormat(accept: accept.joined(separator: ","))
        let text = pipeline.records.metrics.exposition(format)
        var fields: [HTTPResponseField] = [
            ("Content-Type", Array(format.contentType.utf8)), Responses.noStore,
        ]
        if let origin = passage.origin { fields += Responses.crossOrigin(origin) }
        exchange.respond(200, fields) { $0.append(contentsOf: text) }
    }

    /// Answers with how many sessions and processes there are; to those on this machine also with what each is at.
    func answerSessionMetrics(_ exchange: HTTPExchange, _ passage: Passage) {
        let processes = pipeline.registry.all.reduce(0) { $0 + $1.processCount }
        var members: [JSONValue.Member] = [
            .init("active_sessions", .number(String(pipeline.sessions.count))),
            .init("total_processes", .number(String(processes))),
        ]
        if Self.isOfThisMachine(exchange, passage) { members += detailedMembers }
        let text = JSONValue.object(members).text()
        exchange.respond(200, Responses.jsonFields(origin: passage.origin)) { $0.append(contentsOf: text) }
    }

    /// Whether a request comes from this machine, and not through a proxy on it.
    private static func isOfThisMachine(_ exchange: HTTPExchange, _ passage: Passage) -> Bool {
        if let client = passage.client { return client.address.map(HostName.isLoopback) ?? false }
        guard let address = exchange.peerAddress, HostName.isLoopback(address) else { return false }
        return ["forwarded", "x-forwarded-for", "x-real-ip"].allSatisfy {
            exchange.head.values(named: $0).isEmpty
        }
    }

    private var detailedMembers: [JSONValue.Member] {
        let uptime = WallClock.now / 1_000_000_000 &- UInt64(ProcessUsage.startTime)
        return [
            .init("version", .string(GatewayIdentity.version)),
            .init("uptime_seconds", .number(String(uptime))),
            .init("draining", .bool(isDraining)),
            .init("open_calls", .number(String(pipeline.records.openCalls))),
            .init("servers", .array(pipeline.registry.all.map(description))),
        ]
    }

    private func description(of backend: any Backend) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(backend.name)),
            .init(
                "state",
                .string(backend.problem == nil ? (backend.isKnown ? "up" : "unknown") : "unusable")
            ),
            .init("sessions", .number(String(pipeline.sessions.count(server: backend.name)))),
            .init("processes", .number(String(backend.processCount))),
        ]
        if let problem = backend.problem { members.append(.init("problem", .string(problem))) }
        return .object(members)
    }
}
