// Gatehouse. SPDX-License-Identifier: MIT

public import JSON

/// Who can ask the client: the context of a request, and that of a tool's call.
///
/// A question suspends until its answer comes, in both eras: older clients get a request, newer ones are answered with
/// the question and call again, which wakes the one that asked. Nothing runs twice.
public protocol Asking: Sendable {
    /// Asks the client several things at once and waits for all answers.
    func ask(_ questions: [InputRequest]) async throws -> [String: JSONValue]
}

extension RequestContext: Asking {}

extension Asking {
    /// Asks the person to fill in a form whose fields are declared, and waits.
    ///
    /// ```swift
    /// guard case .accept(let form) = try await context.elicit("Who are you?", as: SignUp.self) else { … }
    /// ```
    ///
    /// - Parameters:
    ///   - message: What is asked, and why.
    ///   - form: The fields, which are texts, numbers, truth values, choices, or several of a choice.
    ///   - key: Its name among the questions of the call.
    /// - Returns: What the person said.
    /// - Throws: `AskError.malformed` if what came does not fit the form, with the names of the fields; else what
    ///   `ask(_:)` throws.
    public func elicit<Form: Parameters>(
        _ message: String,
        as form: Form.Type,
        key: String = "elicitation"
    ) async throws -> Elicitation<Form> {
        let answers = try await ask([.form(message, as: form, key: key)])
        return try Elicitation(answers[key] ?? .null)
    }
}

extension InputRequest {
    /// A form for the person to fill in, with declared fields; `Elicitation` reads its answer.
    public static func form<Form: Parameters>(
        _ message: String,
        as form: Form.Type,
        key: String
    ) -> InputRequest {
        .form(message, schema: Declarations(form).schema(.form), key: key)
    }
}

/// What the person said to a form whose fields are declared.
public enum Elicitation<Form: Parameters>: Sendable {
    /// They filled it in; fields that they left out have their defaults.
    case accept(Form)
    /// They said no.
    case decline
    /// They put the question away.
    case cancel

    /// Reads the result that a client gave.
    ///
    /// - Throws: `AskError.malformed` if it is none, or what was filled in does not fit the form.
    public init(_ result: JSONValue) throws {
        switch try ElicitationAnswer(result) {
        case .decline: self = .decline
        case .cancel: self = .cancel
        case .accept(let content):
            do {
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
