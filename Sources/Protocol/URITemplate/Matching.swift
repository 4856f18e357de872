// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

extension URITemplate {
    /// Finds the values from which a URI was expanded.
    ///
    /// Values of a path are not empty, and each takes as much as it can; `{x}` stops at reserved characters, `{+x}` does
    /// not. The parameters of `{?x,y}` may come in any order and may be missing; another name, or one that comes twice,
    /// is no match. A variable that stands twice must come out the same twice; no other division is tried then.
    /// Characters beyond ASCII match themselves and their encoded form. Values come decoded: `%2F` and `..` in them are
    /// the caller's to judge.
    ///
    /// - Parameter uri: The URI.
    /// - Returns: The value of each variable that has one; nil if the URI is not of this template.
    package func match(_ uri: String) -> [String: String]? {
        guard let matching, uri.utf8.count <= Self.longestURI, let bytes = PercentEncoding.normalized(uri)
        else {
            return nil
        }
        return matching.match(bytes)
    }

    /// What a template looks for: a fixed part, then perhaps a query, then perhaps a fragment.
    struct Matching: Sendable, Equatable {
        /// A step through the fixed part.
        enum Step: Sendable, Equatable {
            /// These bytes.
            case literal([UInt8])
            /// The value of a variable: bytes of a class, at least so many.
            case value(String, ByteClass, minimum: Int)
            /// The name of a variable, which is empty if no value follows.
            case name(String)
            /// On with the next step, or from another one; the next is preferred.
            case optional(Int)
        }

        /// Which bytes a value may have.
        struct ByteClass: Sendable, Equatable {
            var allowsReserved: Bool
            var except: [UInt8] = []

            func contains(_ byte: UInt8) -> Bool {
                let isIn =
                    PercentEncoding.isUnreserved(byte) || byte == UInt8(ascii: "%")
                    || allowsReserved && PercentEncoding.isReserved(byte)
                return isIn && !except.contains(byte)
            }
        }

        /// The parameters at the end.
        struct Query: Sendable, Equatable {
            /// `?`, or `&` where the fixed part has the question mark.
            var first: UInt8
            /// How many of these stand in the fixed part.
            var before: Int
            var names: [String]
        }

        private var steps: [Step] = []
        private var query: Query?
        private var fragment: [Step]?

        /// Plans the match; nil if there is none for such a template.
        init?(_ parts: [Part]) {
            var rest = parts[...]
            if case .expression(let last)? = rest.last, last.kind == .fragment {
                var steps = Builder()
                steps.append(last, except: [])
                fragment = steps.steps
                rest.removeLast()
            }
            var forms: [Expression] = []
            while case .expression(let last)? = rest.last, last.kind.isForm {
                forms.insert(last, at: 0)
                rest.removeLast()
            }
            if let first = forms.first {
                guard forms.dropFirst().allSatisfy({ $0.kind == .continuation }) else { return nil }
                query = Query(
                    first: first.kind.rawValue,
                    before: 0,
                    names: forms.flatMap(\.variables).map(\.name)
                )
            }
            var builder = Builder()
            var except: [UInt8] = fragment == nil ? [] : [UInt8(ascii: "#")]
            if let query { except.append(query.first) }
            for part in rest {
                switch part {
                case .literal(let bytes):
                    builder.steps.append(.literal(bytes))
                    if let first = query?.first { query?.before += bytes.count { $0 == first } }
                case .expression(let expression):
                    guard !expression.kind.isForm, expression.kind != .fragment else { return nil }
                    builder.append(expression, except: except)
                }
            }
            steps = builder.steps
            let variables = parts.flatMap { part -> [Variable] in
                if case .expression(let expression) = part { expression.variables } else { [] }
            }
            guard variables.allSatisfy({ !$0.explodes && $0.prefix == nil }) else { return nil }
        }

        /// Matches a URI whose encoding is normalized.
        func match(_ uri: [UInt8]) -> [String: String]? {
            var found: [String: String] = [:]
            var rest = uri[...]
            if let fragment, let mark = rest.firstIndex(of: UInt8(ascii: "#")) {
                guard Walk(fragment, rest[mark...])?.take(into: &found) == true else { return nil }
                rest = rest[..<mark]
            }
            if let query {
                let (fixed, parameters) = Self.divide(rest, query)
                guard Self.read(parameters, query, into: &found) else { return nil }
                rest = fixed
            }
            guard Walk(steps, rest)?.take(into: &found) == true else { return nil }
            return found
        }

        /// Divides a URI before the query; what follows the mark, nil if there is none.
        private static func divide(
            _ uri: ArraySlice<UInt8>,
            _ query: Query
        ) -> (ArraySlice<UInt8>, ArraySlice<UInt8>?) {
            var passed = 0
            for index in uri.indices where uri[index] == query.first {
                if passed == query.before { return (uri[..<index], uri[(index + 1)...]) }
                passed += 1
            }
            return (uri, nil)
        }

        private static func read(
            _ parameters: ArraySlice<UInt8>?,
            _ query: Query,
            into found: inout [String: String]
        ) -> Bool {
            guard let parameters else { return true }
            var names = query.names
            for parameter in parameters.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false)
            {
                let halves = parameter.split(
                    separator: UInt8(ascii: "="),
                    maxSplits: 1,
                    omittingEmptySubsequences: false
                )
                let isKnown = { (name: String) in halves[0].elementsEqual(name.utf8) }
                guard let place = names.firstIndex(where: isKnown),
                    let value = PercentEncoding.decoded(halves.count > 1 ? halves[1] : [])
                else { return false }
                guard found.updateValue(value, forKey: names[place]) ?? value == value else { return false }
                names.remove(at: place)
            }
            return true
        }
    }
}

extension URITemplate.Matching {
    /// Puts the steps of expressions together.
    struct Builder {
        var steps: [Step] = []

        mutating func append(_ expression: URITemplate.Expression, except: [UInt8]) {
            let kind = expression.kind
            // What divides several values is in none of them.
            let divides = expression.variables.count > 1 && (kind == .label || kind.allowsReserved)
            let bytes = ByteClass(
                allowsReserved: kind.allowsReserved,
                except: except + (divides ? [kind.separator] : [])
            )
            var starts: [Int] = []
            for (index, variable) in expression.variables.enumerated() {
                if index > 0 || !kind.first.isEmpty {
                    starts.append(steps.count)
                    steps.append(.optional(0))
                    steps.append(.literal(index == 0 ? kind.first : [kind.separator]))
                }
                guard kind.isNamed else {
                    steps.append(.value(variable.name, bytes, minimum: 1))
                    continue
                }
                steps.append(.name(variable.name))
                steps.append(.optional(steps.count + 3))
                steps.append(.literal([UInt8(ascii: "=")]))
                steps.append(.value(variable.name, bytes, minimum: 0))
                // Parameters are missing each for itself, other values only from the first missing one on.
                steps[starts.removeLast()] = .optional(steps.count)
            }
            for start in starts { steps[start] = .optional(steps.count) }
        }
    }

    /// The walk of one URI through steps, from the end first: from which step, at which byte, can the end be reached.
    private struct Walk {
        private let steps: [Step]
        private let bytes: ArraySlice<UInt8>
        private let width: Int
        private var reaches: [Bool]

        /// Nil if the URI does not match.
        init?(_ steps: [Step], _ bytes: ArraySlice<UInt8>) {
            // Most URIs are of another template, and show it at once.
            if case .literal(let first)? = steps.first, !bytes.starts(with: first) { return nil }
            self.steps = steps
            self.bytes = bytes
            width = bytes.count + 1
            reaches = Array(repeating: false, count: (steps.count + 1) * width)
            reaches[steps.count * width + bytes.count] = true
            for step in steps.indices.reversed() {
                for place in stride(from: bytes.count, through: 0, by: -1) {
                    reaches[step * width + place] = look(step, place)
                }
            }
            guard reaches[0] else { return nil }
        }

        private func reaches(_ step: Int, _ place: Int) -> Bool {
            place < width && reaches[step * width + place]
        }

        private func follows(_ literal: [UInt8], _ step: Int, _ place: Int) -> Bool {
            bytes.dropFirst(place).starts(with: literal) && reaches(step + 1, place + literal.count)
        }

        private func look(_ step: Int, _ place: Int) -> Bool {
            switch steps[step] {
            case .literal(let literal): return follows(literal, step, place)
            case .name(let name): return follows(Array(name.utf8), step, place)
            case .value(_, let allowed, let minimum):
                if minimum == 0, reaches(step + 1, place) { return true }
                guard place < bytes.count, allowed.contains(bytes[bytes.startIndex + place]) else {
                    return false
                }
                return reaches(step + 1, place + 1) || reaches(step, place + 1)
            case .optional(let other): return reaches(step + 1, place) || reaches(other, place)
            }
        }

        /// Takes the values; false if they cannot be decoded or contradict each other.
        func take(into found: inout [String: String]) -> Bool {
            var step = 0
            var place = 0
            while step < steps.count {
                switch steps[step] {
                case .literal(let literal):
                    place += literal.count
                    step += 1
                case .name(let name):
                    guard found.updateValue("", forKey: name) == nil else { return false }
                    place += name.utf8.count
                    step += 1
                case .optional(let other): step = reaches(step + 1, place) ? step + 1 : other
                case .value(let name, let allowed, let minimum):
                    let start = place
                    if minimum == 1 { place += 1 }
                    while place < bytes.count, allowed.contains(bytes[bytes.startIndex + place]),
                        reaches(step, place + 1) || reaches(step + 1, place + 1)
                    { place += 1 }
                    let taken = bytes[bytes.startIndex + start..<bytes.startIndex + place]
                    guard let value = PercentEncoding.decoded(taken) else { return false }
                    guard minimum == 0 || found[name] ?? value == value else { return false }
                    found[name] = value
                    step += 1
                }
            }
            return true
        }
    }
}
