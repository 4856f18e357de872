// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
public import JSON

/// What a schema is for.
enum SchemaUse: Sendable {
    /// A tool's arguments.
    case input
    /// A tool's structured content.
    case output
    /// A form that a person fills in.
    case form
}

/// Types that supply their own schema, where the one that is found by decoding says too little.
public protocol SchemaDescribed {
    /// A JSON Schema (2020-12).
    static var schema: JSONValue { get }
}

/// Derives JSON Schemas from types.
///
/// A `Codable` structure is decoded from a decoder that has every value and writes down what it is asked for. What
/// cannot be found that way (an enumeration with payloads, a type that contains itself) is described by the schema that
/// lets everything through, so a schema never refuses what the type would write.
enum SchemaOfType {
    /// The schema of a type.
    static func schema(of type: any Decodable.Type, _ use: SchemaUse) -> JSONValue {
        describe(type, use, []).schema
    }

    /// The schema of a type, and any value of it.
    ///
    /// - Parameters:
    ///   - type: The type.
    ///   - use: What the schema is for.
    ///   - outer: The types that are being described, so that one within itself is noticed.
    /// - Returns: The schema; nil for a value if none could be made.
    static func describe<T: Decodable>(
        _ type: T.Type,
        _ use: SchemaUse,
        _ outer: [any Any.Type]
    ) -> (schema: JSONValue, sample: T?) {
        let own = (type as? any SchemaDescribed.Type)?.schema
        if let scalar = Scalar.schema(type) { return (scalar.schema, scalar.sample as? T) }
        if let choices = Choices(type) { return (own ?? choices.schema, choices.sample as? T) }
        if let list = type as? any ListType.Type {
            let found = list.describe(use, outer)
            return (own ?? found.schema, found.sample as? T)
        }
        guard !outer.contains(where: { $0 == type }), outer.count < 32 else { return (.object([]), nil) }
        if let group = type as? any Parameters.Type {
            return (own ?? Declarations(group).schema(use), group.init() as? T)
        }
        let recorder = SchemaRecorder(use, outer + [type])
        let sample = try? T(from: recorder)
        return (own ?? (sample == nil ? .object([]) : recorder.schema), sample)
    }
}

/// A type that holds others.
protocol ListType {
    static func describe(_ use: SchemaUse, _ outer: [any Any.Type]) -> (schema: JSONValue, sample: Any)
}

extension Optional: ListType where Wrapped: Decodable {
    static func describe(_ use: SchemaUse, _ outer: [any Any.Type]) -> (schema: JSONValue, sample: Any) {
        let inner = SchemaOfType.describe(Wrapped.self, use, outer)
        return (["anyOf": [inner.schema, ["type": "null"]]], inner.sample as Any)
    }
}

extension Array: ListType where Element: Decodable {
    static func describe(_ use: SchemaUse, _ outer: [any Any.Type]) -> (schema: JSONValue, sample: Any) {
        let element = Choices(Element.self)?.elementSchema
        let items = element ?? SchemaOfType.describe(Element.self, use, outer).schema
        return (["type": "array", "items": items], [Element]())
    }
}

extension Set: ListType where Element: Decodable {
    static func describe(_ use: SchemaUse, _ outer: [any Any.Type]) -> (schema: JSONValue, sample: Any) {
        let array = [Element].describe(use, outer).schema
        return (array.setting("uniqueItems", true), Set<Element>())
    }
}

extension Dictionary: ListType where Key == String, Value: Decodable {
    static func describe(_ use: SchemaUse, _ outer: [any Any.Type]) -> (schema: JSONValue, sample: Any) {
        let value = SchemaOfType.describe(Value.self, use, outer).schema
        return (["type": "object", "additionalProperties": value], [String: Value]())
    }
}
