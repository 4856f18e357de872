// Gatehouse. SPDX-License-Identifier: MIT

import Crypto
package import Diagnostics

/// Gives calls their place in a trace, and decides which of them are recorded.
///
/// One loop's. Without an exporter nothing is recorded.
package final class Tracer {
    /// Where spans go.
    package let exporter: SpanExporter
    private let threshold: UInt64
    private var state: (UInt64, UInt64)

    /// Makes one.
    ///
    /// - Parameters:
    ///   - exporter: Where spans go.
    ///   - sampleRatio: Of how many traces that begin here one in all is recorded, 0 … 1.
    package init(_ exporter: SpanExporter, sampleRatio: Double) {
        self.exporter = exporter
        let share = min(max(sampleRatio, 0), 1)
        threshold = share >= 1 ? .max : UInt64(share * 18_446_744_073_709_549_568)
        let seed = SecureRandom.bytes(16)
        state = (Self.number(seed[..<8]), Self.number(seed[8...]))
    }

    /// The place of a new span: in the trace of its parent, recorded if that was; else in a trace of its own.
    package func place(in parent: TraceParent?) -> TraceParent {
        if let parent {
            return TraceParent(
                traceHigh: parent.traceHigh,
                traceLow: parent.traceLow,
                span: next(),
                flags: parent.flags
            )
        }
        let low = next()
        let isSampled = threshold == .max || low < threshold
        return TraceParent(traceHigh: next(), traceLow: low, span: next(), flags: isSampled ? 3 : 2)
    }

    /// A number that is not zero.
    ///
    /// xoroshiro128+: ids must differ, and need not be secret.
    private func next() -> UInt64 {
        while true {
            let result = state.0 &+ state.1
            let mixed = state.0 ^ state.1
            state.0 = (state.0 << 24 | state.0 >> 40) ^ mixed ^ (mixed << 16)
            state.1 = mixed << 37 | mixed >> 27
            if result != 0 { return result }
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) } | 1
    }
}
