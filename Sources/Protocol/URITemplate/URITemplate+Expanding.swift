// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

extension URITemplate {
    /// What a variable stands for; one that is not given stands for nothing.
    package enum Value: Sendable, Equatable, ExpressibleByStringLiteral {
        /// A text.
        case text(String)
        /// Several texts.
        case list([String])
        /// Names with texts, in this order.
        case pairs([Pair])

        /// A name with a text.
        package struct Pair: Sendable, Equatable {
            /// The name.
            package var name: String
            /// The text.
            package var value: String

            /// Makes a pair.
            package init(_ name: String, _ value: String) {
                self.name = name
                self.value = value
            }
        }

        /// A text.
        package init(stringLiteral value: String) { self = .text(value) }
    }

    /// Expands the template (RFC 6570 §3.2).
    ///
    /// - Parameters:
    ///   - values: What its variables stand for.
    ///   - limit: The most bytes of the result.
    /// - Returns: The URI.
    /// - Throws: An error if a prefix is asked of a list, or the result is too long.
    package func expand(
        _ values: [String: Value],
        limit: Int = 65_536
    ) throws(URITemplateError) -> String {
        var output: [UInt8] = []
        for part in parts {
            switch part {
            case .literal(let bytes): output.append(contentsOf: bytes)
            case .expression(let expression):
                try Self.append(expression, values, limit: limit, to: &output)
            }
            guard output.count <= limit else {
                throw URITemplateError(position: text.utf8.count, message: "the result is too long")
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func append(
        _ expression: Expression,
        _ values: [String: Value],
        limit: Int,
        to output: inout [UInt8]
    ) throws(URITemplateError) {
        var isFirst = true
        for variable in expression.variables {
            guard let value = values[variable.name] else { continue }
            for item in try items(value, variable, expression.kind) {
                output.append(contentsOf: isFirst ? expression.kind.first : [expression.kind.separator])
                output.append(contentsOf: item)
                isFirst = false
                guard output.count <= limit else {
                    throw URITemplateError(position: variable.position, message: "the result is too long")
                }
            }
        }
    }

    /// The items of one variable, between which the expression's separator stands.
    private static func items(
        _ value: Value,
        _ variable: Variable,
        _ kind: Kind
    ) throws(URITemplateError) -> [[UInt8]] {
        func encoded(_ text: some StringProtocol) -> [UInt8] {
            var output: [UInt8] = []
            PercentEncoding.append(text, to: &output, allowingReserved: kind.allowsReserved)
            return output
        }
        func named(_ item: [UInt8]) -> [UInt8] {
            guard kind.isNamed else { return item }
            let name = Array(variable.name.utf8)
            return item.isEmpty && kind == .parameters ? name : name + [UInt8(ascii: "=")] + item
        }
        func pair(_ pair: Value.Pair, _ between: Character) -> [UInt8] {
            encoded(pair.name) + Array(String(between).utf8) + encoded(pair.value)
        }
        if variable.prefix != nil, case .text = value {
        } else if variable.prefix != nil {
            throw URITemplateError(position: variable.position, message: "only a text has a prefix")
        }
        switch value {
        case .text(let text):
            // Characters of the RFC are code points, not what people see as one.
            let scalars = text.unicodeScalars.prefix(variable.prefix ?? .max)
            return [named(encoded(String(scalars)))]
        case .list(let list) where variable.explodes: return list.map { named(encoded($0)) }
        case .list([]), .pairs([]): return []
        case .list(let list):
            return [named(Array(list.map { encoded($0) }.joined(separator: [UInt8(ascii: ",")])))]
        case .pairs(let pairs) where variable.explodes: return pairs.map { pair($0, "=") }
        case .pairs(let pairs):
            return [named(Array(pairs.map { pair($0, ",") }.joined(separator: [UInt8(ascii: ",")])))]
        }
    }
}
