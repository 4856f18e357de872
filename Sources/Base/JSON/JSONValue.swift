// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// A JSON value, decoded: for places off the message path, where a value is looked into or made.
///
/// Members keep their order; numbers keep their text, so that nothing is lost between reading and writing.
public enum JSONValue: Sendable, Equatable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number, as written.
    case number(String)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object.
    case object([Member])

    /// A member of an object.
    public struct Member: Sendable, Equatable {
        /// The name.
        public var name: String
        /// The value.
        public var value: JSONValue

        /// Makes a member.
        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// Reads one value and nothing after it.
    ///
    /// Names that stand twice in an object are refused.
    package init(_ bytes: Span<UInt8>) throws(JSONError) {
        var reader = JSONReader(bytes)
        self = try Self.read(&reader)
        try reader.finish()
    }

    /// Reads the next value of a reader.
    ///
    /// Recursion is bounded by the reader's depth limit.
    package static func read(_ reader: inout JSONReader) throws(JSONError) -> JSONValue {
        switch try reader.peek() {
        case .null:
            try reader.skipValue()
            return .null
        case .bool:
            let slice = try reader.skipValue()
            return .bool(reader.bytes[slice.start] == UInt8(ascii: "t"))
        case .number:
            let slice = try reader.skipValue()
            return .number(String(decoding: [UInt8](reader.bytes, slice.range), as: UTF8.self))
        case .string:
            let string = try reader.readString()
            return .string(try text(string, &reader))
        case .array:
            var elements = try reader.array()
            var values: [JSONValue] = []
            while try reader.next(&elements) { values.append(try read(&reader)) }
            return .array(values)
        case .object:
            var members = try reader.object()
            var values: [Member] = []
            while let name = try reader.next(&members) {
                let name = try text(name, &reader)
                values.append(Member(name, try read(&reader)))
            }
            return .object(values)
        }
    }

    private static func text(_ string: JSONString, _ reader: inout JSONReader) throws(JSONError) -> String {
        guard let bytes = reader.string(string) else {
            throw JSONError(.invalidString, at: string.slice.start)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The value of a member by name, compared by bytes; nil if this is no object or has no such member.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name.hasSameBytes(as: name) }?.value
    }

    /// The string, if this is one.
    public var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The elements, if this is an array.
    public var array: [JSONValue]? {
        guard case .array(let values) = self else { return nil }
        return values
    }

    /// The members, if this is an object.
    public var members: [Member]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    /// The number, if this is an integer in range.
    public var integer: Int? {
        guard case .number(let text) = self else { return nil }
        return Int(text)
    }

    /// The truth value, if this is one.
    public var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }
}

// MARK: - Writing

extension JSONValue {
    /// How a value is written.
    public enum Style: Sendable {
        /// On one line, in order.
        case compact
        /// On one line, members sorted by the bytes of their names: equal values give equal bytes.
        case canonical
        /// On several lines, indented by two spaces, for people.
        case pretty
    }

    /// The value as JSON text.
    public func text(_ style: Style = .compact) -> [UInt8] {
        var output: [UInt8] = []
        write(to: &output, style, indent: 0)
        return output
    }

    private func write(to output: inout [UInt8], _ style: Style, indent: Int) {
        switch self {
        case .null: output.append(literal: "null")
        case .bool(let value): output.append(value ? "true" : "false")
        case .number(let text): output.append(text)
        case .string(let text): output.append(json: text)
        case .array(let values):
            output.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                Self.separate(&output, index, style, indent + 1)
                value.write(to: &output, style, indent: indent + 1)
            }
            if !values.isEmpty { Self.breakLine(&output, style, indent) }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            let ordered =
                style == .canonical
                ? members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) } : members
            for (index, member) in ordered.enumerated() {
                Self.separate(&output, index, style, indent + 1)
                output.append(json: member.name)
                output.append(literal: style == .pretty ? ": " : ":")
                member.value.write(to: &output, style, indent: indent + 1)
            }
            if !members.isEmpty { Self.breakLine(&output, style, indent) }
            output.append(UInt8(ascii: "}"))
        }
    }

    private static func separate(_ output: inout [UInt8], _ index: Int, _ style: Style, _ indent: Int) {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        breakLine(&output, style, indent)
    }

    private static func breakLine(_ output: inout [UInt8], _ style: Style, _ indent: Int) {
        guard style == .pretty else { return }
        output.append(UInt8(ascii: "\n"))
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent * 2))
    }
}

// MARK: - Literals, for values that we make

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A number.
    public init(integerLiteral value: Int) { self = .number(String(value)) }
    /// An array.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object, its members in the order written.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member($0, $1) })
    }
}
