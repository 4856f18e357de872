// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON

/// An enumeration whose cases have names for people.
///
/// Schemas then say `oneOf` with titles (2026-07-28, client/elicitation, "Enum").
public protocol TitledChoice {
    /// The case's name, for people.
    var title: String { get }
}

/// The cases of an enumeration that is `CaseIterable` and has raw values.
struct Choices {
    /// The raw values with their titles, in order.
    let cases: [(value: JSONValue, title: String?)]
    /// A case, for those who need any value of the type.
    let sample: Any?

    /// Nil if the type is no such enumeration.
    init?(_ type: Any.Type) {
        guard let type = type as? any (CaseIterable & RawRepresentable).Type else { return nil }
        self.init(cases: type)
    }

    private init?<T: CaseIterable & RawRepresentable>(cases type: T.Type) {
        var found: [(value: JSONValue, title: String?)] = []
        for choice in type.allCases {
            guard let value = try? Scalar.encode(choice.rawValue) else { return nil }
            found.append((value, (choice as? any TitledChoice)?.title))
        }
        cases = found
        sample = type.allCases.first
    }

    func contains(_ value: JSONValue) -> Bool { cases.contains { $0.value.text() == value.text() } }

    /// The values in words.
    var text: String {
        cases.map { String(decoding: $0.value.text(), as: UTF8.self) }.joined(separator: ", ")
    }

    private var type: JSONValue {
        if case .number? = cases.first?.value { "integer" } else { "string" }
    }

    private var titles: JSONValue? {
        guard cases.contains(where: { $0.title != nil }) else { return nil }
        return .array(cases.map { .of(["const": $0.value, "title": $0.title.map { .string($0) }]) })
    }

    /// The schema of one of them.
    var schema: JSONValue {
        let values = JSONValue.array(cases.map(\.value))
        return .of(["type": type, "oneOf": titles, "enum": titles == nil ? values : nil])
    }

    /// The schema of an element of several of them, which is written otherwise than one alone.
    var elementSchema: JSONValue {
        guard let titles else { return schema }
        return ["anyOf": titles]
    }
}
