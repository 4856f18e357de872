// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON

/// Makes values of what a client filled in, and tells where something does not fit.
///
/// Stricter than Foundation's: names that a type does not read are refused, and an error names the field in words for
/// who filled it in. It goes no deeper than the value, whose depth was bounded when it was read.
struct ArgumentDecoder: Decoder {
    /// What came; nil if nothing did.
    let value: JSONValue?
    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]
    /// The fields, if the type declares them.
    let declarations: Declarations?
    /// The declaration of the field that is read.
    let prototype: (any DeclaredParameter)?
    private let gathered: Report
    private let refusesUnknown: Bool
    private let read = NamesRead()

    /// Which names of an object a type has read.
    final class NamesRead {
        fileprivate(set) var names: Set<String> = []
        fileprivate(set) var isOpen = false
        fileprivate(set) var all = false
    }

    private init(
        _ value: JSONValue?,
        _ codingPath: [any CodingKey],
        _ gathered: Report,
        _ refusesUnknown: Bool,
        declarations: Declarations? = nil,
        prototype: (any DeclaredParameter)? = nil
    ) {
        self.value = value
        self.codingPath = codingPath
        self.gathered = gathered
        self.refusesUnknown = refusesUnknown
        self.declarations = declarations
        self.prototype = prototype
    }

    /// Makes a value.
    ///
    /// - Parameters:
    ///   - type: What to make.
    ///   - value: Of what.
    ///   - path: Where it stands.
    ///   - report: Gathers what is wrong with declared fields.
    ///   - refusesUnknown: Whether names that nobody reads are wrong.
    ///   - declarations: The fields of the type, if they are known already.
    /// - Returns: The value; it must not be used if something was reported.
    /// - Throws: An `ArgumentIssue` where nothing can be made.
    static func decode<T: Decodable>(
        _ type: T.Type,
        _ value: JSONValue,
        at path: [any CodingKey],
        _ report: Report,
        refusesUnknown: Bool,
        declarations: Declarations? = nil
    ) throws -> T {
        if let scalar = try Scalar.decode(type, value, at: path) { return scalar }
        if let choices = Choices(type), !choices.contains(value) {
            throw ArgumentIssue(path, "must be one of \(choices.text)")
        }
        let declared = declarations ?? (type as? any Parameters.Type).map { Declarations($0) }
        let decoder = ArgumentDecoder(value, path, report, refusesUnknown, declarations: declared)
        if declared != nil { _ = try decoder.object() }
        do {
            let result = try T(from: decoder)
            decoder.reportUnknown()
            return result
        } catch let error as DecodingError {
            throw issue(error, at: path)
        }
    }

    /// Makes a value of what came for a declared field.
    func decode<T: Decodable>(_ type: T.Type, _ value: JSONValue) throws -> T {
        try Self.decode(type, value, at: codingPath, gathered, refusesUnknown: refusesUnknown)
    }

    /// Tells that this field is wrong.
    func report(_ message: String) { gathered.add(ArgumentIssue(codingPath, message)) }

    /// Tells that something within this field is wrong.
    func report(_ issue: ArgumentIssue) { gathered.add(issue) }

    private func object() throws -> [JSONValue.Member] {
        guard let members = value?.members else { throw Scalar.wrong("an object", value, at: codingPath) }
        return members
    }

    private func reportUnknown() {
        guard refusesUnknown, let members = value?.members, declarations != nil || read.isOpen, !read.all
        else {
            return
        }
        if let declarations, declarations.allowsUnknownFields { return }
        for member in members {
            let isKnown =
                declarations?.fields.contains { $0.name.hasSameBytes(as: member.name) }
                ?? read.names.contains(member.name)
            guard !isKnown else { continue }
            gathered.add(
                ArgumentIssue(codingPath + [PathKey(String(member.name.prefix(64)))], "is not known")
            )
        }
    }

    private static func issue(_ error: DecodingError, at path: [any CodingKey]) -> ArgumentIssue {
        switch error {
        case .keyNotFound(let key, let context): ArgumentIssue(context.codingPath + [key], "is missing")
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            ArgumentIssue(context.codingPath, "does not fit: \(context.debugDescription)")
        @unknown default: ArgumentIssue(path, "does not fit")
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        read.isOpen = true
        return KeyedDecodingContainer(Fields<Key>(decoder: self, members: try object()))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let values = value?.array else { throw Scalar.wrong("an array", value, at: codingPath) }
        return Elements(decoder: self, values: values)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { Single(decoder: self) }
}

extension ArgumentDecoder {
    /// The members of an object.
    private struct Fields<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let decoder: ArgumentDecoder
        let members: [JSONValue.Member]
        var codingPath: [any CodingKey] { decoder.codingPath }

        var allKeys: [Key] {
            decoder.read.all = true
            return members.compactMap { Key(stringValue: $0.name) }
        }

        private func value(_ name: String) -> JSONValue? {
            decoder.read.names.insert(name)
            return members.first { $0.name.hasSameBytes(as: name) }?.value
        }

        func contains(_ key: Key) -> Bool { value(key.stringValue) != nil }
        func decodeNil(forKey key: Key) throws -> Bool { value(key.stringValue) ?? .null == .null }

        // Generic, so that it does for each type of the protocol's.
        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
            if let field = decoder.declarations?[key.stringValue] {
                let inner = ArgumentDecoder(
                    value(field.name),
                    codingPath + [PathKey(field.name)],
                    decoder.gathered,
                    decoder.refusesUnknown,
                    prototype: field.parameter
                )
                return try T(from: inner)
            }
            let path = codingPath + [key]
            guard let value = value(key.stringValue) else { throw ArgumentIssue(path, "is missing") }
            return try ArgumentDecoder.decode(
                type,
                value,
                at: path,
                decoder.gathered,
                refusesUnknown: decoder.refusesUnknown
            )
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> { try inner(key).container(keyedBy: type) }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try inner(key).unkeyedContainer()
        }

        func superDecoder() throws -> any Decoder { inner(PathKey("super")) }
        func superDecoder(forKey key: Key) throws -> any Decoder { inner(key) }

        private func inner(_ key: any CodingKey) -> ArgumentDecoder {
            ArgumentDecoder(value(key.stringValue), codingPath + [key], decoder.gathered, false)
        }
    }

    /// The elements of an array.
    private struct Elements: UnkeyedDecodingContainer {
        let decoder: ArgumentDecoder
        let values: [JSONValue]
        var currentIndex = 0
        var codingPath: [any CodingKey] { decoder.codingPath }
        var count: Int? { values.count }
        var isAtEnd: Bool { currentIndex >= values.count }

        init(decoder: ArgumentDecoder, values: [JSONValue]) {
            self.decoder = decoder
            self.values = values
        }

        mutating func decodeNil() throws -> Bool {
            guard !isAtEnd, values[currentIndex] == .null else { return false }
            currentIndex += 1
            return true
        }

        mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
            let path = codingPath + [PathKey(currentIndex)]
            guard !isAtEnd else { throw ArgumentIssue(path, "is missing") }
            defer { currentIndex += 1 }
            return try ArgumentDecoder.decode(
                type,
                values[currentIndex],
                at: path,
                decoder.gathered,
                refusesUnknown: decoder.refusesUnknown
            )
        }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> { try inner().container(keyedBy: type) }

        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            try inner().unkeyedContainer()
        }

        mutating func superDecoder() throws -> any Decoder { inner() }

        private mutating func inner() -> ArgumentDecoder {
            defer { currentIndex += 1 }
            let path = codingPath + [PathKey(currentIndex)]
            return ArgumentDecoder(isAtEnd ? nil : values[currentIndex], path, decoder.gathered, false)
        }
    }

    /// One value.
    private struct Single: SingleValueDecodingContainer {
        let decoder: ArgumentDecoder
        var codingPath: [any CodingKey] { decoder.codingPath }

        func decodeNil() -> Bool { decoder.value ?? .null == .null }

        func decode<T: Decodable>(_ type: T.Type) throws -> T {
            try decoder.decode(type, decoder.value ?? .null)
        }
    }
}
