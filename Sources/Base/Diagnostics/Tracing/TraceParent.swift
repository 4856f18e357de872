// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// Where a message stands in a trace (W3C Trace Context, "traceparent"): the trace, the span that sent it, the flags.
package struct TraceParent: Sendable, Equatable {
    /// The trace, 128 bits that are not all zero.
    package let traceHigh: UInt64
    /// The lower half of the trace.
    package let traceLow: UInt64
    /// The span, not zero.
    package let span: UInt64
    /// The flags that are known: sampled (1) and random (2).
    package let flags: UInt8

    /// The parts of a new one.
    package init(traceHigh: UInt64, traceLow: UInt64, span: UInt64, flags: UInt8) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        self.flags = flags & 3
    }

    /// Whether the span is recorded by who sent it.
    package var isSampled: Bool { flags & 1 != 0 }

    /// The length of a value of version 00.
    package static let length = 55

    /// Reads a value.
    ///
    /// Nil if it breaks a rule: anything but lower-case hexadecimal digits in the four fields, zeros only, version `ff`, or more
    /// than version 00 has. Of a later version the first four fields are read, as the specification asks.
    package init?(_ text: Span<UInt8>) {
        guard text.count >= Self.length, text[2] == UInt8(ascii: "-"), text[35] == UInt8(ascii: "-"),
            text[52] == UInt8(ascii: "-"),
            let version = Self.number(text, 0, 2), version != 0xFF,
            let high = Self.number(text, 3, 16), let low = Self.number(text, 19, 16),
            let span = Self.number(text, 36, 16), let flags = Self.number(text, 53, 2),
            high != 0 || low != 0, span != 0
        else { return nil }
        if text.count > Self.length {
            guard version > 0, text[Self.length] == UInt8(ascii: "-") else { return nil }
        }
        self.init(traceHigh: high, traceLow: low, span: span, flags: UInt8(truncatingIfNeeded: flags))
    }

    private static func number(_ text: Span<UInt8>, _ start: Int, _ count: Int) -> UInt64? {
        var number: UInt64 = 0
        for index in start..<start + count {
            let byte = text[index]
            guard let digit = Hex.value(byte), byte == ASCII.lowercased(byte) else { return nil }
            number = number << 4 | UInt64(digit)
        }
        return number
    }

    /// Appends the value, of version 00.
    package func append(to output: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: Self.length, alignment: 1) { text in
            store(in: text)
            output.append(contentsOf: text)
        }
    }

    /// Puts the value, of version 00, into memory of its `length` or more: it goes with every call that is traced.
    package func store(in text: UnsafeMutableRawBufferPointer) {
        text[0] = UInt8(ascii: "0")
        text[1] = UInt8(ascii: "0")
        text[2] = UInt8(ascii: "-")
        text.storeBytes(of: Hex.text(traceHigh), toByteOffset: 3, as: (UInt64, UInt64).self)
        text.storeBytes(of: Hex.text(traceLow), toByteOffset: 19, as: (UInt64, UInt64).self)
        text[35] = UInt8(ascii: "-")
        text.storeBytes(of: Hex.text(span), toByteOffset: 36, as: (UInt64, UInt64).self)
        text[52] = UInt8(ascii: "-")
        text[53] = UInt8(ascii: "0")
        text[54] = UInt8(ascii: "0") + flags
    }

    /// Appends the trace as 32 digits.
    package func appendTrace(to output: inout [UInt8]) {
        output.append(hex: traceHigh)
        output.append(hex: traceLow)
    }

    /// The trace as 32 digits.
    package var traceText: String {
        var output: [UInt8] = []
        appendTrace(to: &output)
        return String(decoding: output, as: UTF8.self)
    }
}
