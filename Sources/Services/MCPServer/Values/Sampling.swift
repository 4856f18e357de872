// Gatehouse. SPDX-License-Identifier: MIT

public import JSON

/// A question to the client's model (2026-07-28, client/sampling).
public struct SamplingRequest: Sendable, Equatable {
    /// The conversation so far.
    public var messages: [PromptMessage]
    /// The most tokens of the answer.
    public var maxTokens: Int
    /// What the model is told beforehand.
    public var systemPrompt: String?
    /// How freely it answers.
    public var temperature: Double?
    /// Where it stops.
    public var stopSequences: [String]
    /// Other members of the request as the protocol has them: `modelPreferences`, `tools`, `toolChoice`, `metadata`.
    public var others: JSONValue?

    /// Makes a question.
    public init(
        _ messages: [PromptMessage],
        maxTokens: Int,
        systemPrompt: String? = nil,
        temperature: Double? = nil,
        stopSequences: [String] = [],
        others: JSONValue? = nil
    ) {
        self.messages = messages
        self.maxTokens = maxTokens
        self.systemPrompt = systemPrompt
        self.temperature = temperature
        self.stopSequences = stopSequences
        self.others = others
    }

    /// Makes a question of one text.
    public init(_ text: String, maxTokens: Int) {
        self.init([.user(text)], maxTokens: maxTokens)
    }

    var wire: JSONValue {
        let own = JSONValue.of([
            "messages": .array(messages.map(\.wire)), "maxTokens": .number(String(maxTokens)),
            "systemPrompt": systemPrompt.map { .string($0) }, "temperature": .number(of: temperature),
            "stopSequences": .strings(stopSequences),
        ])
        return (others?.members ?? []).reduce(own) { $0.setting($1.name, $1.value) }
    }
}

/// What the client's model said.
public struct SamplingResult: Sendable, Equatable {
    /// The blocks, as the protocol has them.
    public var content: [JSONValue]
    /// Who speaks.
    public var role: String
    /// The model that answered.
    public var model: String
    /// Why it stopped.
    public var stopReason: String?

    /// Its text.
    public var text: String { content.compactMap { $0["text"]?.string }.joined() }

    /// Reads a client's answer.
    ///
    /// - Throws: `AskError.malformed` if it is none.
    public init(_ answer: JSONValue) throws {
        guard let content = answer["content"] else {
            throw AskError.malformed("the answer has no content")
        }
        // One block, or since 2025-11-25 several.
        self.content = content.array ?? [content]
        role = answer["role"]?.string ?? "assistant"
        model = answer["model"]?.string ?? ""
        stopReason = answer["stopReason"]?.string
    }
}
