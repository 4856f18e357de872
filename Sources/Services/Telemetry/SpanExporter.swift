// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import Diagnostics
import Egress
package import EventLoop
import HTTPClient
import JSON

/// Sends spans to a collector: OTLP over HTTP, as JSON (OTLP specification, "OTLP/HTTP").
///
/// It starts with nothing to send. Spans wait for others up to five seconds, and are dropped and counted when the collector does
/// not keep up. It ends with `drain`, which sends what waits for as long as the deadline allows. One loop's.
package final class SpanExporter {
    private let loop: EventLoop
    private let client: HTTPClient
    private let endpoint: String
    private let fields: [HTTPField]
    private let head: [UInt8]
    private let log: Log
    private var queue = SpanQueue()
    private var timer: LoopTimer?
    private var onDrained: (() -> Void)?
    private var deadline: LoopTimer?
    private var isFailing = false

    /// Milliseconds that a collector may take for a batch.
    private static let patience = 10_000

    /// Makes one.
    ///
    /// - Parameters:
    ///   - endpoint: The collector's URL, whole.
    ///   - headers: Fields of every request.
    ///   - serviceName: The name under which this program appears.
    ///   - version: Its version.
    ///   - loop: Where it lives; this must be its thread.
    ///   - log: Where it says that spans are lost.
    /// - Throws: Why nothing can be sent at all.
    package init(
        endpoint: String,
        headers: [(name: String, value: String)],
        serviceName: String,
        version: String,
        on loop: EventLoop,
        log: Log
    ) throws(SpanExportFailure) {
        self.loop = loop
        self.endpoint = endpoint
        self.log = log.of(.tracing)
        fields =
            [HTTPField("Content-Type", "application/json")] + headers.map { HTTPField($0.name, $0.value) }
        let rules: EgressRules
        do throws(EgressRefusal) {
            // The collector is the operator's own word, wherever it is: it, and nothing else of its host.
            rules = try EgressRules(service: endpoint)
        } catch {
            throw SpanExportFailure(description: error.description)
        }
        do throws(HTTPClientFailure) {
            client = try HTTPClient(loop, egress: rules)
        } catch {
            throw SpanExportFailure(description: error.description)
        }
        head = Self.head(serviceName, version)
        timer = LoopTimer(loop) { [weak self] in self?.send() }
        timer?.repeat(every: 1_000)
    }

    /// How many spans wait.
    package var waiting: Int { queue.count }
    /// How many were lost.
    package var dropped: Int { queue.dropped }
    /// How many the collector has.
    package var exported: Int { queue.exported }

    /// Takes a span; `attributes` appends those that are its own, by `SpanShape.append`.
    package func add(_ span: FinishedSpan, attributes: (inout [UInt8]) -> Void = { _ in }) {
        if queue.add(span, at: loop.now, attributes: attributes) {
            loop.onNextTurn { [weak self] in self?.send() }
        }
    }

    /// Sends what waits, and calls back when all of it is gone or the time is up; nothing is sent after that.
    package func drain(within milliseconds: UInt64, _ completion: @escaping () -> Void) {
        onDrained = completion
        deadline = LoopTimer(loop) { [weak self] in self?.finish() }
        deadline?.schedule(after: milliseconds)
        send()
        finishIfEmpty()
    }

    private func finishIfEmpty() {
        if onDrained != nil, queue.count == 0 { finish() }
    }

    private func finish() {
        timer?.close()
        deadline?.close()
        client.close()
        let completion = onDrained.take()
        completion?()
    }

    private func send() {
        guard let batch = queue.next(at: loop.now, isLast: onDrained != nil) else { return }
        var body = head
        body.reserveCapacity(head.count + batch.text.count + 8)
        body.append(contentsOf: batch.text)
        body.append(literal: "]}]}]}")
        var request = HTTPRequest(method: "POST", url: endpoint, fields: fields, body: body)
        request.totalTimeout = Self.patience
        do {
            try client.start(request, delegate: Delivery { [weak self] in self?.ended($0, $1) })
        } catch {
            loop.onNextTurn { [weak self] in self?.ended(.refused, error.description) }
        }
    }

    private func ended(_ outcome: SpanQueue.Outcome, _ reason: String) {
        queue.settle(outcome, at: loop.now)
        if outcome == .accepted {
            if isFailing { log.info("the collector takes spans again") }
            isFailing = false
        } else if !isFailing {
            isFailing = true
            log.warning("spans cannot be delivered: \(reason)")
        }
        // A collector that fails at the end gets no second chance.
        if onDrained != nil, outcome != .accepted { return finish() }
        send()
        finishIfEmpty()
    }

    /// Everything before the first span.
    private static func head(_ serviceName: String, _ version: String) -> [UInt8] {
        var head: [UInt8] = []
        head.append(literal: "{\"resourceSpans\":[{\"resource\":{\"attributes\":[")
        SpanShape.append("service.name", serviceName, to: &head)
        SpanShape.append("service.version", version, to: &head)
        head.append(literal: "]},\"scopeSpans\":[{\"scope\":{\"name\":\"gatehouse\",\"version\":")
        head.append(json: version)
        head.append(literal: "},\"spans\":[")
        return head
    }
}

/// Why spans cannot be sent at all.
package struct SpanExportFailure: Error, Sendable, CustomStringConvertible {
    /// The reason in words.
    package let description: String
}

/// One batch on its way.
private final class Delivery: HTTPResponseDelegate {
    private let done: (SpanQueue.Outcome, String) -> Void
    private var status = 0

    init(_ done: @escaping (SpanQueue.Outcome, String) -> Void) {
        self.done = done
    }

    func responseBegan(_ response: HTTPResponse, of transfer: HTTPTransfer) {
        status = response.status
    }

    func responseReceived(_ bytes: Span<UInt8>, of transfer: HTTPTransfer) {}

    func responseEnded(_ failure: HTTPClientFailure?, of transfer: HTTPTransfer) {
        if let failure { return done(failure.kind == .badRequest ? .refused : .later, failure.description) }
        switch status {
        case 200..<300: done(.accepted, "")
        // What the specification calls retryable.
        case 429, 502, 503, 504: done(.later, "status \(status)")
        default: done(.refused, "status \(status)")
        }
    }
}
