// Gatehouse. SPDX-License-Identifier: MIT

public import JSON
import MCPCore

/// What the client's model is asked (2026-07-28, client/sampling).
public struct SamplingRequest: Sendable, Equatable {
    /// The conversation so far.
    public var messages: [PromptMessage]
    /// How many tokens the answer may have.
    public var maxTokens: Int
    /// What the model is to be.
    public var systemPrompt: String?
    /// How much chance there is in the answer.
    public var temperature: Double?
    /// What ends the answer.
    public var stopSequences: [String]
    /// Anything else that the parameters have, such as `modelPreferences` or `tools`.
    public var more: [JSONValue.Member]

    /// Makes a request.
    public init(
        _ messages: [PromptMessage],
        maxTokens: Int,
        systemPrompt: String? = nil,
        temperature: Double? = nil,
        stopSequences: [String] = [],
        more: [JSONValue.Member] = []
    ) {
        self.messages = messages
        self.maxTokens = maxTokens
        self.systemPrompt = systemPrompt
        self.temperature = temperature
        self.stopSequences = stopSequences
        self.more = more
    }

    var wire: JSONValue {
        let params = JSONValue.of([
            "messages": .array(messages.map(\.wire)), "maxTokens": .number(String(maxTokens)),
            "systemPrompt": systemPrompt.map { .string($0) }, "temperature": .number(of: temperature),
            "stopSequences": .strings(stopSequences),
        ])
        return more.reduce(params) { $0.setting($1.name, $1.value) }
    }
}

/// What the client's model said.
public struct SamplingAnswer: Sendable, Equatable {
    /// Who speaks: the model, as a rule.
    public var role: String
    /// The blocks of what it said, as the client wrote them.
    public var content: [JSONValue]
    /// Its name.
    public var model: String?
    /// Why it stopped.
    public var stopReason: String?

    /// Reads the result that a client gave.
    ///
    /// - Throws: `AskError.malformed` if it is none.
    public init(_ result: JSONValue) throws {
        guard let role = result["role"]?.string, let content = result["content"] else {
            throw AskError.malformed("role and content must be there")
        }
        self.role = role
        self.content = content.array ?? [content]
        model = result["model"]?.string
        stopReason = result["stopReason"]?.string
    }

    /// The text of its blocks.
    public var text: String {
        content.compactMap { $0["type"]?.string == "text" ? $0["text"]?.string : nil }.joined()
    }
}

extension InputRequest {
    /// A question to the client's model; `SamplingAnswer` reads its answer.
    public static func sampling(_ request: SamplingRequest, key: String) -> InputRequest {
        InputRequest(key: key, method: Method.createMessage.rawValue, params: request.wire)
    }
}

extension Asking {
    /// Asks the client's model, and waits.
    ///
    /// - Parameters:
    ///   - request: What it is asked.
    ///   - key: Its name among the questions of the call.
    /// - Returns: What it said.
    /// - Throws: `AskError`, or `CancellationError` if the request is over.
    public func sample(_ request: SamplingRequest, key: String = "sampling") async throws -> SamplingAnswer {
        let answers = try await ask([.sampling(request, key: key)])
        return try SamplingAnswer(answers[key] ?? .null)
    }
}
