// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// Strings between their characters and their written form (RFC 8259 §7).
package enum JSONEscapes {
    /// The UTF-8 bytes of a string from its written contents, which a reader has validated.
    ///
    /// Nil if an escape of a surrogate has no partner.
    package static func decode(_ written: Span<UInt8>) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(written.count)
        var index = 0
        while index < written.count {
            let byte = written[index]
            guard byte == UInt8(ascii: "\\") else {
                output.append(byte)
                index += 1
                continue
            }
            guard index + 1 < written.count else { return nil }
            let escape = written[index + 1]
            index += 2
            switch escape {
            case UInt8(ascii: "b"): output.append(8)
            case UInt8(ascii: "t"): output.append(9)
            case UInt8(ascii: "n"): output.append(10)
            case UInt8(ascii: "f"): output.append(12)
            case UInt8(ascii: "r"): output.append(13)
            case UInt8(ascii: "u"):
                guard let unit = unit(written, at: index) else { return nil }
                index += 4
                var scalar = UInt32(unit)
                if unit & 0xFC00 == 0xD800 {
                    guard index + 6 <= written.count, written[index] == UInt8(ascii: "\\"),
                        written[index + 1] == UInt8(ascii: "u"), let low = self.unit(written, at: index + 2),
                        low & 0xFC00 == 0xDC00
                    else { return nil }
                    index += 6
                    scalar = 0x10000 + (UInt32(unit & 0x3FF) << 10) + UInt32(low & 0x3FF)
                }
                guard let scalar = Unicode.Scalar(scalar) else { return nil }
                output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            default: output.append(escape)
            }
        }
        return output
    }

    private static func unit(_ written: Span<UInt8>, at index: Int) -> UInt16? {
        guard index + 4 <= written.count else { return nil }
        var unit: UInt16 = 0
        for place in index..<index + 4 {
            guard let digit = Hex.value(written[place]) else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }
}

extension [UInt8] {
    /// Appends a string with its quotes, escaped where JSON asks for it.
    package mutating func append(json text: some Sequence<UInt8>) {
        append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""): append(literal: "\\\"")
            case UInt8(ascii: "\\"): append(literal: "\\\\")
            case 8: append(literal: "\\b")
            case 9: append(literal: "\\t")
            case 10: append(literal: "\\n")
            case 12: append(literal: "\\f")
            case 13: append(literal: "\\r")
            case 0..<0x20:
                append(literal: "\\u00")
                append(hex: CollectionOfOne(byte))
            default: append(byte)
            }
        }
        append(UInt8(ascii: "\""))
    }

    /// Appends a string with its quotes, escaped where JSON asks for it.
    package mutating func append(json text: String) {
        // Most texts have nothing to escape, and go in one piece.
        let bytes = text.utf8.span
        for index in bytes.indices {
            let byte = bytes[index]
            guard byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else {
                return append(json: text.utf8)
            }
        }
        append(UInt8(ascii: "\""))
        append(bytes)
        append(UInt8(ascii: "\""))
    }
}
