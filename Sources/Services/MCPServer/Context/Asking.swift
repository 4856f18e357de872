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
    /// Asks the client one thing.
    ///
    /// - Parameter question: What is asked.
    /// - Returns: The result that the client gave.
    /// - Throws: What `ask(_:)` of several does.
    public func ask(_ question: InputRequest) async throws -> JSONValue {
        guard let answer = try await ask([question])[question.key] else {
            throw AskError.malformed("there is no answer to \(question.key)")
        }
        return answer
    }

    /// Asks the person to fill in a form (2026-07-28, client/elicitation).
    ///
    /// - Parameters:
    ///   - message: What the person is told.
    ///   - form: The fields, which are texts, numbers, truth values, choices, or several of a choice.
    ///   - key: The question's name among those of the request.
    /// - Returns: What the person did.
    /// - Throws: `AskError.malformed` if what came does not fit the form, with the fields; else what `ask(_:)` does.
    public func elicit<Form: Parameters>(
        _ message: String,
        as form: Form.Type,
        key: String = "form"
    ) async throws -> Elicitation<Form> {
        try Elicitation(try await ask(.form(key, message, as: form)))
    }

    /// Asks the person to open a page, and waits until the client says that it was opened or not.
    ///
    /// What the person does there is learned by other means; the page must make sure that it is the same person.
    ///
    /// - Parameters:
    ///   - url: The page.
    ///   - message: Why it should be opened.
    ///   - key: The question's name among those of the request.
    /// - Returns: What the person did.
    /// - Throws: What `ask(_:)` does.
    public func elicit(url: String, _ message: String, key: String = "page") async throws -> ElicitationAction
    {
        try ElicitationAction(try await ask(.page(key, url: url, message)))
    }

    /// Asks the client's model (2026-07-28, client/sampling).
    ///
    /// - Parameters:
    ///   - request: What it is asked.
    ///   - key: The question's name among those of the request.
    /// - Returns: What it said.
    /// - Throws: What `ask(_:)` does.
    public func sample(_ request: SamplingRequest, key: String = "sampling") async throws -> SamplingResult {
        try SamplingResult(try await ask(.sampling(key, request)))
    }

    /// Asks which folders the person works in (2026-07-28, client/roots).
    public func roots(key: String = "roots") async throws -> [Root] {
        try Root.list(try await ask(.roots(key)))
    }
}

extension InputRequest {
    /// A form for a person to fill in; `Elicitation` reads its answer.
    public static func form<Form: Parameters>(
        _ key: String,
        _ message: String,
        as form: Form.Type
    ) -> InputRequest {
        let schema = Declarations(form).schema(.form)
        return InputRequest(
            key: key,
            method: "elicitation/create",
            params: ["message": .string(message), "requestedSchema": schema]
        )
    }

    /// A page for a person to open; `ElicitationAction` reads its answer.
    public static func page(_ key: String, url: String, _ message: String) -> InputRequest {
        InputRequest(
            key: key,
            method: "elicitation/create",
            params: ["mode": "url", "message": .string(message), "url": .string(url)]
        )
    }

    /// A question to the client's model; `SamplingResult` reads its answer.
    public static func sampling(_ key: String, _ request: SamplingRequest) -> InputRequest {
        InputRequest(key: key, method: "sampling/createMessage", params: request.wire)
    }

    /// A question for the folders that the person works in; `Root.list` reads its answer.
    public static func roots(_ key: String) -> InputRequest {
        InputRequest(key: key, method: "roots/list", params: .object([]))
    }
}
