// Gatehouse. SPDX-License-Identifier: MIT

/// Goes through a text character by character and knows its place.
struct JSON5Cursor {
    private let text: [Unicode.Scalar]
    private var index = 0
    private(set) var position = JSON5Position(line: 1, column: 1)

    /// Starts before the first character; a byte order mark is none.
    init(_ bytes: [UInt8]) throws(JSON5Error) {
        guard let whole = String(validating: bytes, as: UTF8.self) else { throw Self.notUTF8(bytes) }
        text = Array(whole.unicodeScalars)
        if text.first == "\u{FEFF}" { index = 1 }
    }

    /// The character that is next; nil at the end.
    var next: Unicode.Scalar? { index < text.count ? text[index] : nil }

    /// The one after it.
    var second: Unicode.Scalar? { index + 1 < text.count ? text[index + 1] : nil }

    /// What is next, as a message names it.
    var nextInWords: String {
        switch next {
        case nil: "the end of the text"
        case "\n", "\r", "\u{2028}", "\u{2029}": "the end of the line"
        case "\"": "a quotation mark"
        case let scalar?: String(scalar).quoted
        }
    }

    /// Goes one character on; CRLF counts as one line's end.
    mutating func advance() {
        guard let scalar = next else { return }
        index += 1
        let endsLine =
            switch scalar {
            case "\n", "\u{2028}", "\u{2029}": true
            case "\r": next != "\n"
            default: false
            }
        if endsLine {
            position = JSON5Position(line: position.line + 1, column: 1)
        } else {
            position.column += 1
        }
    }

    /// Goes on if this character is next.
    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        advance()
        return true
    }

    /// An error at this place.
    func error(_ message: String) -> JSON5Error {
        JSON5Error(position: position, message: message)
    }

    /// Skips white space and comments.
    mutating func skipBlanks() throws(JSON5Error) {
        while let scalar = next {
            if Self.isBlank(scalar) {
                advance()
            } else if scalar == "/" {
                try skipComment()
            } else {
                return
            }
        }
    }

    private mutating func skipComment() throws(JSON5Error) {
        let start = position
        switch second {
        case "/":
            while let scalar = next, !Self.endsLine(scalar) { advance() }
        case "*":
            advance()
            advance()
            while !(next == "*" && second == "/") {
                guard next != nil else {
                    throw JSON5Error(position: start, message: "this comment has no end")
                }
                advance()
            }
            advance()
            advance()
        default:
            throw error("expected a comment after \"/\"")
        }
    }

    /// Whether a character ends a line.
    static func endsLine(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\n" || scalar == "\r" || scalar == "\u{2028}" || scalar == "\u{2029}"
    }

    /// Whether a character is white space (JSON5 §8).
    static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\t", "\n", "\u{B}", "\u{C}", "\r", " ", "\u{A0}", "\u{FEFF}", "\u{2028}", "\u{2029}": true
        default: !scalar.isASCII && scalar.properties.generalCategory == .spaceSeparator
        }
    }

    /// Whether a number may begin with this character; words are looked at elsewhere.
    static func startsNumber(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "0"..."9", "+", "-", ".": true
        default: false
        }
    }

    /// Whether a name without quotes may begin with this character (ECMAScript 5.1 §7.6).
    static func startsIdentifier(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "$", "_", "\\": true
        default: !scalar.isASCII && scalar.properties.isIDStart
        }
    }

    /// Whether a name without quotes may go on with this character.
    static func continuesIdentifier(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "0"..."9", "\u{200C}", "\u{200D}": true
        default: startsIdentifier(scalar) || !scalar.isASCII && scalar.properties.isIDContinue
        }
    }

    private static func notUTF8(_ bytes: [UInt8]) -> JSON5Error {
        var position = JSON5Position(line: 1, column: 1)
        var codec = UTF8()
        var rest = bytes.makeIterator()
        while case .scalarValue(let scalar) = codec.decode(&rest) {
            if scalar == "\n" {
                position = JSON5Position(line: position.line + 1, column: 1)
            } else {
                position.column += 1
            }
        }
        let isUTF16 = bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
        return JSON5Error(
            position: position,
            message: isUTF16 ? "the text is UTF-16; save it as UTF-8" : "a byte that is not UTF-8"
        )
    }
}
