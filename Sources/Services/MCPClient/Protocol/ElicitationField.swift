// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON

/// A field of a form that a server asks to be filled in (2025-11-25 and 2026-07-28, elicitation, "Requested Schema").
package struct ElicitationField: Sendable, Equatable {
    /// What can be entered.
    package enum Kind: Sendable, Equatable {
        /// Text of a length, perhaps in a format such as `email`.
        case text(format: String?, length: ClosedRange<Int>)
        /// A number within bounds.
        case number(isInteger: Bool, minimum: Double?, maximum: Double?)
        /// Yes or no.
        case truth
        /// One of these.
        case choice([Choice])
        /// Some of these: so many.
        case choices([Choice], count: ClosedRange<Int>)
        /// Something that no form may ask; it is entered as JSON.
        case other
    }

    /// A value that can be chosen, and how it is shown.
    package struct Choice: Sendable, Equatable {
        /// The value.
        package var value: String
        /// What stands for it.
        package var title: String

        /// Makes a choice.
        package init(value: String, title: String) {
            self.value = value
            self.title = title
        }
    }

    /// The name in the answer.
    package var name: String
    /// How it is shown; the name, where the schema says nothing.
    package var title: String
    /// More about it.
    package var description: String?
    /// What can be entered.
    package var kind: Kind
    /// What is taken if nothing is entered.
    package var initial: JSONValue?
    /// Whether the answer must have it.
    package var isRequired: Bool

    /// The most fields that are read.
    package static let limit = 200

    /// Reads the fields of a form in order.
    package static func all(in schema: JSONValue) -> [ElicitationField] {
        let required = schema["required"]?.array?.compactMap(\.string) ?? []
        return (schema["properties"]?.members ?? []).prefix(limit).map { property in
            ElicitationField(
                name: property.name,
                title: property.value["title"]?.string ?? property.name,
                description: property.value["description"]?.string,
                kind: kind(of: property.value),
                initial: property.value["default"],
                isRequired: required.contains { $0.hasSameBytes(as: property.name) }
            )
        }
    }

    private static func kind(of schema: JSONValue) -> Kind {
        if let choices = choices(of: schema) { return .choice(choices) }
        switch schema["type"]?.string {
        case "string":
            return .text(format: schema["format"]?.string, length: bounds(schema, "minLength", "maxLength"))
        case "integer", "number":
            return .number(
                isInteger: schema["type"]?.string == "integer",
                minimum: schema["minimum"].flatMap(number),
                maximum: schema["maximum"].flatMap(number)
            )
        case "boolean": return .truth
        case "array":
            guard let choices = schema["items"].flatMap(choices) else { return .other }
            return .choices(choices, count: bounds(schema, "minItems", "maxItems"))
        default: return .other
        }
    }

    /// The values of an enumeration in any of its forms: `enum`, with or without `enumNames`, `oneOf` or `anyOf` of
    /// constants.
    private static func choices(of schema: JSONValue) -> [Choice]? {
        if let values = schema["enum"]?.array {
            let names = schema["enumNames"]?.array ?? []
            let choices = values.enumerated().compactMap { index, value in
                value.string.map {
                    Choice(value: $0, title: index < names.count ? names[index].string ?? $0 : $0)
                }
            }
            return choices.isEmpty ? nil : choices
        }
        let alternatives = schema["oneOf"]?.array ?? schema["anyOf"]?.array ?? []
        let choices = alternatives.compactMap { alternative in
            alternative["const"]?.string.map {
                Choice(value: $0, title: alternative["title"]?.string ?? $0)
            }
        }
        return choices.isEmpty ? nil : choices
    }

    private static func bounds(_ schema: JSONValue, _ least: String, _ most: String) -> ClosedRange<Int> {
        let lower = max(0, schema[least]?.integer ?? 0)
        return lower...max(lower, schema[most]?.integer ?? .max)
    }

    private static func number(_ value: JSONValue) -> Double? {
        guard case .number(let text) = value else { return nil }
        return Double(text)
    }
}

/// What a client does to the answers of elicitations.
package enum Elicitation {
    /// The answer with the defaults of the form in the place of fields that were left out.
    ///
    /// Only an accepted form changes (2025-11-25, elicitation; SEP-1034).
    package static func filled(_ answer: JSONValue, asked params: JSONValue) -> JSONValue {
        guard answer["action"]?.string == "accept", params["mode"]?.string != "url",
            let members = answer.members
        else { return answer }
        let given = answer["content"]?.members ?? []
        let missing = ElicitationField.all(in: params["requestedSchema"] ?? .null).compactMap { field in
            let isGiven = given.contains { $0.name.hasSameBytes(as: field.name) }
            return isGiven ? nil : field.initial.map { JSONValue.Member(field.name, $0) }
        }
        guard !missing.isEmpty else { return answer }
        let others = members.filter { !$0.name.hasSameBytes(as: "content") }
        return .object(others + [.init("content", .object(given + missing))])
    }
}
