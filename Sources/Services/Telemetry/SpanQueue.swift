// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// Spans that wait to be sent, in batches: which goes when, what is tried again, and what is dropped.
///
/// Pure; time is a parameter. It holds at most `limit` spans. One batch is on its way at a time; when it fails, it is tried
/// again after a time that doubles, and meanwhile new spans are dropped once the queue is full.
struct SpanQueue {
    /// Spans of one batch.
    static let batchLimit = 512
    /// Batches that wait.
    static let batches = 8
    /// Milliseconds that a span waits for others.
    static let patience: UInt64 = 5_000
    /// Milliseconds of the first wait after a failure, and of the longest.
    static let firstDelay: UInt64 = 1_000
    static let longestDelay: UInt64 = 60_000

    /// What came of a batch.
    enum Outcome {
        /// The collector has it.
        case accepted
        /// It may be accepted later.
        case later
        /// It will never be accepted.
        case refused
    }

    /// Spans as OTLP's text, between commas.
    struct Batch: Equatable {
        var text: [UInt8] = []
        var count = 0
    }

    private var open = Batch()
    private var openSince: UInt64 = 0
    /// Bytes of the last batch: the next is likely as large.
    private var lastSize = 0
    private var sealed: [Batch] = []
    private var sent: Batch?
    private var failures: UInt64 = 0
    private var notBefore: UInt64 = 0
    /// Spans that were lost: for want of room, or because the collector would not have them.
    private(set) var dropped = 0
    /// Spans that the collector has.
    private(set) var exported = 0
    /// Whether a batch is on its way.
    var isSending: Bool { sent != nil }
    /// Spans that wait or are on their way.
    var count: Int { open.count + sealed.reduce(0) { $0 + $1.count } + (sent?.count ?? 0) }

    /// Takes a span.
    ///
    /// - Parameters:
    ///   - span: The span.
    ///   - now: The time.
    ///   - attributes: Appends the attributes that are its own.
    /// - Returns: Whether a batch became full by it, so that it is time to look for one to send.
    mutating func add(
        _ span: FinishedSpan,
        at now: UInt64,
        attributes: (inout [UInt8]) -> Void = { _ in }
    ) -> Bool {
        guard sealed.count < Self.batches else {
            dropped += 1
            return false
        }
        if open.count == 0 {
            openSince = now
            open.text.reserveCapacity(lastSize)
        } else {
            open.text.append(UInt8(ascii: ","))
        }
        span.append(to: &open.text, attributes: attributes)
        open.count += 1
        guard open.count >= Self.batchLimit else { return false }
        seal()
        return true
    }

    private mutating func seal() {
        guard open.count > 0 else { return }
        lastSize = open.text.count
        sealed.append(open)
        open = Batch()
    }

    /// The batch to send now, if there is one.
    ///
    /// - Parameters:
    ///   - now: The time.
    ///   - isLast: Whether nothing is waited for any more.
    /// - Returns: The batch, which is on its way from now on.
    mutating func next(at now: UInt64, isLast: Bool = false) -> Batch? {
        guard sent == nil, isLast || now >= notBefore else { return nil }
        if isLast || (open.count > 0 && now >= openSince &+ Self.patience) { seal() }
        guard !sealed.isEmpty else { return nil }
        sent = sealed.removeFirst()
        return sent
    }

    /// The batch that was sent has come to its end.
    mutating func settle(_ outcome: Outcome, at now: UInt64) {
        guard let batch = sent else { return }
        sent = nil
        switch outcome {
        case .accepted:
            exported += batch.count
            failures = 0
            notBefore = 0
        case .refused:
            dropped += batch.count
            failures = 0
        case .later:
            sealed.insert(batch, at: 0)
            notBefore = now &+ min(Self.firstDelay << min(failures, 16), Self.longestDelay)
            failures += 1
        }
    }
}
