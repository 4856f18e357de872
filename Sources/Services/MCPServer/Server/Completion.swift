// Gatehouse. SPDX-License-Identifier: MIT

import JSON

/// Finds what an argument of a prompt, or a variable of a resource template, could be.
///
/// At most a hundred values reach the client.
public typealias Completer = @Sendable (CompletionRequest) async throws -> [String]

/// What someone has typed so far (2026-07-28, server/utilities/completion).
public struct CompletionRequest: Sendable, Equatable {
    /// The beginning of the value.
    public var value: String
    /// The arguments that are settled already, by name.
    public var settled: [String: String]

    /// Makes a request.
    public init(value: String, settled: [String: String] = [:]) {
        self.value = value
        self.settled = settled
    }

    /// Those of the values that begin with what was typed, in either case of letters.
    public func matching(_ values: [String]) -> [String] {
        let prefix = value.lowercased()
        return values.filter { $0.lowercased().hasPrefix(prefix) }
    }
}

enum Completion {
    /// The most values of an answer.
    static let limit = 100

    static func wire(_ values: [String]) -> JSONValue {
        [
            "completion": [
                "values": .array(values.prefix(limit).map { .string($0) }),
                "total": .number(String(values.count)),
                "hasMore": .bool(values.count > limit),
            ]
        ]
    }
}
