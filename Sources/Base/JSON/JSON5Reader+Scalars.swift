// Gatehouse. SPDX-License-Identifier: MIT

// Strings, numbers and names without quotes.

extension JSON5Reader {
    /// Reads a string in single or double quotes (JSON5 §5).
    mutating func string() throws(JSON5Error) -> String {
        let start = cursor.position
        let quote = cursor.next
        cursor.advance()
        var text = String.UnicodeScalarView()
        while cursor.next != quote {
            guard let scalar = cursor.next else {
                throw JSON5Error(position: start, message: "this string has no end")
            }
            if scalar == "\n" || scalar == "\r" {
                throw JSON5Error(position: start, message: "this string has no end on its line")
            }
            if scalar == "\\" {
                if let escaped = try escape() { text.append(escaped) }
            } else {
                text.append(scalar)
                cursor.advance()
            }
        }
        cursor.advance()
        return String(text)
    }

    /// Reads a backslash and what follows; nil for a line that goes on.
    private mutating func escape() throws(JSON5Error) -> Unicode.Scalar? {
        let start = cursor.position
        cursor.advance()
        guard let scalar = cursor.next else { throw cursor.error("the text ends after a backslash") }
        cursor.advance()
        switch scalar {
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{B}"
        case "0":
            if let next = cursor.next, ("0"..."9").contains(next) {
                throw JSON5Error(position: start, message: "octal escapes are not allowed")
            }
            return "\0"
        case "1"..."9": throw JSON5Error(position: start, message: "octal escapes are not allowed")
        case "x": return Unicode.Scalar(try hexDigits(2, start))
        case "u": return try unicodeEscape(start)
        case "\r":
            _ = cursor.take("\n")
            return nil
        case "\n", "\u{2028}", "\u{2029}": return nil
        default: return scalar
        }
    }

    /// Reads what follows `\u`, and the second half if it is half of a pair.
    private mutating func unicodeEscape(_ start: JSON5Position) throws(JSON5Error) -> Unicode.Scalar {
        let first = try hexDigits(4, start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        let half = JSON5Error(position: start, message: "half of a surrogate pair is not a character")
        guard first < 0xDC00, cursor.next == "\\", cursor.second == "u" else { throw half }
        cursor.advance()
        cursor.advance()
        let second = try hexDigits(4, start)
        guard (0xDC00...0xDFFF).contains(second) else { throw half }
        guard let scalar = Unicode.Scalar(0x10000 + (first & 0x3FF) << 10 + second & 0x3FF) else {
            throw half
        }
        return scalar
    }

    private mutating func hexDigits(_ count: Int, _ start: JSON5Position) throws(JSON5Error) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let scalar = cursor.next, scalar.isASCII, let digit = Character(scalar).hexDigitValue else {
                throw JSON5Error(
                    position: start,
                    message:
                        "expected \(count) hexadecimal digits in this escape, found \(cursor.nextInWords)"
                )
            }
            value = value << 4 | UInt32(digit)
            cursor.advance()
        }
        return value
    }

    /// Reads a name without quotes, or a word.
    mutating func identifier() throws(JSON5Error) -> String {
        var name = String.UnicodeScalarView()
        while let scalar = cursor.next, JSON5Cursor.continuesIdentifier(scalar) {
            let start = cursor.position
            guard scalar == "\\" else {
                name.append(scalar)
                cursor.advance()
                continue
            }
            cursor.advance()
            guard cursor.take("u") else {
                throw JSON5Error(
                    position: start,
                    message: "only \\u escapes may stand in a name without quotes"
                )
            }
            let escaped = try unicodeEscape(start)
            let fits =
                escaped != "\\"
                && (name.isEmpty
                    ? JSON5Cursor.startsIdentifier(escaped) : JSON5Cursor.continuesIdentifier(escaped))
            guard fits else {
                throw JSON5Error(position: start, message: "this character needs a name in quotes")
            }
            name.append(escaped)
        }
        return String(name)
    }

    /// Reads a number (JSON5 §6).
    mutating func number() throws(JSON5Error) -> JSON5Number {
        let start = cursor.position
        var text = String.UnicodeScalarView()
        if let sign = cursor.next, sign == "+" || sign == "-" { take(&text) }
        if let letter = cursor.next, letter == "I" || letter == "N" {
            let word = try identifier()
            guard word == "Infinity" || word == "NaN" else {
                throw JSON5Error(position: start, message: "expected a number, found \(word.quoted)")
            }
            return JSON5Number(text: String(text) + word)
        }
        if cursor.next == "0", cursor.second == "x" || cursor.second == "X" {
            take(&text)
            take(&text)
            guard digits(&text, { $0.isASCII && $0.properties.isHexDigit }) else {
                throw cursor.error("expected a hexadecimal digit, found \(cursor.nextInWords)")
            }
        } else {
            try decimal(&text, start)
        }
        if let scalar = cursor.next, JSON5Cursor.continuesIdentifier(scalar) {
            throw cursor.error("\(cursor.nextInWords) right after a number")
        }
        return JSON5Number(text: String(text))
    }

    private mutating func decimal(
        _ text: inout String.UnicodeScalarView,
        _ start: JSON5Position
    ) throws(JSON5Error) {
        let startsWithZero = cursor.next == "0"
        let before = text.count
        let hasInteger = digits(&text, isDigit)
        if startsWithZero, text.count - before > 1 {
            throw JSON5Error(
                position: start,
                message: "a number does not begin with more than one digit if that is 0"
            )
        }
        var hasFraction = false
        if cursor.next == "." {
            take(&text)
            hasFraction = digits(&text, isDigit)
        }
        guard hasInteger || hasFraction else {
            throw cursor.error("expected a digit, found \(cursor.nextInWords)")
        }
        guard cursor.next == "e" || cursor.next == "E" else { return }
        take(&text)
        if let sign = cursor.next, sign == "+" || sign == "-" { take(&text) }
        guard digits(&text, isDigit) else {
            throw cursor.error("expected a digit of the exponent, found \(cursor.nextInWords)")
        }
    }

    private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private mutating func take(_ text: inout String.UnicodeScalarView) {
        guard let scalar = cursor.next else { return }
        text.append(scalar)
        cursor.advance()
    }

    /// Takes characters as long as they fit; whether there was one.
    private mutating func digits(
        _ text: inout String.UnicodeScalarView,
        _ fits: (Unicode.Scalar) -> Bool
    ) -> Bool {
        var found = false
        while let scalar = cursor.next, fits(scalar) {
            take(&text)
            found = true
        }
        return found
    }
}
