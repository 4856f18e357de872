// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// Percent-encoding (RFC 3986 §2.1).
enum PercentEncoding {
    /// Whether a byte stands for itself everywhere (RFC 3986 §2.3).
    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: ASCII.isLetter(byte) || ASCII.isDigit(byte)
        }
    }

    /// Whether a byte may divide parts of a URI (RFC 3986 §2.2).
    static func isReserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "["),
            UInt8(ascii: "]"), UInt8(ascii: "@"), UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"),
            UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="):
            true
        default: false
        }
    }

    /// Appends a byte, encoded unless it may stand as it is.
    static func append(_ byte: UInt8, to output: inout [UInt8], allowingReserved: Bool) {
        if isUnreserved(byte) || allowingReserved && isReserved(byte) { return output.append(byte) }
        output.append(UInt8(ascii: "%"))
        output.append(digit(byte >> 4))
        output.append(digit(byte & 15))
    }

    /// Appends text; where reserved characters may stand, so may what is encoded already.
    static func append(_ text: some StringProtocol, to output: inout [UInt8], allowingReserved: Bool) {
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            if allowingReserved, isTriplet(bytes, at: index) {
                output.append(contentsOf: bytes[index...index + 2])
                index += 3
            } else {
                append(bytes[index], to: &output, allowingReserved: allowingReserved)
                index += 1
            }
        }
    }

    /// The bytes of a URI with what is beyond ASCII encoded and digits in upper case; nil if a percent sign is alone.
    static func normalized(_ uri: String) -> [UInt8]? {
        let bytes = Array(uri.utf8)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%") {
                guard isTriplet(bytes, at: index), let high = Hex.value(bytes[index + 1]),
                    let low = Hex.value(bytes[index + 2])
                else { return nil }
                output.append(contentsOf: [byte, digit(high), digit(low)])
                index += 3
            } else {
                append(byte, to: &output, allowingReserved: true)
                index += 1
            }
        }
        return output
    }

    /// Text with its encoded bytes decoded; nil if that is not UTF-8.
    static func decoded(_ bytes: some Collection<UInt8>) -> String? {
        var output: [UInt8] = []
        var rest = bytes.makeIterator()
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "%") else {
                output.append(byte)
                continue
            }
            guard let high = rest.next().flatMap(Hex.value), let low = rest.next().flatMap(Hex.value) else {
                return nil
            }
            output.append(high << 4 | low)
        }
        return String(validating: output, as: UTF8.self)
    }

    private static func isTriplet(_ bytes: [UInt8], at index: Int) -> Bool {
        index + 2 < bytes.count && bytes[index] == UInt8(ascii: "%") && Hex.value(bytes[index + 1]) != nil
            && Hex.value(bytes[index + 2]) != nil
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}
