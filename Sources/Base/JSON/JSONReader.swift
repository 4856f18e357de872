// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// A cursor over a JSON text (RFC 8259) that validates every byte it passes and decodes nothing.
///
/// It starts before a value; `skipValue` passes a value whole, `object` and `next` walk the members of one. It ends
/// with `finish`, which refuses anything but white space after the value. What it passed is valid: grammar, UTF-8
/// and depth. It never recurses, so depth costs no stack.
///
/// Escapes of lone surrogates pass (other parsers emit them); decoding such a string fails.
package struct JSONReader: ~Escapable {
    /// How deeply arrays and objects may be nested.
    package static let depthLimit = 64

    /// The text.
    package let bytes: Span<UInt8>
    /// The offset of the next byte.
    package private(set) var position: Int
    /// Whether a line feed or carriage return stood between tokens: such a text must not go into a line as it is.
    package private(set) var hasLineBreaks = false
    private var depth = 0

    /// Starts before the first byte.
    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
        position = 0
    }

    /// What kind of value comes next.
    package enum Next: Sendable {
        /// An object.
        case object
        /// An array.
        case array
        /// A string.
        case string
        /// A number.
        case number
        /// `true` or `false`.
        case bool
        /// `null`.
        case null
    }

    /// The kind of the next value, without passing it.
    package mutating func peek() throws(JSONError) -> Next {
        switch try token() {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        default: throw JSONError(.unexpectedByte, at: position)
        }
    }

    /// Passes a value whole and says where it stood, white space around it not included.
    @discardableResult
    package mutating func skipValue() throws(JSONError) -> JSONSlice {
        let first = try token()
        let start = position
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
            try skipContainer()
        } else {
            try skipScalar(first)
        }
        return JSONSlice(start, position)
    }

    /// Passes a string and says where its contents stand, quotes not included.
    package mutating func readString() throws(JSONError) -> JSONString {
        guard try token() == UInt8(ascii: "\"") else { throw JSONError(.wrongType, at: position) }
        return try skipString()
    }

    /// Refuses anything but white space up to the end of the text.
    package mutating func finish() throws(JSONError) {
        skipWhitespace()
        guard position == bytes.count else { throw JSONError(.trailingBytes, at: position) }
    }

    // MARK: Objects and arrays, a step at a time

    /// Enters an object.
    ///
    /// Its members come from `next`, to the last.
    package mutating func object() throws(JSONError) -> JSONMembers {
        guard try token() == UInt8(ascii: "{") else { throw JSONError(.wrongType, at: position) }
        try descend()
        return JSONMembers()
    }

    /// The next member's name, the cursor before its value, which the caller must pass; nil after the last.
    ///
    /// Refuses a name that stood before in this object, compared after unescaping.
    package mutating func next(_ members: inout JSONMembers) throws(JSONError) -> JSONString? {
        var byte = try token()
        if byte == UInt8(ascii: "}") {
            position += 1
            depth -= 1
            return nil
        }
        if members.count > 0 {
            guard byte == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: position) }
            position += 1
            byte = try token()
        }
        guard byte == UInt8(ascii: "\"") else { throw JSONError(.unexpectedByte, at: position) }
        let name = try skipString()
        guard try token() == UInt8(ascii: ":") else { throw JSONError(.unexpectedByte, at: position) }
        position += 1
        guard members.insert(try hash(name)) else { throw JSONError(.duplicateName, at: name.slice.start) }
        return name
    }

    /// Enters an array.
    ///
    /// Its elements come while `nextElement` says so.
    package mutating func array() throws(JSONError) -> JSONElements {
        guard try token() == UInt8(ascii: "[") else { throw JSONError(.wrongType, at: position) }
        try descend()
        return JSONElements()
    }

    /// Whether another element follows, the cursor before it, which the caller must pass; false after the last.
    package mutating func next(_ elements: inout JSONElements) throws(JSONError) -> Bool {
        let byte = try token()
        if byte == UInt8(ascii: "]") {
            position += 1
            depth -= 1
            return false
        }
        if elements.count > 0 {
            guard byte == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: position) }
            position += 1
            guard try token() != UInt8(ascii: "]") else { throw JSONError(.unexpectedByte, at: position) }
        }
        elements.count &+= 1
        return true
    }

    // MARK: Tokens

    private mutating func descend() throws(JSONError) {
        depth += 1
        guard depth <= Self.depthLimit else { throw JSONError(.tooDeep, at: position) }
        position += 1
    }

    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"): break
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): hasLineBreaks = true
            default: return
            }
            position += 1
        }
    }

    /// The first byte of the next token, not passed.
    @inline(__always)
    private mutating func token() throws(JSONError) -> UInt8 {
        if position < bytes.count, bytes[position] > UInt8(ascii: " ") { return bytes[position] }
        return try tokenAfterSpace()
    }

    private mutating func tokenAfterSpace() throws(JSONError) -> UInt8 {
        skipWhitespace()
        guard position < bytes.count else { throw JSONError(.unexpectedEnd, at: position) }
        return bytes[position]
    }

    private mutating func skipScalar(_ first: UInt8) throws(JSONError) {
        switch first {
        case UInt8(ascii: "\""): _ = try skipString()
        case UInt8(ascii: "t"): try skipLiteral("true")
        case UInt8(ascii: "f"): try skipLiteral("false")
        case UInt8(ascii: "n"): try skipLiteral("null")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try skipNumber()
        default: throw JSONError(.unexpectedByte, at: position)
        }
    }

    private mutating func skipLiteral(_ text: StaticString) throws(JSONError) {
        let end = position + text.utf8CodeUnitCount
        guard end <= bytes.count else { throw JSONError(.unexpectedEnd, at: bytes.count) }
        guard bytes.extracting(position..<end).equals(text) else {
            throw JSONError(.unexpectedByte, at: position)
        }
        position = end
    }

    private mutating func skipNumber() throws(JSONError) {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        if position < bytes.count, bytes[position] == UInt8(ascii: "0") {
            position += 1
        } else {
            try skipDigits(from: start)
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try skipDigits(from: start)
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count,
                bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
            {
                position += 1
            }
            try skipDigits(from: start)
        }
    }

    private mutating func skipDigits(from start: Int) throws(JSONError) {
        let first = position
        while position < bytes.count, ASCII.isDigit(bytes[position]) { position += 1 }
        guard position > first else { throw JSONError(.invalidNumber, at: start) }
    }

    /// Passes an array or object without looking at its names.
    ///
    /// Which bracket closes which value is remembered as a bit per level.
    private mutating func skipContainer() throws(JSONError) {
        let outer = depth
        var objects: UInt64 = 0
        while true {
            // Before a value: an opening bracket descends, anything else is passed.
            let byte = try token()
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                try descend()
                let isObject = byte == UInt8(ascii: "{")
                objects = objects << 1 | (isObject ? 1 : 0)
                let next = try token()
                guard next == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    if isObject { try skipName() }
                    continue
                }
            } else {
                try skipScalar(byte)
            }
            // After a value: close as many levels as end here, or go on to the next value.
            while true {
                if depth == outer { return }
                let isObject = objects & 1 == 1
                let next = try token()
                position += 1
                if next == UInt8(ascii: ",") {
                    if isObject { try skipName() }
                    break
                }
                guard next == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    throw JSONError(.unexpectedByte, at: position - 1)
                }
                depth -= 1
                objects >>= 1
            }
        }
    }

    private mutating func skipName() throws(JSONError) {
        guard try token() == UInt8(ascii: "\"") else { throw JSONError(.unexpectedByte, at: position) }
        _ = try skipString()
        guard try token() == UInt8(ascii: ":") else { throw JSONError(.unexpectedByte, at: position) }
        position += 1
    }
}

// MARK: - Strings

extension JSONReader {
    /// Passes a string; the cursor stands at its opening quote.
    private mutating func skipString() throws(JSONError) -> JSONString {
        var index = position + 1
        let start = index
        var hasEscapes = false
        while true {
            index = skipPlain(from: index)
            guard index < bytes.count else { throw JSONError(.unexpectedEnd, at: bytes.count) }
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                position = index + 1
                return JSONString(slice: JSONSlice(start, index), hasEscapes: hasEscapes)
            } else if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                index = try skipEscape(at: index)
            } else if byte < 0x20 {
                throw JSONError(.invalidString, at: index)
            } else {
                index = try skipMultibyte(at: index)
            }
        }
    }

    /// The first place at or after `start` of a byte that is not plain: quote, backslash, control or beyond ASCII.
    @inline(__always)
    private func skipPlain(from start: Int) -> Int {
        var index = start
        let raw = unsafe bytes.bytes
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        let quotes = ones &* UInt64(UInt8(ascii: "\""))
        let backslashes = ones &* UInt64(UInt8(ascii: "\\"))
        let controls = ones &* 0x20
        var mayBeLong = true
        // A byte's high bit is set where that byte is zero or less than the subtrahend.
        while index &+ 8 <= bytes.count {
            // The bound was checked in the line above.
            let word = UInt64(
                littleEndian: unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
            )
            let special =
                ((word ^ quotes) &- ones) | ((word ^ backslashes) &- ones) | (word &- controls) | word
            // The lowest such bit is exact: what borrows could set wrongly stands above it.
            let found = special & highs
            guard found == 0 else { return index &+ found.trailingZeroBitCount / 8 }
            index &+= 8
            // Most strings ended in their first word; texts of a mebibyte are mostly plain, and go four words at a time.
            while mayBeLong, index &+ 32 <= bytes.count {
                let words = unsafe raw.unsafeLoadUnaligned(
                    fromUncheckedByteOffset: index,
                    as: SIMD4<UInt64>.self
                )
                let special =
                    ((words ^ quotes) &- ones) | ((words ^ backslashes) &- ones) | (words &- controls) | words
                mayBeLong = (special[0] | special[1] | special[2] | special[3]) & highs == 0
                if mayBeLong { index &+= 32 }
            }
        }
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 || byte >= 0x80 {
                return index
            }
            index &+= 1
        }
        return index
    }

    private func skipEscape(at index: Int) throws(JSONError) -> Int {
        guard index + 1 < bytes.count else { throw JSONError(.unexpectedEnd, at: bytes.count) }
        switch bytes[index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return index + 2
        case UInt8(ascii: "u"):
            guard index + 6 <= bytes.count else { throw JSONError(.unexpectedEnd, at: bytes.count) }
            for place in index + 2..<index + 6 where Hex.value(bytes[place]) == nil {
                throw JSONError(.invalidString, at: place)
            }
            return index + 6
        default:
            throw JSONError(.invalidString, at: index + 1)
        }
    }

    /// Passes one character of several bytes: well formed, shortest, no surrogate (RFC 3629 §4).
    private func skipMultibyte(at index: Int) throws(JSONError) -> Int {
        let first = bytes[index]
        let length: Int
        var lower: UInt8 = 0x80
        var upper: UInt8 = 0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, lower) = (3, 0xA0)
        case 0xE1...0xEC, 0xEE...0xEF: length = 3
        case 0xED: (length, upper) = (3, 0x9F)
        case 0xF0: (length, lower) = (4, 0x90)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, upper) = (4, 0x8F)
        default: throw JSONError(.invalidUTF8, at: index)
        }
        for place in index + 1..<index + length {
            guard place < bytes.count, bytes[place] >= lower, bytes[place] <= upper else {
                throw JSONError(.invalidUTF8, at: place)
            }
            (lower, upper) = (0x80, 0xBF)
        }
        return index + length
    }

    /// A number that is the same for names that are the same after unescaping.
    ///
    /// Two names that differ may share it; then the object is refused, which harms only the one who chose the names.
    private func hash(_ name: JSONString) throws(JSONError) -> UInt64 {
        guard name.hasEscapes else { return Self.hash(bytes.extracting(name.slice.range)) }
        guard let text = string(name) else { throw JSONError(.invalidString, at: name.slice.start) }
        return Self.hash(text.span)
    }

    private static func hash(_ name: Span<UInt8>) -> UInt64 {
        let count = name.count
        var hash = mix(0, UInt64(truncatingIfNeeded: count))
        guard count >= 4 else {
            var word: UInt64 = 0
            for index in name.indices { word = word << 8 | UInt64(name[index]) }
            return mix(hash, word)
        }
        // Words that may overlap, of which none leaves the name.
        let raw = unsafe name.bytes
        guard count >= 8 else {
            let first = Span.word(raw, 0, UInt32.self)
            let last = Span.word(raw, count - 4, UInt32.self)
            return mix(hash, UInt64(first) << 32 | UInt64(last))
        }
        var index = 0
        while index < count - 8 {
            hash = mix(hash, Span.word(raw, index, UInt64.self))
            index += 8
        }
        return mix(hash, Span.word(raw, count - 8, UInt64.self))
    }

    private static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        // Both halves of the product: of one alone, a change in the last byte of a word could be undone by the next word.
        let product = (hash ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return product.high ^ product.low
    }

    /// Whether a string has these characters, after unescaping.
    @inlinable
    package func equals(_ string: JSONString, _ text: StaticString) -> Bool {
        // A name is compared with one after the other; most of them differ in length.
        guard string.hasEscapes || string.slice.count == text.utf8CodeUnitCount else { return false }
        return holds(string, text)
    }

    @usableFromInline
    func holds(_ string: JSONString, _ text: StaticString) -> Bool {
        guard string.hasEscapes else { return bytes.extracting(string.slice.range).equals(text) }
        guard let unescaped = self.string(string) else { return false }
        return unescaped.span.equals(text)
    }

    /// The UTF-8 bytes of a string, unescaped; nil if it has a lone surrogate.
    package func string(_ string: JSONString) -> [UInt8]? {
        JSONEscapes.decode(bytes.extracting(string.slice.range))
    }
}
