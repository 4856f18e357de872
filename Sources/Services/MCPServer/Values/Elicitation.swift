// Gatehouse. SPDX-License-Identifier: MIT

public import JSON

/// What a person did with a question.
public enum ElicitationAction: String, Sendable, Equatable {
    /// They agreed.
    case accept
    /// They said no.
    case decline
    /// They went away without a decision.
    case cancel

    /// Reads a client's answer.
    ///
    /// - Throws: `AskError.malformed` if it is none.
    public init(_ answer: JSONValue) throws {
        guard let action = answer["action"]?.string.flatMap(Self.init(rawValue:)) else {
            throw AskError.malformed("the answer has no action that is accept, decline or cancel")
        }
        self = action
    }
}

/// What a person did with a form.
public enum Elicitation<Form: Parameters>: Sendable {
    /// They filled it in; fields that they left out have their defaults.
    case accept(Form)
    /// They said no.
    case decline
    /// They went away without a decision.
    case cancel

    /// Reads a client's answer.
    ///
    /// - Throws: `AskError.malformed` if it is none, or what was filled in does not fit the form.
    public init(_ answer: JSONValue) throws {
        switch try ElicitationAction(answer) {
        case .decline: self = .decline
        case .cancel: self = .cancel
        case .accept:
            do {
                let content = answer["content"] ?? .object([])
                self = .accept(try Declarations(Form.self).decode(Form.self, content))
            } catch let issues as ArgumentIssues {
                throw AskError.malformed(issues.description)
            }
        }
    }

    /// The form, if it was filled in.
    public var accepted: Form? {
        if case .accept(let form) = self { form } else { nil }
    }
}

/// A folder that a person works in.
public struct Root: Sendable, Equatable {
    /// Its URI, a `file` one.
    public var uri: String
    /// Its name, for people.
    public var name: String?

    /// Makes a root.
    public init(uri: String, name: String? = nil) {
        self.uri = uri
        self.name = name
    }

    /// Reads a client's answer.
    ///
    /// - Throws: `AskError.malformed` if it is none.
    public static func list(_ answer: JSONValue) throws -> [Root] {
        guard let roots = answer["roots"]?.array else { throw AskError.malformed("the answer has no roots") }
        return try roots.map { root in
            guard let uri = root["uri"]?.string else { throw AskError.malformed("a root has no URI") }
            return Root(uri: uri, name: root["name"]?.string)
        }
    }
}
