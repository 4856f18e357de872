// Gatehouse. SPDX-License-Identifier: MIT

import Diagnostics
import JSON
import Testing

@testable import Telemetry

@Suite struct SpanQueueTests {
    private static let shape = SpanShape(
        "tools/call echo",
        .server,
        attributes: [("mcp.method.name", "tools/call")]
    )

    private func span(_ number: UInt64) -> FinishedSpan {
        let place = TraceParent(traceHigh: 1, traceLow: 2, span: number, flags: 1)
        return FinishedSpan(place, parent: nil, Self.shape, start: 10, end: 20)
    }

    private func filled(_ count: Int, at now: UInt64 = 0) -> SpanQueue {
        var queue = SpanQueue()
        for number in 0..<count { _ = queue.add(span(UInt64(number) + 1), at: now) }
        return queue
    }

    @Test func `spans wait for others up to five seconds`() {
        var queue = filled(3, at: 100)
        #expect(queue.next(at: 5_099) == nil)
        #expect(queue.next(at: 5_100)?.count == 3)
        #expect(queue.next(at: 60_000) == nil)
    }

    @Test func `a full batch goes at once`() {
        var queue = filled(511)
        #expect(queue.next(at: 0) == nil)
        let isFull = queue.add(span(512), at: 0)
        #expect(isFull)
        #expect(queue.next(at: 0)?.count == 512)
    }

    @Test func `one batch is on its way at a time`() {
        var queue = filled(1_024)
        #expect(queue.next(at: 0) != nil)
        #expect(queue.next(at: 0) == nil)
        queue.settle(.accepted, at: 0)
        #expect(queue.exported == 512)
        #expect(queue.next(at: 0) != nil)
    }

    @Test func `what fails is tried again, later each time`() {
        var queue = filled(512)
        var now: UInt64 = 0
        let first = queue.next(at: now)
        for delay in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] as [UInt64] {
            queue.settle(.later, at: now)
            #expect(queue.next(at: now + delay - 1) == nil)
            now += delay
            #expect(queue.next(at: now) == first)
        }
        queue.settle(.accepted, at: now)
        #expect(queue.count == 0)
        #expect(queue.dropped == 0)
    }

    @Test func `what is refused is lost and counted`() {
        var queue = filled(512)
        _ = queue.next(at: 0)
        queue.settle(.refused, at: 0)
        #expect(queue.dropped == 512)
        #expect(queue.count == 0)
    }

    @Test func `what finds no room is lost and counted`() {
        let queue = filled(5_000)
        #expect(queue.count == 4_096)
        #expect(queue.dropped == 904)
    }

    @Test func `at the end nothing is waited for`() {
        var queue = filled(600)
        #expect(queue.next(at: 0, isLast: true)?.count == 512)
        queue.settle(.later, at: 0)
        #expect(queue.next(at: 0, isLast: true)?.count == 512)
        queue.settle(.accepted, at: 0)
        #expect(queue.next(at: 0, isLast: true)?.count == 88)
    }

    @Test func `a batch is the elements of an array of JSON`() throws {
        var queue = SpanQueue()
        var first = span(7)
        first.parent = 0xAB
        first.failure = "why"
        _ = queue.add(first, at: 0) { SpanShape.append("outcome", "a \"quoted\"\nword", to: &$0) }
        _ = queue.add(span(8), at: 0)
        let next = queue.next(at: 5_000)
        let batch = try #require(next)
        let text = Array("[".utf8) + batch.text + Array("]".utf8)
        let spans = try #require(try JSONValue(text.span).array)
        #expect(spans.count == 2)
        #expect(spans.first?["traceId"]?.string == "00000000000000010000000000000002")
        #expect(spans.first?["spanId"]?.string == "0000000000000007")
        #expect(spans.first?["parentSpanId"]?.string == "00000000000000ab")
        #expect(spans.first?["kind"]?.integer == 2)
        #expect(spans.first?["startTimeUnixNano"]?.string == "10")
        #expect(spans.first?["status"]?["code"]?.integer == 2)
        let attributes = spans.first?["attributes"]?.array
        #expect(attributes?.count == 2)
        #expect(attributes?.last?["value"]?["stringValue"]?.string == "a \"quoted\"\nword")
        #expect(spans.last?["parentSpanId"] == nil)
        #expect(spans.last?["status"] == nil)
    }

    @Test func `a text is cut by bytes, however few characters it has`() {
        var text: [UInt8] = []
        SpanShape.append("id", "a" + String(repeating: "\u{301}", count: 100_000), to: &text)
        #expect(text.count < 1000)
    }
}
