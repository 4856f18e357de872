// Gatehouse. SPDX-License-Identifier: MIT

public import JSON
import MCPCore

/// What the person said to a question (2026-07-28, client/elicitation).
public enum ElicitationAnswer: Sendable, Equatable {
    /// Yes; what was filled in, an object (empty for a URL).
    case accept(JSONValue)
    /// No.
    case decline
    /// Nothing: the question was put away.
    case cancel

    /// Reads the result that a client gave.
    ///
    /// - Throws: `AskError.malformed` if it is none.
    public init(_ result: JSONValue) throws {
        switch result["action"]?.string {
        case "accept": self = .accept(result["content"] ?? .object([]))
        case "decline": self = .decline
        case "cancel": self = .cancel
        default: throw AskError.malformed("action must be accept, decline or cancel")
        }
    }

    /// What was filled in, if anything was.
    public var content: JSONValue? {
        guard case .accept(let content) = self else { return nil }
        return content
    }
}

extension InputRequest {
    /// A form for the person to fill in.
    ///
    /// - Parameters:
    ///   - message: What is asked, and why.
    ///   - schema: The fields: an object of type `object` with properties of primitive types.
    ///   - key: Its name among the questions of the call.
    /// - Returns: The question; `ElicitationAnswer` reads its answer.
    public static func form(_ message: String, schema: JSONValue, key: String) -> InputRequest {
        InputRequest(
            key: key,
            method: Method.elicit.rawValue,
            params: ["message": .string(message), "requestedSchema": schema]
        )
    }

    /// A page for the person to open; it must not carry the person's data or be signed in already.
    public static func url(_ message: String, url: String, key: String) -> InputRequest {
        InputRequest(
            key: key,
            method: Method.elicit.rawValue,
            params: ["mode": "url", "message": .string(message), "url": .string(url)]
        )
    }
}

extension Asking {
    /// Asks the person to fill in a form, and waits.
    ///
    /// - Parameters:
    ///   - message: What is asked, and why.
    ///   - schema: The fields: an object of type `object` with properties of primitive types.
    ///   - key: Its name among the questions of the call.
    /// - Returns: What the person said; fields that the schema requires are there.
    /// - Throws: `AskError`, or `CancellationError` if the request is over.
    public func elicit(
        _ message: String,
        schema: JSONValue,
        key: String = "elicitation"
    ) async throws -> ElicitationAnswer {
        let answers = try await ask([.form(message, schema: schema, key: key)])
        let answer = try ElicitationAnswer(answers[key] ?? .null)
        if let content = answer.content {
            for name in schema["required"]?.array ?? [] {
                guard let name = name.string, content[name] == nil else { continue }
                throw AskError.malformed("the answer lacks \(name)")
            }
        }
        return answer
    }

    /// Asks the person to open a page, and waits for the answer to that, not for what happens on the page.
    ///
    /// - Parameters:
    ///   - message: Why.
    ///   - url: The page.
    ///   - key: Its name among the questions of the call.
    /// - Returns: Whether the person agreed.
    /// - Throws: `AskError`, or `CancellationError` if the request is over.
    public func openURL(
        _ message: String,
        url: String,
        key: String = "url"
    ) async throws -> ElicitationAnswer {
        let answers = try await ask([.url(message, url: url, key: key)])
        return try ElicitationAnswer(answers[key] ?? .null)
    }
}
