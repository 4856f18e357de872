// Gatehouse. SPDX-License-Identifier: MIT

/// Reads a JSON5 text (spec.json5.org, version 1.0.0) into a tree that knows where everything stood.
///
/// For files that people write. It reads the whole text or throws at the first character that does not fit. Stricter
/// than the specification where a mistake would otherwise pass in silence: a name given twice in an object, half of a
/// surrogate pair, and bytes that are not UTF-8 are refused.
package struct JSON5Reader {
    /// Bounds on what is read.
    package struct Limits: Sendable {
        /// Bytes of the text.
        package var size = 4_194_304
        /// Objects and arrays within one another.
        package var depth = 64

        /// The defaults.
        package init() {}
    }

    var cursor: JSON5Cursor
    private let limits: Limits

    /// Reads a text of UTF-8 bytes, with or without a byte order mark.
    package static func read(_ bytes: [UInt8], limits: Limits = Limits()) throws(JSON5Error) -> JSON5Value {
        guard bytes.count <= limits.size else {
            throw JSON5Error(
                position: JSON5Position(line: 1, column: 1),
                message: "the text is \(bytes.count) bytes long, more than the limit of \(limits.size)"
            )
        }
        var reader = JSON5Reader(cursor: try JSON5Cursor(bytes), limits: limits)
        return try reader.document()
    }

    private init(cursor: JSON5Cursor, limits: Limits) {
        self.cursor = cursor
        self.limits = limits
    }

    private mutating func document() throws(JSON5Error) -> JSON5Value {
        try cursor.skipBlanks()
        guard cursor.next != nil else { throw cursor.error("the text is empty") }
        let value = try value(depth: 0)
        try cursor.skipBlanks()
        guard cursor.next == nil else {
            throw cursor.error("\(cursor.nextInWords) after the end of the text")
        }
        return value
    }

    private mutating func value(depth: Int) throws(JSON5Error) -> JSON5Value {
        let start = cursor.position
        switch cursor.next {
        case "{":
            return JSON5Value(.object(try members(depth: depth + 1)), at: start)
        case "[":
            return JSON5Value(.array(try elements(depth: depth + 1)), at: start)
        case "\"", "'":
            return JSON5Value(.string(try string()), at: start)
        case let scalar? where JSON5Cursor.startsNumber(scalar):
            return JSON5Value(.number(try number()), at: start)
        case let scalar? where JSON5Cursor.startsIdentifier(scalar):
            return JSON5Value(try word(), at: start)
        default:
            throw cursor.error("expected a value, found \(cursor.nextInWords)")
        }
    }

    private mutating func word() throws(JSON5Error) -> JSON5Value.Content {
        let start = cursor.position
        let word = try identifier()
        switch word {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null": return .null
        case "Infinity", "NaN": return .number(JSON5Number(text: word))
        default:
            throw JSON5Error(
                position: start,
                message: "expected a value, found \(word.quoted); strings stand in quotes"
            )
        }
    }

    private mutating func enter(depth: Int) throws(JSON5Error) {
        guard depth <= limits.depth else {
            throw cursor.error("objects and arrays go deeper than the limit of \(limits.depth)")
        }
        cursor.advance()
        try cursor.skipBlanks()
    }

    private mutating func members(depth: Int) throws(JSON5Error) -> [JSON5Member] {
        let opening = cursor.position
        try enter(depth: depth)
        var members: [JSON5Member] = []
        var places: [String: JSON5Position] = [:]
        while cursor.next != "}" {
            let start = cursor.position
            let name = try memberName(opening)
            if let first = places.updateValue(start, forKey: name) {
                throw JSON5Error(
                    position: start,
                    message: "the name \(name.quoted) stands twice in this object, first at \(first)"
                )
            }
            try cursor.skipBlanks()
            guard cursor.take(":") else {
                throw cursor.error(
                    "expected \":\" after the name \(name.quoted), found \(cursor.nextInWords)"
                )
            }
            try cursor.skipBlanks()
            members.append(JSON5Member(name: name, position: start, value: try value(depth: depth)))
            try cursor.skipBlanks()
            guard try separator("}", opening, "object") else { break }
        }
        cursor.advance()
        return members
    }

    private mutating func elements(depth: Int) throws(JSON5Error) -> [JSON5Value] {
        let opening = cursor.position
        try enter(depth: depth)
        var elements: [JSON5Value] = []
        while cursor.next != "]" {
            if cursor.next == nil { throw unclosed("array", opening) }
            elements.append(try value(depth: depth))
            try cursor.skipBlanks()
            guard try separator("]", opening, "array") else { break }
        }
        cursor.advance()
        return elements
    }

    /// Takes a comma and what is blank after it; false if the end is next instead.
    private mutating func separator(
        _ end: Unicode.Scalar,
        _ opening: JSON5Position,
        _ what: String
    ) throws(JSON5Error) -> Bool {
        if cursor.next == end { return false }
        guard cursor.next != nil else { throw unclosed(what, opening) }
        guard cursor.take(",") else {
            throw cursor.error("expected \",\" or \"\(end)\", found \(cursor.nextInWords)")
        }
        try cursor.skipBlanks()
        return true
    }

    private func unclosed(_ what: String, _ opening: JSON5Position) -> JSON5Error {
        cursor.error("the text ends within the \(what) that begins at \(opening)")
    }

    private mutating func memberName(_ opening: JSON5Position) throws(JSON5Error) -> String {
        switch cursor.next {
        case nil: throw unclosed("object", opening)
        case "\"", "'": return try string()
        case let scalar? where JSON5Cursor.startsIdentifier(scalar): return try identifier()
        default: throw cursor.error("expected a name or \"}\", found \(cursor.nextInWords)")
        }
    }
}

extension String {
    /// The text in quotes for a message: control characters escaped, cut if it is long.
    package var quoted: String {
        var text = "\""
        for scalar in unicodeScalars.prefix(80) {
            if scalar == "\"" || scalar == "\\" { text += "\\" }
            if scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format {
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text + (unicodeScalars.count > 80 ? "…\"" : "\"")
    }
}
