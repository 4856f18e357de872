// Gatehouse. SPDX-License-Identifier: MIT

import Diagnostics
import JSONRPC
import MCPCore
import Telemetry

/// The calls of one kind: the same server, method, era and tool.
///
/// Its rows in the metrics are found once.
package final class CallSeries {
    let server: String
    let method: Method
    let era: Era
    /// The tool's name if the server listed it, else `other`; nothing where no tool is called.
    let tool: String
    /// The row of each outcome and fault; -1 for one that did not happen yet.
    private var rows: [Int]
    private let duration: Int
    /// What the spans of these calls have in common.
    private(set) lazy var shape = makeShape()

    private static let sources = 4

    init(_ server: String, _ method: Method, _ era: Era, tool: String, _ families: CallFamilies) {
        self.server = server
        self.method = method
        self.era = era
        self.tool = tool
        rows = Array(repeating: -1, count: CallOutcome.allCases.count * Self.sources)
        duration = families.durations.row(server, Self.label(method), era.rawValue)
    }

    /// Names and attributes are those of OpenTelemetry's conventions for MCP, where they have one.
    private func makeShape() -> SpanShape {
        let method = Self.label(method)
        var attributes: [(StaticString, String)] = [
            ("mcp.method.name", method), ("gatehouse.server", server), ("gatehouse.era", era.rawValue),
            ("network.transport", "tcp"), ("network.protocol.name", "http"),
        ]
        if !tool.isEmpty {
            attributes += [("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.name", tool)]
        }
        return SpanShape(tool.isEmpty ? method : "\(method) \(tool)", .server, attributes: attributes)
    }

    /// The value of the label `method`: a method that nobody here knows has a name of its client's making.
    static func label(_ method: Method) -> String {
        method == .other ? "other" : method.rawValue
    }

    func count(_ end: CallEnd, seconds: Double, in families: CallFamilies) {
        let place = end.outcome.rawValue * Self.sources + Self.index(end.source)
        if rows[place] < 0 {
            rows[place] = families.calls.row(
                server,
                tool,
                Self.label(method),
                era.rawValue,
                end.outcome.label,
                end.source?.rawValue ?? "none"
            )
        }
        families.calls.add(to: rows[place])
        families.durations.add(seconds, to: duration)
    }

    private static func index(_ source: FaultSource?) -> Int {
        switch source {
        case nil: 0
        case .client: 1
        case .upstream: 2
        case .gateway: 3
        }
    }
}

/// The families of metrics that calls are counted in.
final class CallFamilies {
    let calls: CounterFamily
    let durations: HistogramFamily

    init(_ registry: MetricsRegistry) {
        calls = registry.counters(
            "gatehouse_calls_total",
            "Calls that were answered or given up, by outcome and by whose fault it was.",
            labels: ["server", "tool", "method", "era", "outcome", "source"],
            limit: 5000
        )
        durations = registry.histograms(
            "gatehouse_call_duration_seconds",
            "From taking a call on to its end.",
            labels: ["server", "method", "era"]
        )
    }
}
