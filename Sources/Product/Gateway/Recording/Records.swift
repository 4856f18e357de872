// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import Diagnostics
import Glibc
package import HTTPWire
package import JSONRPC
package import MCPCore
package import Sessions
package import Telemetry

/// The record of what passed: every call is opened and closed here, and nowhere else.
///
/// Metrics and lines of the log come from these two events, for all frontends. One loop's.
package final class Records {
    /// What is counted.
    package let metrics: MetricsRegistry
    private let families: CallFamilies
    private let messages: CounterFamily
    private let messageRow: Int
    private let refusals: CounterFamily
    private var servers: [String: ServerCalls] = [:]
    /// How many calls are open.
    package private(set) var openCalls = 0
    private let log: Log
    private let tracer: Tracer?

    /// Starts at zero.
    ///
    /// - Parameters:
    ///   - log: Where a line is written for each call.
    ///   - metrics: Where it is counted.
    ///   - tracer: What makes a span of it; nil for none.
    package init(log: Log, metrics: MetricsRegistry = MetricsRegistry(), tracer: Tracer? = nil) {
        self.log = log.of(.calls)
        self.tracer = tracer
        self.metrics = metrics
        families = CallFamilies(metrics)
        messages = metrics.counters("gatehouse_messages_total", "Messages of clients that were let in.")
        messageRow = messages.row()
        refusals = metrics.counters(
            "gatehouse_refusals_total",
            "Requests that were refused before they reached a server, by HTTP status.",
            labels: ["status"],
            limit: 64
        )
        if let exporter = tracer?.exporter { Self.register(exporter, in: metrics) }
        // Not weak, here and in all readings: an object that is referred to weakly is slower to hold on to, on every call.
        metrics.reading("gatehouse_calls_open", "Calls that wait for an answer.") { [unowned self] in
            [MetricSample(self.openCalls)]
        }
    }

    func noteMessage() {
        messages.add(to: messageRow)
    }

    /// A request was refused.
    package func noteRefusal(_ status: Int, _ reason: String) {
        refusals.add(String(status))
        log.debug("refused with \(status): \(reason)")
    }

    /// Something that no client waits for as a call has failed.
    package func noteFailure(_ failure: Failure, server: String, method: String) {
        log.info("\(server) \(method) failed (\(failure.source.rawValue)): \(failure.message)")
    }

    /// A server has listed these tools: calls of them are counted apart; `tools` is the array of them.
    package func learnTools(_ tools: Span<UInt8>, of server: String) {
        calls(of: server).learn(tools)
    }

    /// Takes a call on.
    ///
    /// - Parameters:
    ///   - message: The request.
    ///   - bytes: Its text.
    ///   - server: The name of the server that it is for.
    ///   - era: The era of its client.
    ///   - session: The session that it belongs to.
    ///   - head: The head of the request that it came in.
    /// - Returns: What `close` takes.
    package func open(
        _ message: Message,
        _ bytes: Span<UInt8>,
        server: String,
        era: Era,
        session: Session?,
        head: HTTPRequestHead?
    ) -> OpenCall {
        openCalls += 1
        let series = calls(of: server).series(message, bytes, era)
        let trace = CallTrace.of(message, bytes, head, tracer)
        return OpenCall(series: series, started: Self.now, session: session, trace: trace)
    }

    /// Ends a call.
    ///
    /// - Parameters:
    ///   - call: What `open` gave.
    ///   - end: How it ended.
    ///   - id: The client's id for it, for the log.
    package func close(_ call: OpenCall, _ end: CallEnd, id: @autoclosure () -> String) {
        openCalls -= 1
        let nanoseconds = Self.now &- call.started
        let seconds = Double(nanoseconds) / 1e9
        call.series.count(end, seconds: seconds, in: families)
        if let tracer, let trace = call.trace, let own = trace.own, own.isSampled {
            Self.addSpan(call, trace, own, end, nanoseconds, id(), to: tracer.exporter)
        }
        if let failure = end.failure {
            log.info(
                "\(call.series.server) \(call.series.method.rawValue) failed (\(failure.source.rawValue)): \(failure.message)",
                Self.fields(call, end, seconds, id())
            )
        } else {
            log.debug(
                "\(call.series.server) \(call.series.method.rawValue) ended: \(end.outcome.label)",
                Self.fields(call, end, seconds, id())
            )
        }
    }

    private static func addSpan(
        _ call: OpenCall,
        _ trace: CallTrace,
        _ own: TraceParent,
        _ end: CallEnd,
        _ nanoseconds: UInt64,
        _ id: String,
        to exporter: SpanExporter
    ) {
        let now = WallClock.now
        var span = FinishedSpan(
            own,
            parent: trace.parent?.span,
            call.series.shape,
            start: now &- nanoseconds,
            end: now
        )
        if end.source != nil, end.outcome != .cancelled {
            span.failure = end.failure?.message ?? end.outcome.label
        }
        exporter.add(span) { output in
            SpanShape.append("gatehouse.outcome", end.outcome.label, to: &output)
            if !id.isEmpty { SpanShape.append("jsonrpc.request.id", id, to: &output) }
            if let session = call.session {
                SpanShape.append("gatehouse.session", session.digest, to: &output)
            }
            if let code = end.code { SpanShape.append("rpc.response.status_code", String(code), to: &output) }
            guard let source = end.source else { return }
            SpanShape.append("gatehouse.source", source.rawValue, to: &output)
            SpanShape.append("error.type", end.code.map { String($0) } ?? end.outcome.label, to: &output)
        }
    }

    private static func register(_ exporter: SpanExporter, in metrics: MetricsRegistry) {
        metrics.reading("gatehouse_spans_exported_total", "Spans that the collector has taken.", .counter) {
            [MetricSample(exporter.exported)]
        }
        metrics.reading("gatehouse_spans_dropped_total", "Spans that were lost.", .counter) {
            [MetricSample(exporter.dropped)]
        }
        metrics.reading("gatehouse_spans_waiting", "Spans that wait to be sent.") {
            [MetricSample(exporter.waiting)]
        }
    }

    private static func fields(
        _ call: OpenCall,
        _ end: CallEnd,
        _ seconds: Double,
        _ id: String
    ) -> [LogField] {
        let series = call.series
        var fields = [
            LogField("server", series.server), LogField("method", CallSeries.label(series.method)),
            LogField("era", series.era.rawValue), LogField("outcome", end.outcome.label),
        ]
        if !series.tool.isEmpty { fields.append(LogField("tool", series.tool)) }
        if let source = end.source { fields.append(LogField("source", source.rawValue)) }
        if let code = end.code { fields.append(LogField("code", String(code))) }
        if let session = call.session { fields.append(LogField("session", session.digest)) }
        if let trace = call.trace?.outgoing { fields.append(LogField("trace", trace.traceText)) }
        fields.append(LogField("call", id))
        fields.append(LogField("milliseconds", String(Int(seconds * 1e3))))
        return fields
    }

    private func calls(of server: String) -> ServerCalls {
        if let known = servers[server] { return known }
        let made = ServerCalls(server, families)
        servers[server] = made
        return made
    }

    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }
}
