// Gatehouse. SPDX-License-Identifier: MIT

/// Classes of bytes, decided without a table or a call into another module: the parsers ask for every byte.
enum HTTPBytes {
    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let colon = UInt8(ascii: ":")

    /// Whether the byte may stand in a token (RFC 9110 §5.6.2): one bit for each byte below 128.
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        let bits: UInt64 = byte & 0x40 == 0 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return byte < 0x80 && bits >> UInt64(byte & 0x3F) & 1 == 1
    }

    /// Whether the byte may stand in a field value: no control byte but tab; bytes from 128 are opaque (§5.5).
    @inline(__always)
    static func isValue(_ byte: UInt8) -> Bool {
        byte >= 0x20 ? byte != 0x7F : byte == tab
    }

    /// Which of eight bytes are control bytes: the lowest bit that is set is the high one of the first of them.
    @inline(__always)
    static func controls(_ bytes: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let deletions = bytes ^ (ones &* 0x7F)
        // What borrows could set wrongly stands above the first one.
        let found = (bytes &- ones &* 0x20) & ~bytes | (deletions &- ones) & ~deletions
        return found & (ones &* 0x80)
    }

    /// Whether the byte is white space within a line.
    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool {
        byte == space || byte == tab
    }

    /// Whether the byte may stand in a request target here: visible, and no fragment.
    @inline(__always)
    static func isTarget(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#")
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10
    }

    @inline(__always)
    static func isLetter(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26
    }
}

extension Span<UInt8> {
    /// Whether a part of the bytes is a lower-case text, where case does not matter.
    func equalsIgnoringCase(_ start: Int, _ end: Int, _ lowercase: StaticString) -> Bool {
        guard end - start == lowercase.utf8CodeUnitCount else { return false }
        return lowercase.withUTF8Buffer { letters in
            for index in 0..<letters.count {
                let byte = self[start + index]
                let lower = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
                if unsafe lower != letters[index] { return false }
            }
            return true
        }
    }

    /// Whether two parts are the same where the case of letters does not matter.
    func equalsIgnoringCase(_ first: Range<Int>, _ second: Range<Int>) -> Bool {
        guard first.count == second.count else { return false }
        for index in 0..<first.count {
            let left = self[first.lowerBound + index]
            let right = self[second.lowerBound + index]
            if left != right && !(HTTPBytes.isLetter(left) && left ^ right == 0x20) { return false }
        }
        return true
    }
}
