// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Diagnostics
import Gateway
import HTTPServer
import Sessions

/// What of a gateway is not counted call by call, but read when someone asks for the metrics.
enum GatewayReadings {
    /// Adds all of it to the metrics of a pipeline.
    static func register(in pipeline: Pipeline, of server: HTTPServer?) {
        let metrics = pipeline.records.metrics
        register(sessions: pipeline.sessions, in: metrics)
        register(connectionsOf: server, in: metrics)
        register(serversOf: pipeline, in: metrics)
        ProcessUsage.register(in: metrics)
        metrics.reading("gatehouse_build_info", "The version of this program.", labels: ["version"]) {
            [MetricSample(1, [GatewayIdentity.version])]
        }
    }

    private static func register(sessions: SessionTable, in metrics: MetricsRegistry) {
        metrics.reading(
            "gatehouse_sessions_open",
            "Sessions of the legacy era that are open.",
            labels: ["server"]
        ) { [weak sessions] in
            var counts: [String: Int] = [:]
            for session in sessions?.all ?? [] { counts[session.server, default: 0] += 1 }
            return counts.sorted { $0.key < $1.key }.map { MetricSample($0.value, [$0.key]) }
        }
        metrics.reading("gatehouse_sessions_opened_total", "Sessions that were opened.", .counter) {
            [weak sessions] in [MetricSample(sessions?.opened ?? 0)]
        }
        metrics.reading(
            "gatehouse_sessions_ended_total",
            "Sessions that ended, by the reason.",
            .counter,
            labels: ["reason"]
        ) { [weak sessions] in
            zip(SessionEnd.allCases, sessions?.ended ?? []).map { MetricSample($1, [$0.rawValue]) }
        }
    }

    private static func register(connectionsOf server: HTTPServer?, in metrics: MetricsRegistry) {
        metrics.reading("gatehouse_connections_open", "Connections of clients that are open.") {
            [weak server] in [MetricSample(server?.connectionCount ?? 0)]
        }
        metrics.reading(
            "gatehouse_connections_refused_total",
            "Connections that were closed at once because there were too many.",
            .counter
        ) { [weak server] in [MetricSample(server?.refusedConnections ?? 0)] }
        metrics.reading("gatehouse_streams_open", "Event streams to clients that are open.") {
            [weak server] in [MetricSample(server?.streamCount ?? 0)]
        }
        metrics.reading("gatehouse_client_queue_bytes", "Bytes that wait for clients to take them.") {
            [weak server] in [MetricSample(server?.pendingBytes ?? 0)]
        }
    }

    private static func register(serversOf pipeline: Pipeline, in metrics: MetricsRegistry) {
        metrics.reading("gatehouse_server_usable", "Whether a server can be used at all.", labels: ["server"])
        {
            [weak pipeline] in
            (pipeline?.registry.all ?? []).map { MetricSample($0.problem == nil ? 1 : 0, [$0.name]) }
        }
        metrics.reading("gatehouse_processes", "Processes of servers that run.", labels: ["server"]) {
            [weak pipeline] in (pipeline?.registry.all ?? []).map { MetricSample($0.processCount, [$0.name]) }
        }
    }
}
