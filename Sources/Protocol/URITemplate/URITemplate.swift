// Gatehouse. SPDX-License-Identifier: MIT

/// A URI template (RFC 6570, all four levels).
///
/// It is read once and then expands values to URIs and matches URIs to values. Everything is bounded: a template has at
/// most 4096 bytes, an expansion at most what its caller allows, and a URI that is matched at most 8192 bytes. Matching
/// takes time in proportion to the lengths of URI and template, whatever they are.
package struct URITemplate: Sendable, Equatable {
    /// The template as written.
    package let text: String
    let parts: [Part]
    let matching: Matching?

    /// The most bytes of a template.
    static let longest = 4096
    /// The most bytes of a URI that is matched.
    static let longestURI = 8192

    /// Reads a template.
    ///
    /// - Throws: The first thing that is wrong with it, and where.
    package init(_ text: String) throws(URITemplateError) {
        self.text = text
        parts = try Self.read(text)
        matching = Matching(parts)
    }

    /// The names of its variables, each once, in the order in which they first stand.
    package var variables: [String] {
        var names: [String] = []
        for case .expression(let expression) in parts {
            for variable in expression.variables where !names.contains(variable.name) {
                names.append(variable.name)
            }
        }
        return names
    }

    /// Whether `match` can find anything.
    ///
    /// It can for levels 1 to 3 where `{?…}` and `{&…}` stand at the end, before at most a fragment. The modifiers of
    /// level 4, `*` and `:n`, cannot be undone.
    package var canMatch: Bool { matching != nil }
}

extension URITemplate {
    /// A piece of a template.
    enum Part: Sendable, Equatable {
        /// Bytes that stand in each expansion, percent-encoded where a URI needs it.
        case literal([UInt8])
        /// What stands between braces.
        case expression(Expression)
    }

    /// What stands between braces.
    struct Expression: Sendable, Equatable {
        var kind: Kind
        var variables: [Variable]
    }

    /// A variable with its modifier.
    struct Variable: Sendable, Equatable {
        var name: String
        /// Whether each element of a list is expanded for itself (`*`).
        var explodes: Bool
        /// How many characters of the value are taken (`:n`); nil for all.
        var prefix: Int?
        /// Where it stands in the template.
        var position: Int
    }

    /// How an expression is expanded (RFC 6570 §2.2 and Appendix A).
    enum Kind: UInt8, Sendable, Equatable {
        case simple = 0
        case reserved = 0x2B  // +
        case fragment = 0x23  // #
        case label = 0x2E  // .
        case path = 0x2F  // /
        case parameters = 0x3B  // ;
        case query = 0x3F  // ?
        case continuation = 0x26  // &

        /// What stands before the first value.
        var first: [UInt8] { self == .simple || self == .reserved ? [] : [rawValue] }

        /// What stands between two values.
        var separator: UInt8 {
            switch self {
            case .simple, .reserved, .fragment: UInt8(ascii: ",")
            case .query: UInt8(ascii: "&")
            case .label, .path, .parameters, .continuation: rawValue
            }
        }

        /// Whether values stand with their names.
        var isNamed: Bool { self == .parameters || isForm }

        /// Whether it is a part of a query.
        var isForm: Bool { self == .query || self == .continuation }

        /// Whether reserved characters stand as they are.
        var allowsReserved: Bool { self == .reserved || self == .fragment }
    }
}

/// Why a template cannot be read or expanded, and where.
package struct URITemplateError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The offset in bytes of what does not fit.
    package var position: Int
    /// What is wrong there, in words.
    package var message: String

    /// The message with its place.
    package var description: String { "at byte \(position) of the URI template: \(message)" }
}
