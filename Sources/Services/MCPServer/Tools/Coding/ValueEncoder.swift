// Gatehouse. SPDX-License-Identifier: MIT

import JSON

/// Makes JSON of values, with members in the order in which the type writes them and numbers as they are.
struct ValueEncoder: Encoder {
    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]
    private let node: Node

    /// The JSON of a value.
    static func encode(_ value: some Encodable) throws -> JSONValue {
        let node = Node()
        try put(value, node, [])
        return node.value
    }

    /// A place that a value is put in.
    private final class Node {
        enum Kind {
            case scalar(JSONValue)
            case array
            case object
        }

        /// Nil as long as nothing was written; such a value has no fields.
        var kind: Kind?
        private(set) var inner: [(name: String, node: Node)] = []

        var value: JSONValue {
            switch kind {
            case .scalar(let value): value
            case .array: .array(inner.map(\.node.value))
            case .object, nil: .object(inner.map { JSONValue.Member($0.name, $0.node.value) })
            }
        }

        func append(_ name: String = "") -> Node {
            let node = Node()
            inner.append((name, node))
            return node
        }
    }

    private static func put<T: Encodable>(_ value: T, _ node: Node, _ path: [any CodingKey]) throws {
        if let scalar = try Scalar.encode(value) {
            node.kind = .scalar(scalar)
        } else {
            try value.encode(to: ValueEncoder(codingPath: path, node: node))
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        node.kind = .object
        return KeyedEncodingContainer(Fields<Key>(node: node, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        node.kind = .array
        return Elements(node: node, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        Single(node: node, codingPath: codingPath)
    }

    private struct Fields<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let node: Node
        let codingPath: [any CodingKey]

        func encodeNil(forKey key: Key) { node.append(key.stringValue).kind = .scalar(.null) }

        func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
            try put(value, node.append(key.stringValue), codingPath + [key])
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy keyType: Nested.Type,
            forKey key: Key
        ) -> KeyedEncodingContainer<Nested> { inner(key).container(keyedBy: keyType) }

        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            inner(key).unkeyedContainer()
        }

        func superEncoder() -> any Encoder { inner(PathKey("super")) }
        func superEncoder(forKey key: Key) -> any Encoder { inner(key) }

        private func inner(_ key: any CodingKey) -> ValueEncoder {
            ValueEncoder(codingPath: codingPath + [key], node: node.append(key.stringValue))
        }
    }

    private struct Elements: UnkeyedEncodingContainer {
        let node: Node
        let codingPath: [any CodingKey]

        var count: Int { node.inner.count }

        func encodeNil() { node.append().kind = .scalar(.null) }

        func encode<T: Encodable>(_ value: T) throws {
            try put(value, node.append(), codingPath + [PathKey(count)])
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy keyType: Nested.Type
        ) -> KeyedEncodingContainer<Nested> {
            inner().container(keyedBy: keyType)
        }

        func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { inner().unkeyedContainer() }
        func superEncoder() -> any Encoder { inner() }

        private func inner() -> ValueEncoder {
            ValueEncoder(codingPath: codingPath + [PathKey(count)], node: node.append())
        }
    }

    private struct Single: SingleValueEncodingContainer {
        let node: Node
        let codingPath: [any CodingKey]

        func encodeNil() { node.kind = .scalar(.null) }
        func encode<T: Encodable>(_ value: T) throws { try put(value, node, codingPath) }
    }
}
