// Gatehouse. SPDX-License-Identifier: MIT

/// What is wrong with one field.
struct ArgumentIssue: Error, Sendable, Equatable, CustomStringConvertible {
    /// Where it is, such as `lines[2].amount`; empty for the whole.
    var path: String
    /// What is wrong, in words that follow the path.
    var message: String

    init(_ path: [any CodingKey], _ message: String) {
        self.path = Self.text(path)
        self.message = message
    }

    var description: String { path.isEmpty ? "the arguments \(message)" : "\(path) \(message)" }

    /// A path as people write it.
    private static func text(_ path: [any CodingKey]) -> String {
        path.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
    }
}

/// All that is wrong with what a client filled in.
struct ArgumentIssues: Error, Sendable, Equatable, CustomStringConvertible {
    var issues: [ArgumentIssue]

    var description: String {
        "Invalid arguments: " + issues.map(\.description).joined(separator: "; ")
    }
}

/// Gathers what is wrong, up to a limit.
final class Report {
    private(set) var issues: [ArgumentIssue] = []
    /// More would help nobody.
    private static let limit = 32

    func add(_ issue: ArgumentIssue) {
        if issues.count < Self.limit { issues.append(issue) }
    }
}

/// A step of a path: a name or an index.
struct PathKey: CodingKey {
    var stringValue: String
    var intValue: Int?

    init(_ name: String) { stringValue = name }

    init(_ index: Int) {
        stringValue = String(index)
        intValue = index
    }

    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { self.init(intValue) }
}
