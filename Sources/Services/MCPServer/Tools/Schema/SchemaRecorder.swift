// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON

/// A decoder that has every value that it is asked for, and writes down what that was.
final class SchemaRecorder: Decoder {
    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]
    private let use: SchemaUse
    private let outer: [any Any.Type]
    private var shape: Shape?
    private var properties: [JSONValue.Member] = []
    private var optional: Set<String> = []

    private enum Shape {
        case object
        case array(JSONValue)
        case single(JSONValue)
    }

    /// A type asked for something that has no sample.
    private struct Unknown: Error {}

    init(_ use: SchemaUse, _ outer: [any Any.Type]) {
        self.use = use
        self.outer = outer
    }

    /// What was asked for, as a schema.
    var schema: JSONValue {
        switch shape {
        case .array(let items): return ["type": "array", "items": items]
        case .single(let schema): return schema
        case .object, nil:
            let required = properties.map(\.name).filter { !optional.contains($0) }
            return .of([
                "type": "object", "properties": .object(properties), "required": .strings(required),
                "additionalProperties": use == .input ? false : nil,
            ])
        }
    }

    private func take<T: Decodable>(_ type: T.Type, _ write: (JSONValue) -> Void) throws -> T {
        let found = SchemaOfType.describe(type, use, outer)
        write(found.schema)
        guard let sample = found.sample else { throw Unknown() }
        return sample
    }

    private func add(_ name: String, _ schema: JSONValue) {
        if !properties.contains(where: { $0.name.hasSameBytes(as: name) }) {
            properties.append(JSONValue.Member(name, schema))
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        shape = .object
        return KeyedDecodingContainer(Fields<Key>(recorder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        // An array whose elements differ: nothing is known of them.
        shape = .array(.object([]))
        throw Unknown()
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { Single(recorder: self) }

    private struct Fields<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let recorder: SchemaRecorder
        let codingPath: [any CodingKey] = []
        let allKeys: [Key] = []

        // Asked of fields that may be missing, before they are read.
        func contains(_ key: Key) -> Bool {
            recorder.optional.insert(key.stringValue)
            return true
        }

        func decodeNil(forKey key: Key) throws -> Bool { false }

        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
            try recorder.take(type) { recorder.add(key.stringValue, $0) }
        }

        func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
            recorder.optional.insert(key.stringValue)
            // What may be missing may also be of a type that is described already.
            return try? decode(type, forKey: key)
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> { throw Unknown() }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            throw Unknown()
        }
        func superDecoder() throws -> any Decoder { throw Unknown() }
        func superDecoder(forKey key: Key) throws -> any Decoder { throw Unknown() }
    }

    private struct Single: SingleValueDecodingContainer {
        let recorder: SchemaRecorder
        let codingPath: [any CodingKey] = []

        func decodeNil() -> Bool { false }

        func decode<T: Decodable>(_ type: T.Type) throws -> T {
            try recorder.take(type) { recorder.shape = .single($0) }
        }
    }
}
