// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

extension URITemplate {
    /// Reads the pieces of a template (RFC 6570 §2).
    static func read(_ text: String) throws(URITemplateError) -> [Part] {
        var reader = Reader(bytes: Array(text.utf8))
        guard reader.bytes.count <= longest else {
            throw URITemplateError(position: longest, message: "it is longer than \(longest) bytes")
        }
        var parts: [Part] = []
        while let byte = reader.next {
            parts.append(
                byte == UInt8(ascii: "{") ? .expression(try reader.expression()) : try reader.literal()
            )
        }
        return parts
    }

    /// Goes through a template byte by byte.
    private struct Reader {
        let bytes: [UInt8]
        var index = 0

        var next: UInt8? { index < bytes.count ? bytes[index] : nil }

        func error(_ message: String) -> URITemplateError {
            URITemplateError(position: index, message: message)
        }

        /// Reads up to the next brace.
        mutating func literal() throws(URITemplateError) -> Part {
            var literal: [UInt8] = []
            while let byte = next, byte != UInt8(ascii: "{") {
                switch byte {
                case UInt8(ascii: "%"):
                    try triplet(into: &literal)
                    continue
                case UInt8(ascii: "}"): throw error("a closing brace without an opening one")
                case 0...0x20, 0x7F, UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"),
                    UInt8(ascii: "\\"), UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "|"):
                    throw error("a character that may not stand in a URI")
                default: PercentEncoding.append(byte, to: &literal, allowingReserved: true)
                }
                index += 1
            }
            return .literal(literal)
        }

        /// Reads `%` and two hexadecimal digits.
        private mutating func triplet(into output: inout [UInt8]) throws(URITemplateError) {
            guard index + 2 < bytes.count, Hex.value(bytes[index + 1]) != nil,
                Hex.value(bytes[index + 2]) != nil
            else { throw error("two hexadecimal digits must follow a percent sign") }
            output.append(contentsOf: bytes[index...index + 2])
            index += 3
        }

        /// Reads from a brace to its end.
        mutating func expression() throws(URITemplateError) -> Expression {
            let start = index
            index += 1
            guard let byte = next else { throw open(start) }
            var kind = Kind.simple
            if let named = Kind(rawValue: byte), named != .simple {
                kind = named
                index += 1
            }
            var variables = [try variable()]
            while next == UInt8(ascii: ",") {
                index += 1
                variables.append(try variable())
            }
            guard let end = next else { throw open(start) }
            guard end == UInt8(ascii: "}") else { throw error("this does not belong to a variable") }
            index += 1
            return Expression(kind: kind, variables: variables)
        }

        private func open(_ start: Int) -> URITemplateError {
            URITemplateError(position: start, message: "this expression has no end")
        }

        /// Reads a name and its modifier.
        private mutating func variable() throws(URITemplateError) -> Variable {
            let start = index
            var name: [UInt8] = []
            var mayEnd = false
            while let byte = next {
                if byte == UInt8(ascii: "%") {
                    try triplet(into: &name)
                } else if ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "_")
                    || byte == UInt8(ascii: ".") && mayEnd
                {
                    name.append(byte)
                    index += 1
                } else {
                    break
                }
                mayEnd = byte != UInt8(ascii: ".")
            }
            guard mayEnd else {
                throw error("a variable's name has letters, digits, \"_\", and dots between them")
            }
            var variable = Variable(
                name: String(decoding: name, as: UTF8.self),
                explodes: false,
                position: start
            )
            if next == UInt8(ascii: "*") {
                index += 1
                variable.explodes = true
            } else if next == UInt8(ascii: ":") {
                index += 1
                variable.prefix = try prefix()
            }
            return variable
        }

        /// Reads a length from 1 to 9999.
        private mutating func prefix() throws(URITemplateError) -> Int {
            var length = 0
            var digits = 0
            while let byte = next, ASCII.isDigit(byte), digits < 4, length > 0 || byte != UInt8(ascii: "0") {
                length = length * 10 + Int(byte - UInt8(ascii: "0"))
                digits += 1
                index += 1
            }
            guard digits > 0 else { throw error("the length of a prefix is a number from 1 to 9999") }
            return length
        }
    }
}
