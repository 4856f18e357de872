// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Bytes
import Configuration
import Diagnostics
import EventLoop
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
        var fields = Responses.fields(ofType: format.contentType)
        if let origin = passage.origin { fields += Responses.crossOrigin(origin) }
        exchange.respond(200, fields) { $0.append(contentsOf: text) }
    }

    /// Answers with how many sessions and processes there are; to those on this machine also with what each is at.
    func answerSessionMetrics(_ exchange: HTTPExchange, _ passage: Passage) {
        let processes = pipeline.registry.supervised.reduce(0) { $0 + $1.processCount }
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
            .init("servers", .array(serverDescriptions)),
        ]
    }

    /// What each server is at; after those that are offered come those that are retired.
    var serverDescriptions: [JSONValue] {
        let registry = pipeline.registry
        let offered = registry.all.map { backend in
            let sessions = pipeline.sessions.count(server: backend.name)
            return description(of: backend, state: state(of: backend), sessions: sessions)
        }
        // Nobody finds the sessions of these any more.
        return offered + registry.retired.map { description(of: $0, state: "stopping", sessions: 0) }
    }

    private func description(of backend: any Backend, state: String, sessions: Int) -> JSONValue {
        let statistics = backend.statistics
        var members: [JSONValue.Member] = [
            .init("name", .string(backend.name)),
            .init("state", .string(state)),
            .init("sessions", .number(String(sessions))),
            .init("processes", .number(String(backend.processCount))),
        ]
        let counts = statistics.counts
        members += [
            .init("starts", .number(String(counts.starts))),
            .init("restarts", .number(String(counts.restarts))),
            .init("start_failures", .number(String(counts.startFailures))),
            .init("children", .array(statistics.reports.map(description))),
        ]
        if let remote = statistics.remote { members.append(.init("remote", description(of: remote))) }
        if let exit = counts.lastExit { members.append(.init("last_exit", .string(exit))) }
        if let problem = backend.problem { members.append(.init("problem", .string(problem))) }
        return .object(members)
    }

    private func state(of backend: any Backend) -> String {
        if backend.problem != nil { return "unusable" }
        let statistics = backend.statistics
        if statistics.remote?.state == .away { return "away" }
        if statistics.isLeftAlone { return statistics.remote == nil ? "crashing" : "away" }
        return backend.isKnown ? "up" : "unknown"
    }

    /// What a server elsewhere is at; where it is is not said, since a URL may hold a secret.
    private func description(of remote: RemoteReport) -> JSONValue {
        func number(_ value: Int) -> JSONValue { .number(String(value)) }
        var members: [JSONValue.Member] = [
            .init("state", .string(remote.state.rawValue)), .init("opened", number(remote.opened)),
            .init("greeted_again", number(remote.greetedAgain)), .init("failures", number(remote.failures)),
        ]
        if let words = remote.lastFailure { members.append(.init("last_failure", .string(words))) }
        let lines = remote.lines.map { line in
            JSONValue.object([
                .init("state", .string(line.isStopping ? "stopping" : "up")),
                .init("uptime_seconds", number(Int(clamping: (loop.now &- line.started) / 1_000))),
                .init("calls", number(line.calls)), .init("greeted_again", number(line.greetedAgain)),
                .init("sent_messages", number(line.sentMessages)),
                .init("sent_bytes", number(line.sentBytes)),
                .init("received_messages", number(line.receivedMessages)),
                .init("received_bytes", number(line.receivedBytes)),
                .init("waiting_bytes", number(line.pendingBytes)),
            ])
        }
        members.append(.init("lines", .array(lines)))
        return .object(members)
    }

    /// Characters of the last words of a process that are told.
    private static let wordsLimit = 1_024

    /// What a process is at, with its last words, from which the secrets are taken that are known.
    private func description(of report: ServerReport) -> JSONValue {
        func number(_ value: Int) -> JSONValue { .number(String(value)) }
        return .object([
            .init("pid", number(Int(report.pid))), .init("state", .string(report.state.rawValue)),
            .init("uptime_seconds", number(Int(clamping: (loop.now &- report.started) / 1_000))),
            .init("sent_messages", number(report.sentMessages)),
            .init("sent_bytes", number(report.sentBytes)),
            .init("received_messages", number(report.receivedMessages)),
            .init("received_bytes", number(report.receivedBytes)),
            .init("waiting_bytes", number(report.pendingBytes)),
            .init("stderr_tail_bytes", number(report.diagnosticsTail.utf8.count)),
            .init(
                "stderr_tail",
                .string(String(log.redacted(report.diagnosticsTail).suffix(Self.wordsLimit)))
            ),
        ])
    }
}
