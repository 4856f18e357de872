// Gatehouse. SPDX-License-Identifier: MIT

public import JSON

/// A field that a client fills in.
///
/// The property's name is the field's name, and its type decides what fits: `Bool`, integers, `Double`, `Decimal`,
/// `String`, `Date` (a text of the form date-time), `URL`, `UUID`, `Data` (base64), `JSONValue` (anything), enumerations
/// that are `CaseIterable` with raw values, arrays, dictionaries, and other `Parameters` or `Codable` structures. A field
/// whose type is optional or that has a default may be missing, or null.
@propertyWrapper
public struct Parameter<Value: Codable & Sendable>: Sendable {
    private enum State: Sendable {
        /// It was declared, and nothing came yet.
        case declared
        /// What the client gave, or the default.
        case value(Value)
    }

    private var state: State
    private let hasDefault: Bool
    let rules: ParameterRules

    /// Declares a field.
    ///
    /// - Parameters:
    ///   - description: What it means, for the model or the person that fills it in.
    ///   - name: Its name, if it is not the property's.
    ///   - title: Its name, for people.
    ///   - default: What it is if the client does not say.
    ///   - minimum: The least number.
    ///   - maximum: The largest number.
    ///   - minLength: The fewest characters (code points) of a text.
    ///   - maxLength: The most characters of a text.
    ///   - minItems: The fewest elements of an array.
    ///   - maxItems: The most elements of an array.
    ///   - pattern: A regular expression that a text should match; published, not checked.
    ///   - format: What a text is.
    ///   - header: The header in which clients repeat the argument over HTTP, after `Mcp-Param-`.
    ///   - schema: A schema to publish in place of the type's.
    public init(
        _ description: String,
        name: String? = nil,
        title: String? = nil,
        default: Value? = nil,
        minimum: Double? = nil,
        maximum: Double? = nil,
        minLength: Int? = nil,
        maxLength: Int? = nil,
        minItems: Int? = nil,
        maxItems: Int? = nil,
        pattern: String? = nil,
        format: TextFormat? = nil,
        header: String? = nil,
        schema: JSONValue? = nil
    ) {
        state = `default`.map { .value($0) } ?? .declared
        hasDefault = `default` != nil
        rules = ParameterRules(
            description: description,
            name: name,
            title: title,
            minimum: minimum,
            maximum: maximum,
            minLength: minLength,
            maxLength: maxLength,
            minItems: minItems,
            maxItems: maxItems,
            pattern: pattern,
            format: format,
            header: header,
            schema: schema
        )
    }

    /// The value.
    ///
    /// It may be read where a call came from a client, where it has a default or is optional, and where it was set, as
    /// tests do. Reading it before is a mistake of the program, which ends.
    public var wrappedValue: Value {
        get {
            if case .value(let value) = state { return value }
            guard let none = Self.none else {
                preconditionFailure("a field was read that has no value: \(rules.description)")
            }
            return none
        }
        set { state = .value(newValue) }
    }

    /// The value of an optional type that has none.
    private static var none: Value? {
        guard Value.self is any OptionalValue.Type else { return nil }
        return try? ArgumentDecoder.decode(Value.self, .null, at: [], Report(), refusesUnknown: false)
    }
}

extension Parameter: Decodable {
    /// Takes the value from a decoder; what is wrong with it is reported, not thrown, so that all fields are looked at.
    public init(from decoder: any Decoder) throws {
        guard let field = decoder as? ArgumentDecoder, let declared = field.prototype as? Self else {
            self.init("", default: try Value(from: decoder))
            return
        }
        self = declared
        let accepts = Value.self == JSONValue.self
        guard let value = field.value, value != .null || accepts else {
            if let none = Self.none, !hasDefault { state = .value(none) }
            if isRequired { field.report(field.value == nil ? "is missing" : "must not be null") }
            return
        }
        do {
            state = .value(try field.decode(Value.self, value))
            if let complaint = rules.complaint(about: value) { field.report(complaint) }
        } catch let issue as ArgumentIssue {
            field.report(issue)
        }
    }
}

extension Parameter: Encodable {
    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue)
    }
}

/// A declared field, whatever its type.
protocol DeclaredParameter: Sendable {
    var rules: ParameterRules { get }
    /// Whether a client must fill it in.
    var isRequired: Bool { get }
    /// The schema of its type.
    func typeSchema(_ use: SchemaUse) -> JSONValue
    /// Its default, as JSON.
    var defaultValue: JSONValue? { get }
}

extension Parameter: DeclaredParameter {
    var isRequired: Bool { !hasDefault && !(Value.self is any OptionalValue.Type) }

    func typeSchema(_ use: SchemaUse) -> JSONValue {
        let wrapped = (Value.self as? any OptionalValue.Type)?.wrapped ?? Value.self
        guard let type = wrapped as? any Decodable.Type else { return .object([]) }
        return SchemaOfType.schema(of: type, use)
    }

    var defaultValue: JSONValue? {
        guard hasDefault, case .value(let value) = state else { return nil }
        return try? ValueEncoder.encode(value)
    }
}

/// An optional, whatever is in it.
protocol OptionalValue {
    static var wrapped: Any.Type { get }
}

extension Optional: OptionalValue {
    static var wrapped: Any.Type { Wrapped.self }
}
