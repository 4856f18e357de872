// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import FoundationEssentials
import JSON

/// The types that are one JSON value each, and how they are read, written and described.
enum Scalar {
    /// Reads a value.
    ///
    /// - Returns: Nil if the type is none of these.
    /// - Throws: An `ArgumentIssue` if the value does not fit.
    static func decode<T>(_ type: T.Type, _ value: JSONValue, at path: [any CodingKey]) throws -> T? {
        if type == JSONValue.self { return value as? T }
        if type == Bool.self {
            guard let truth = value.bool else { throw wrong("true or false", value, at: path) }
            return truth as? T
        }
        if let type = type as? any FixedWidthInteger.Type { return try integer(type, value, at: path) as? T }
        if type == Double.self || type == Float.self || type == Decimal.self {
            guard case .number(let text) = value else { throw wrong("a number", value, at: path) }
            guard let number = number(text, type) else { throw ArgumentIssue(path, "is out of range") }
            return number
        }
        guard type == String.self || textForm(type) != nil else { return nil }
        guard let text = value.string else { throw wrong("a string", value, at: path) }
        guard let form = textForm(type) else { return text as? T }
        guard let made = made(type, text) else { throw ArgumentIssue(path, "must be \(form.name)") }
        return made
    }

    /// The JSON of a value; nil if its type is none of these.
    static func encode(_ value: Any) throws -> JSONValue? {
        switch value {
        case let value as JSONValue: return value
        case let value as Bool: return .bool(value)
        case let value as String: return .string(value)
        case let value as any FixedWidthInteger: return .number(String(describing: value))
        case let value as Double: return try finite(value)
        case let value as Float: return try finite(Double(value), text: "\(value)")
        case let value as Decimal: return value.isNaN ? try finite(.nan) : .number("\(value)")
        case let value as Date: return .string(Timestamp.text(value))
        case let value as URL: return .string(value.absoluteString)
        case let value as UUID: return .string(value.uuidString)
        case let value as Data: return .string(value.base64EncodedString())
        default: return nil
        }
    }

    /// The schema of a type, and a value of it; nil if it is none of these.
    static func schema(_ type: Any.Type) -> (schema: JSONValue, sample: Any)? {
        if type == JSONValue.self { return (.object([]), JSONValue.null) }
        if type == Bool.self { return (["type": "boolean"], false) }
        if type == String.self { return (["type": "string"], "") }
        if type == Double.self { return (["type": "number"], 0.0) }
        if type == Float.self { return (["type": "number"], Float(0)) }
        if type == Decimal.self { return (["type": "number"], Decimal()) }
        if let type = type as? any FixedWidthInteger.Type { return integerSchema(type) }
        guard let form = textForm(type) else { return nil }
        return (.of(["type": "string"]).setting(form.keyword, .string(form.value)), form.sample)
    }

    /// An error that says what would fit and what came.
    static func wrong(_ expected: String, _ value: JSONValue?, at path: [any CodingKey]) -> ArgumentIssue {
        let came =
            switch value {
            case nil: "nothing"
            case .null: "null"
            case .bool: "a truth value"
            case .number: "a number"
            case .string: "a string"
            case .array: "an array"
            case .object: "an object"
            }
        return ArgumentIssue(path, "must be \(expected), not \(came)")
    }

    // MARK: Numbers

    private static func integer<I: FixedWidthInteger>(
        _ type: I.Type,
        _ value: JSONValue,
        at path: [any CodingKey]
    ) throws -> I {
        guard case .number(let text) = value else { throw wrong("an integer", value, at: path) }
        if let whole = I(text) { return whole }
        // 5.0 and 5e0 are integers too (JSON Schema 2020-12, core §4.2.3), as long as a double is exact.
        guard let number = Double(text), number.rounded() == number else {
            throw ArgumentIssue(path, "must be an integer")
        }
        guard abs(number) <= 0x1p53, let whole = I(exactly: number) else {
            throw ArgumentIssue(path, "must be an integer from \(I.min) to \(I.max)")
        }
        return whole
    }

    private static func number<T>(_ text: String, _ type: T.Type) -> T? {
        if type == Decimal.self { return Decimal(string: text) as? T }
        guard let number = Double(text), number.isFinite else { return nil }
        return type == Float.self ? Float(number) as? T : number as? T
    }

    private static func finite(_ value: Double, text: String? = nil) throws -> JSONValue {
        guard value.isFinite else {
            throw EncodingError.invalidValue(
                value,
                .init(codingPath: [], debugDescription: "JSON has no such number")
            )
        }
        return Int(exactly: value).map { .number(String($0)) } ?? .number(text ?? "\(value)")
    }

    private static func integerSchema<I: FixedWidthInteger>(
        _ type: I.Type
    ) -> (schema: JSONValue, sample: Any) {
        (.of(["type": "integer", "minimum": I.isSigned ? nil : 0]), I.zero)
    }

    // MARK: Texts

    /// Types that are written as text.
    private struct TextForm {
        var name: String
        var keyword = "format"
        var value: String
        var sample: Any
    }

    private static func textForm(_ type: Any.Type) -> TextForm? {
        if type == Date.self {
            let sample = Date(timeIntervalSince1970: 0)
            return TextForm(name: "a moment such as 2026-07-28T12:00:00Z", value: "date-time", sample: sample)
        }
        if type == URL.self { return TextForm(name: "a URI", value: "uri", sample: URL(filePath: "/")) }
        if type == UUID.self { return TextForm(name: "a UUID", value: "uuid", sample: UUID()) }
        if type == Data.self {
            return TextForm(name: "base64", keyword: "contentEncoding", value: "base64", sample: Data())
        }
        return nil
    }

    private static func made<T>(_ type: T.Type, _ text: String) -> T? {
        if type == Date.self { return Timestamp.date(text) as? T }
        if type == URL.self { return TextFormat.uri.accepts(text) ? URL(string: text) as? T : nil }
        if type == UUID.self { return UUID(uuidString: text) as? T }
        return Base64.decode(Array(text.utf8), .standard).map { Data($0) } as? T
    }
}
