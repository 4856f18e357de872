// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// The two lists that travel with a trace, as far as a relay must judge them before it passes them on.
package enum TraceLists {
    /// The most bytes of `tracestate` that are passed on (W3C Trace Context, "tracestate Limits").
    package static let stateLimit = 512
    /// The most members of `tracestate`.
    package static let stateMembers = 32
    /// The most bytes of `baggage` (W3C Baggage, "Limits").
    package static let baggageLimit = 8192
    /// The most members of `baggage`.
    package static let baggageMembers = 64

    /// Whether a text is a `tracestate`: members `key=value` between commas, of the characters that each may have.
    package static func isState(_ text: Span<UInt8>) -> Bool {
        isList(text, limit: stateLimit, members: stateMembers) { member in
            guard let equals = member.firstIndex(of: UInt8(ascii: "=")) else { return false }
            let key = member[..<equals]
            let value = member[(equals + 1)...]
            guard (1...256).contains(key.count), (1...256).contains(value.count), value.last != 0x20,
                let first = key.first, isLower(first) || ASCII.isDigit(first)
            else { return false }
            return key.allSatisfy { isLower($0) || ASCII.isDigit($0) || isOneOf($0, "_-*/@") }
                && value.allSatisfy { (0x20...0x7E).contains($0) && !isOneOf($0, ",=") }
        }
    }

    /// Whether a text is a `baggage`: members `key=value;property` between commas, of the characters that each may have.
    package static func isBaggage(_ text: Span<UInt8>) -> Bool {
        isList(text, limit: baggageLimit, members: baggageMembers) { member in
            guard let equals = member.firstIndex(of: UInt8(ascii: "=")) else { return false }
            let key = trimmed(member[..<equals])
            return !key.isEmpty && key.allSatisfy(ASCII.isToken)
                && member[equals...].allSatisfy {
                    ($0 == 0x20 || $0 == 9 || (0x21...0x7E).contains($0)) && !isOneOf($0, "\"\\")
                }
        }
    }

    private static func isList(
        _ text: Span<UInt8>,
        limit: Int,
        members: Int,
        _ isMember: (ArraySlice<UInt8>) -> Bool
    ) -> Bool {
        guard (1...limit).contains(text.count) else { return false }
        var count = 0
        for part in [UInt8](text).split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let member = trimmed(part)
            // Empty members are allowed, and mean nothing.
            if member.isEmpty { continue }
            count += 1
            guard count <= members, isMember(member) else { return false }
        }
        return count > 0
    }

    /// Without white space at its ends.
    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text.drop { $0 == 0x20 || $0 == 9 }
        while let last = text.last, last == 0x20 || last == 9 { text.removeLast() }
        return text
    }

    private static func isLower(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func isOneOf(_ byte: UInt8, _ characters: StaticString) -> Bool {
        characters.withUTF8Buffer { $0.contains(byte) }
    }
}
