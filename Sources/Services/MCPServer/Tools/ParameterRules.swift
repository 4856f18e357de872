// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import FoundationEssentials
import JSON

/// What a text is, as JSON Schema names it.
public enum TextFormat: String, Sendable {
    /// An address for electronic mail.
    case email
    /// A URI.
    case uri
    /// A day, such as 2026-07-28.
    case date
    /// A moment, such as 2026-07-28T12:00:00Z.
    case dateTime = "date-time"

    /// Whether a text has this form; addresses and URIs are looked at only roughly.
    func accepts(_ text: String) -> Bool {
        switch self {
        case .email:
            let halves = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
            return halves.count == 2 && halves.allSatisfy { !$0.isEmpty }
                && text.utf8.allSatisfy { $0 > 0x20 }
        case .uri:
            guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
            let scheme = text.utf8[..<colon]
            return scheme.first.map(ASCII.isLetter) == true && scheme.allSatisfy { ASCII.isToken($0) }
                && text.utf8.allSatisfy { $0 > 0x20 }
        case .date: return Timestamp.date(text + "T00:00:00Z") != nil
        case .dateTime: return Timestamp.date(text) != nil
        }
    }
}

/// What is declared about a field besides its type.
struct ParameterRules: Sendable {
    var description: String
    var name: String?
    var title: String?
    var minimum: Double?
    var maximum: Double?
    var minLength: Int?
    var maxLength: Int?
    var minItems: Int?
    var maxItems: Int?
    var pattern: String?
    var format: TextFormat?
    var header: String?
    var schema: JSONValue?

    /// What is wrong with a value of the right type, in words; nil if nothing is.
    func complaint(about value: JSONValue) -> String? {
        switch value {
        case .number(let text):
            guard let number = Double(text) else { return "is out of range" }
            if let minimum, number < minimum { return "must be at least \(Self.text(minimum))" }
            if let maximum, number > maximum { return "must be at most \(Self.text(maximum))" }
        case .string(let text):
            let length = text.unicodeScalars.count
            if let minLength, length < minLength { return "must have at least \(minLength) characters" }
            if let maxLength, length > maxLength { return "must have at most \(maxLength) characters" }
            if let format, !format.accepts(text) { return "must be of the form \(format.rawValue)" }
        case .array(let values):
            if let minItems, values.count < minItems { return "must have at least \(minItems) elements" }
            if let maxItems, values.count > maxItems { return "must have at most \(maxItems) elements" }
        case .null, .bool, .object: break
        }
        return nil
    }

    /// The schema of the field: that of its type, with what is declared.
    func published(_ type: JSONValue, default value: JSONValue?, _ use: SchemaUse) -> JSONValue {
        var result = schema ?? type
        let description: JSONValue? = description.isEmpty ? nil : .string(description)
        let additions: KeyValuePairs<String, JSONValue?> = [
            "title": title.map { .string($0) }, "description": description,
            "minimum": .number(of: minimum), "maximum": .number(of: maximum),
            "minLength": Self.number(minLength), "maxLength": Self.number(maxLength),
            "minItems": Self.number(minItems), "maxItems": Self.number(maxItems),
            // Forms have no patterns (2026-07-28, client/elicitation, "Requested Schema").
            "pattern": use == .form ? nil : pattern.map { .string($0) },
            "format": format.map { .string($0.rawValue) }, "default": value,
            "x-mcp-header": use == .form ? nil : header.map { .string($0) },
        ]
        for (name, value) in additions {
            if let value, result[name] == nil || name == "description" {
                result = result.setting(name, value)
            }
        }
        return result
    }

    /// What cannot be declared of a type, in words; a mistake of who wrote it.
    func mistake(for type: JSONValue) -> String? {
        guard schema == nil, let kind = type["type"]?.string else { return nil }
        let isNumber = kind == "number" || kind == "integer"
        if minimum != nil || maximum != nil, !isNumber { return "minimum and maximum are for numbers" }
        let isText = kind == "string"
        if minLength != nil || maxLength != nil || pattern != nil || format != nil, !isText {
            return "lengths, pattern and format are for texts"
        }
        if minItems != nil || maxItems != nil, kind != "array" {
            return "minItems and maxItems are for arrays"
        }
        if header != nil, !isText, kind != "integer", kind != "boolean" {
            return "only texts, integers and truth values can be mirrored in a header"
        }
        return nil
    }

    private static func number(_ value: Int?) -> JSONValue? { value.map { .number(String($0)) } }

    private static func text(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? "\(value)"
    }
}
