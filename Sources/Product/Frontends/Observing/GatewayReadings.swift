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
        if let server { register(connectionsOf: server, in: metrics) }
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
        ) { [unowned sessions] in
            var counts: [String: Int] = [:]
            for session in sessions.all { counts[session.server, default: 0] += 1 }
            return counts.sorted { $0.key < $1.key }.map { MetricSample($0.value, [$0.key]) }
        }
        metrics.reading("gatehouse_sessions_opened_total", "Sessions that were opened.", .counter) {
            [unowned sessions] in [MetricSample(sessions.opened)]
        }
        metrics.reading(
            "gatehouse_sessions_ended_total",
            "Sessions that ended, by the reason.",
            .counter,
            labels: ["reason"]
        ) { [unowned sessions] in
            zip(SessionEnd.allCases, sessions.ended).map { MetricSample($1, [$0.rawValue]) }
        }
    }

    private static func register(connectionsOf server: HTTPServer, in metrics: MetricsRegistry) {
        metrics.reading("gatehouse_connections_open", "Connections of clients that are open.") {
            [unowned server] in [MetricSample(server.connectionCount)]
        }
        metrics.reading(
            "gatehouse_connections_refused_total",
            "Connections that were closed at once because there were too many.",
            .counter
        ) { [unowned server] in [MetricSample(server.refusedConnections)] }
        metrics.reading("gatehouse_streams_open", "Event streams to clients that are open.") {
            [unowned server] in [MetricSample(server.streamCount)]
        }
        metrics.reading("gatehouse_client_queue_bytes", "Bytes that wait for clients to take them.") {
            [unowned server] in [MetricSample(server.pendingBytes)]
        }
    }

    /// Rows of all servers; those of an old one and of the one in its place are one row.
    private static func rows(
        _ pipeline: Pipeline,
        _ read: @escaping (any Backend) -> [MetricSample]
    ) -> () -> [MetricSample] {
        { [unowned pipeline] in MetricSample.sums(pipeline.registry.supervised.flatMap(read)) }
    }

    private static func register(serversOf pipeline: Pipeline, in metrics: MetricsRegistry) {
        metrics.reading("gatehouse_server_usable", "Whether a server can be used at all.", labels: ["server"])
        {
            [unowned pipeline] in
            pipeline.registry.all.map { MetricSample($0.problem == nil ? 1 : 0, [$0.name]) }
        }
        metrics.reading(
            "gatehouse_processes",
            "Processes of servers that run.",
            labels: ["server"],
            rows(pipeline) { [MetricSample($0.processCount, [$0.name])] }
        )
        metrics.reading(
            "gatehouse_server_left_alone",
            "Whether a server keeps dying, so that it is tried only now and then.",
            labels: ["server"]
        ) { [unowned pipeline] in
            pipeline.registry.all.map { MetricSample($0.statistics.isLeftAlone ? 1 : 0, [$0.name]) }
        }
        registerChildren(pipeline, in: metrics)
        registerRemotes(pipeline, in: metrics)
    }

    private static func registerChildren(_ pipeline: Pipeline, in metrics: MetricsRegistry) {
        func rows(_ read: @escaping (String, BackendStatistics) -> [MetricSample]) -> () -> [MetricSample] {
            Self.rows(pipeline) { read($0.name, $0.statistics) }
        }
        metrics.reading(
            "gatehouse_children",
            "Processes of servers by what they do.",
            labels: ["server", "state"],
            rows { name, statistics in
                ServerReport.State.allCases.map { state in
                    MetricSample(statistics.reports.count { $0.state == state }, [name, state.rawValue])
                }
            }
        )
        metrics.reading(
            "gatehouse_child_queue_bytes",
            "Bytes that wait for servers to read them.",
            labels: ["server"],
            rows { name, statistics in
                let lines = statistics.remote?.lines ?? []
                let waiting = statistics.reports.map(\.pendingBytes) + lines.map(\.pendingBytes)
                return [MetricSample(waiting.reduce(0, +), [name])]
            }
        )
        let counts: [(String, String, (ProcessCounts) -> Int)] = [
            ("gatehouse_child_starts_total", "Processes of servers that were started.", { $0.starts }),
            (
                "gatehouse_child_start_failures_total", "Processes that could not be started.",
                { $0.startFailures }
            ),
            (
                "gatehouse_child_restarts_total", "Starts in the place of a process that had died.",
                { $0.restarts }
            ),
        ]
        for (name, help, read) in counts {
            metrics.reading(
                name,
                help,
                .counter,
                labels: ["server"],
                rows { server, statistics in [MetricSample(read(statistics.counts), [server])] }
            )
        }
        metrics.reading(
            "gatehouse_child_exits_total",
            "Processes that ended, by how.",
            .counter,
            labels: ["server", "kind"],
            rows { name, statistics in
                zip(ProcessCounts.ExitKind.allCases, statistics.counts.exits).map {
                    MetricSample($1, [name, $0.rawValue])
                }
            }
        )
        metrics.reading(
            "gatehouse_server_messages_dropped_total",
            "Messages of servers that went nowhere, by reason.",
            .counter,
            labels: ["server", "reason"],
            rows { name, statistics in
                statistics.dropped.sorted { $0.key < $1.key }.map { MetricSample($0.value, [name, $0.key]) }
            }
        )
    }

    private static func registerRemotes(_ pipeline: Pipeline, in metrics: MetricsRegistry) {
        metrics.reading(
            "gatehouse_remote_away",
            "Whether a server elsewhere could not be reached when it was last asked.",
            labels: ["server"]
        ) { [unowned pipeline] in
            pipeline.registry.all.compactMap { backend in
                backend.statistics.remote.map { MetricSample($0.state == .away ? 1 : 0, [backend.name]) }
            }
        }
        let readings: [(String, String, Bool, (RemoteReport) -> Int)] = [
            ("gatehouse_remote_lines", "Lines to servers elsewhere.", false, { $0.lines.count }),
            (
                "gatehouse_remote_lines_opened_total", "Lines to servers elsewhere that were opened.", true,
                { $0.opened }
            ),
            (
                "gatehouse_remote_greeted_again_total", "Sessions that servers elsewhere have forgotten.",
                true,
                { $0.greetedAgain }
            ),
            (
                "gatehouse_remote_failures_total", "Requests to servers elsewhere that HTTP has failed.",
                true,
                { $0.failures }
            ),
        ]
        for (name, help, isCounter, read) in readings {
            metrics.reading(
                name,
                help,
                isCounter ? .counter : .gauge,
                labels: ["server"],
                rows(pipeline) { backend in
                    guard let remote = backend.statistics.remote else { return [] }
                    return [MetricSample(read(remote), [backend.name])]
                }
            )
        }
    }
}
