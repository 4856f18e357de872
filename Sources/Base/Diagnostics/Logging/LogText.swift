// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// Text of peers on its way into the log: cut, and with everything spelled out that a reader would not see or that would
/// steer a terminal.
package enum LogText {
    /// The longest text of a line, in characters (Unicode scalars).
    package static let limit = 4096

    /// A text without anything that could end a line or command a terminal, for people.
    package static func printable(_ text: String, limit: Int = LogText.limit) -> String {
        var output = String.UnicodeScalarView()
        for (count, scalar) in text.unicodeScalars.enumerated() {
            guard count < limit else {
                output.append("…")
                break
            }
            if isHidden(scalar) {
                output.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            } else {
                output.append(scalar)
            }
        }
        return String(output)
    }

    /// Appends a text as a JSON string; what is hidden is escaped in the words of JSON.
    static func appendJSON(_ text: String, limit: Int, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for (count, scalar) in text.unicodeScalars.enumerated() {
            guard count < limit else {
                output.append("…")
                break
            }
            switch scalar {
            case "\"": output.append(literal: "\\\"")
            case "\\": output.append(literal: "\\\\")
            case "\n": output.append(literal: "\\n")
            case "\t": output.append(literal: "\\t")
            case _ where isHidden(scalar):
                for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
                    output.append(literal: "\\u")
                    output.append(hex: [
                        UInt8(truncatingIfNeeded: unit >> 8), UInt8(truncatingIfNeeded: unit),
                    ])
                }
            default: output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    /// Control characters, line and paragraph separators, marks of writing direction, and what has no width.
    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0xAD, 0x061C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF,
            0xFFF9...0xFFFB, 0xE0000...0xE007F:
            true
        default: false
        }
    }
}
