// Gatehouse. SPDX-License-Identifier: MIT

import Glibc

// Security decisions compare bytes: `==` on `String` is canonical equivalence, so "é" composed equals "é" decomposed.

extension Span<UInt8> {
    /// Whether the bytes are those of a literal, to the letter.
    @inlinable
    package func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        // A literal lives for ever; the span ends with the closure.
        return text.withUTF8Buffer { unsafe equals(Span(_unsafeElements: $0)) }
    }

    /// Whether the bytes are the same, once these bits are set in each of the first.
    @inlinable
    package func equals(_ other: Span<UInt8>, setting bits: UInt8 = 0) -> Bool {
        guard count == other.count else { return false }
        // In words that may overlap: names are compared with literals in every message. No load leaves the bytes.
        guard count >= 4 else {
            for index in indices where self[index] | bits != other[index] { return false }
            return true
        }
        let (first, second) = (unsafe bytes, unsafe other.bytes)
        guard count >= 8 else {
            let set = UInt32(bits) &* 0x0101_0101
            return Self.word(first, 0, UInt32.self) | set == Self.word(second, 0, UInt32.self)
                && Self.word(first, count - 4, UInt32.self) | set == Self.word(second, count - 4, UInt32.self)
        }
        let set = UInt64(bits) &* 0x0101_0101_0101_0101
        var index = 0
        while index < count - 8 {
            guard
                Self.word(first, index, UInt64.self) | set == Self.word(second, index, UInt64.self)
            else { return false }
            index += 8
        }
        return Self.word(first, count - 8, UInt64.self) | set == Self.word(second, count - 8, UInt64.self)
    }

    /// The word at an offset, as it stands in memory; traps if not all of it lies within the bytes.
    @inlinable
    package static func word<Word: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: RawSpan,
        _ offset: Int,
        _ type: Word.Type
    ) -> Word {
        // Safe: the offset is checked, and a number may have any bits.
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: type)
    }

    /// The place of the first such byte at or after `start`.
    ///
    /// The C library's search looks at many bytes at once: a large message is searched for its end.
    package func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        let start = max(start, 0)
        guard start < count else { return nil }
        return unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = unsafe memchr(base + start, Int32(byte), bytes.count - start)
            else { return nil }
            return unsafe base.distance(to: UnsafeRawPointer(found))
        }
    }
}

extension Collection<UInt8> {
    /// Whether the bytes are those of a string, to the letter.
    @inlinable
    @_disfavoredOverload
    package func equals(_ text: String) -> Bool {
        elementsEqual(text.utf8)
    }

    /// Whether the bytes are those of a literal, to the letter.
    ///
    /// Apart from the one for a `String`, which passes the bytes one by one and costs several times as much.
    @inlinable
    package func equals(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && starts(with: text)
    }

    /// Whether the first bytes are those of a literal, to the letter.
    @inlinable
    package func starts(with text: StaticString) -> Bool {
        text.withUTF8Buffer { letters in
            let found = withContiguousStorageIfAvailable { bytes in
                guard bytes.count >= letters.count else { return false }
                let start = unsafe Span(_unsafeElements: bytes).extracting(0..<letters.count)
                return unsafe start.equals(Span(_unsafeElements: letters))
            }
            return unsafe found ?? starts(with: letters)
        }
    }

    /// Whether the bytes are those of an ASCII string in lower case, where case does not matter.
    @inlinable
    package func equalsIgnoringCase(_ lowercase: String) -> Bool {
        count == lowercase.utf8.count && zip(self, lowercase.utf8).allSatisfy { ASCII.lowercased($0) == $1 }
    }
}

extension String {
    /// Whether both have the same bytes.
    @inlinable
    package func hasSameBytes(as other: String) -> Bool {
        utf8.span.equals(other.utf8.span)
    }
}

/// Classes of ASCII bytes.
@usableFromInline
package enum ASCII {
    /// The byte in lower case, if it is an upper-case letter.
    @inlinable
    package static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    /// Whether the byte is a decimal digit.
    @inlinable
    package static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    /// Whether the byte is a letter.
    @inlinable
    package static func isLetter(_ byte: UInt8) -> Bool {
        let lower = byte | 0x20
        return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z")
    }

    /// Whether the byte may stand in a token (RFC 9110 §5.6.2): field names, methods.
    @inlinable
    package static func isToken(_ byte: UInt8) -> Bool {
        if isDigit(byte) || isLetter(byte) { return true }
        switch byte {
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            return true
        default: return false
        }
    }
}
