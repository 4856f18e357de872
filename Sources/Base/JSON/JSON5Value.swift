// Gatehouse. SPDX-License-Identifier: MIT

/// A place in a text: line and column from 1, the column in characters (Unicode scalars).
package struct JSON5Position: Sendable, Hashable, CustomStringConvertible {
    /// The line, from 1.
    ///
    /// LF, CR, CRLF and U+2028/2029 end one.
    package var line: Int
    /// The column, from 1.
    package var column: Int

    /// The place of a line and a column.
    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// `line:column`.
    package var description: String { "\(line):\(column)" }
}

/// A value of a JSON5 text, and where it stood.
package struct JSON5Value: Sendable, Equatable {
    /// What a value can be.
    package enum Content: Sendable, Equatable {
        /// Members in the order of the text, no name twice.
        case object([JSON5Member])
        /// Elements in the order of the text.
        case array([JSON5Value])
        /// Text with its escapes undone.
        case string(String)
        /// A number, as written.
        case number(JSON5Number)
        /// `true` or `false`.
        case bool(Bool)
        /// `null`.
        case null
    }

    /// What it is.
    package var content: Content
    /// Where its first character stood.
    package var position: JSON5Position

    /// A value at a place.
    package init(_ content: Content, at position: JSON5Position) {
        self.content = content
        self.position = position
    }

    /// What people call this kind of value, with an article.
    package var kind: String {
        switch content {
        case .object: "an object"
        case .array: "an array"
        case .string: "a string"
        case .number: "a number"
        case .bool(let value): value ? "true" : "false"
        case .null: "null"
        }
    }

    /// The value of a member of an object; nil if there is none or this is not an object.
    package subscript(name: String) -> JSON5Value? {
        guard case .object(let members) = content else { return nil }
        return members.first { $0.name == name }?.value
    }
}

/// A member of an object.
package struct JSON5Member: Sendable, Equatable {
    /// Its name with escapes undone.
    package var name: String
    /// Where the name's first character stood.
    package var position: JSON5Position
    /// Its value.
    package var value: JSON5Value
}

/// A number of a JSON5 text.
///
/// It keeps its text, so that nothing is lost before someone asks for a type.
package struct JSON5Number: Sendable, Equatable {
    /// The number as written, with its sign: `8080`, `0x1F`, `.5`, `+1e3`, `-Infinity`.
    package var text: String

    /// A number of a text that follows JSON5's grammar.
    package init(text: String) {
        self.text = text
    }

    /// The value as an integer; nil if it has a fraction or does not fit.
    ///
    /// `1e3` and `5.0` are integers.
    package var int: Int? {
        if let hex = hexDigits { return Int((isNegative ? "-" : "") + hex, radix: 16) }
        if let exact = Int(text) { return exact }
        return Int(exactly: double)
    }

    /// The nearest double; a number beyond its range is infinite.
    package var double: Double {
        var magnitude: Double
        if let hex = hexDigits {
            magnitude = hex.utf8.reduce(0) {
                $0 * 16 + Double(Character(Unicode.Scalar($1)).hexDigitValue ?? 0)
            }
        } else {
            magnitude = decimal(of: unsigned)
        }
        if isNegative { magnitude.negate() }
        return magnitude
    }

    private var isNegative: Bool { text.hasPrefix("-") }

    private var unsigned: Substring { text.first == "-" || text.first == "+" ? text.dropFirst() : text[...] }

    private var hexDigits: Substring? {
        unsigned.hasPrefix("0x") || unsigned.hasPrefix("0X") ? unsigned.dropFirst(2) : nil
    }

    private func decimal(of digits: Substring) -> Double {
        if digits == "Infinity" { return .infinity }
        // `Double` wants digits on both sides of a point; JSON5 does not.
        var text = digits.hasPrefix(".") ? "0" + digits : String(digits)
        if let point = text.firstIndex(of: ".") {
            let next = text.index(after: point)
            if next == text.endIndex || !("0"..."9").contains(text[next]) { text.insert("0", at: next) }
        }
        return Double(text) ?? .nan
    }
}
