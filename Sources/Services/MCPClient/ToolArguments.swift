// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON

/// Makes the arguments of a call out of words like `key=value`, as people type them.
package enum ToolArguments {
    /// What is wrong with the words.
    package struct Misuse: Error, Sendable, Equatable {
        /// A sentence for whoever typed them.
        package let message: String
    }

    /// The arguments that the words mean: one JSON object, or `key=value` any number of times.
    ///
    /// A value is read as JSON if it is JSON of a type that the schema wants for its key (any type, if the schema says
    /// nothing about it), and else as text. Quotes that get here through a shell are meant, so they stay in the text.
    ///
    /// - Parameters:
    ///   - words: The words.
    ///   - schema: The input schema of the tool; nil if there is none, as for prompts, whose arguments are texts.
    /// - Returns: An object.
    /// - Throws: `Misuse` for words of another form.
    package static func parse(_ words: [String], schema: JSONValue?) throws(Misuse) -> JSONValue {
        if let first = words.first, first.drop(while: \.isWhitespace).hasPrefix("{") {
            guard words.count == 1 else {
                throw Misuse(message: "nothing may follow a JSON object of arguments")
            }
            guard let value = value(first), value.members != nil else {
                throw Misuse(message: "the arguments are not a proper JSON object")
            }
            return value
        }
        var members: [JSONValue.Member] = []
        for word in words {
            guard let sign = word.utf8.firstIndex(of: UInt8(ascii: "=")), sign != word.startIndex else {
                throw Misuse(message: "\"\(word)\" is not of the form key=value")
            }
            let name = String(word[..<sign])
            guard !members.contains(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
                throw Misuse(message: "\"\(name)\" is given twice")
            }
            let text = String(word[word.utf8.index(after: sign)...])
            members.append(JSONValue.Member(name, argument(text, named: name, schema)))
        }
        return .object(members)
    }

    private static func argument(_ text: String, named name: String, _ schema: JSONValue?) -> JSONValue {
        guard let schema, let value = value(text), value.string == nil else { return .string(text) }
        guard let property = schema["properties"]?[name] else { return value }
        guard let types = SchemaTypes.of(property, in: schema) else { return value }
        return types.contains { matches($0, value) } ? value : .string(text)
    }

    private static func value(_ text: String) -> JSONValue? {
        try? JSONValue(Array(text.utf8).span)
    }

    private static func matches(_ type: String, _ value: JSONValue) -> Bool {
        switch value {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .number(let text):
            // An integer may be spelled 1.0 (JSON Schema 2020-12, validation, §6.1.1).
            type == "number" || type == "integer" && (Double(text).map { $0.rounded() == $0 } ?? false)
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }
}

/// Reads the types that a schema allows, as far as that can be told without validating anything.
package enum SchemaTypes {
    /// How many references are followed, and alternatives entered.
    private static let depthLimit = 8

    /// The names of the types; nil if any is allowed, or it cannot be told.
    ///
    /// - Parameters:
    ///   - schema: The schema of a value.
    ///   - root: The schema that local references point into.
    /// - Returns: Names such as `integer`, in no particular order.
    package static func of(_ schema: JSONValue, in root: JSONValue) -> [String]? {
        of(schema, root, depth: 0)
    }

    private static func of(_ schema: JSONValue, _ root: JSONValue, depth: Int) -> [String]? {
        guard depth < depthLimit else { return nil }
        if let type = schema["type"] {
            if let name = type.string { return [name] }
            if let names = type.array { return names.compactMap(\.string) }
        }
        if let reference = schema["$ref"]?.string {
            return resolve(reference, root).flatMap { of($0, root, depth: depth + 1) }
        }
        if let alternatives = schema["anyOf"]?.array ?? schema["oneOf"]?.array {
            var all: [String] = []
            for alternative in alternatives {
                guard let types = of(alternative, root, depth: depth + 1) else { return nil }
                for type in types where !all.contains(type) { all.append(type) }
            }
            return all
        }
        if let values = schema["enum"]?.array ?? schema["const"].map({ [$0] }) {
            return values.map(name).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        }
        return nil
    }

    /// Follows a reference within the same schema, such as `#/$defs/Point`.
    private static func resolve(_ reference: String, _ root: JSONValue) -> JSONValue? {
        guard reference.hasPrefix("#/") else { return nil }
        return reference.dropFirst(2).split(separator: "/").reduce(Optional(root)) { $0?[String($1)] }
    }

    private static func name(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
