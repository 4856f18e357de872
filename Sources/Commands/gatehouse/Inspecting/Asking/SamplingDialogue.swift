// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPClient

/// Lets the user answer in the place of a language model: lines, up to an empty one.
struct SamplingDialogue: Dialogue {
    private let request: ServerRequest
    private let style: Style
    private var lines: [String] = []

    init(_ request: ServerRequest, _ style: Style) {
        self.request = request
        self.style = style
    }

    var opening: [String] {
        var said = [Dialogues.heading("The server asks for a model's answer:", request, style)]
        if let system = request.params["systemPrompt"]?.string {
            said += [style.bold("  system:"), style.wrapped(system, indent: 4)]
        }
        for message in request.params["messages"]?.array ?? [] {
            said.append(style.bold("  " + Style.safe(message["role"]?.string ?? "") + ":"))
            let blocks = message["content"]?.array ?? [message["content"] ?? .null]
            let texts = ["content": .array(blocks)] as JSONValue
            said.append(style.wrapped(ResultText(style: style).call(texts), indent: 4))
        }
        if let most = request.params["maxTokens"]?.integer {
            said.append(style.dim("  at most \(most) tokens"))
        }
        said.append(style.dim("Answer as the model would, and end with an empty line; /decline refuses."))
        return said
    }

    var prompt: String { "> " }

    var answerAtEnd: Result<JSONValue, Failure> { answer }

    mutating func take(_ line: String) -> DialogueStep {
        if line == "/decline" || line == "/cancel" { return .done(.failure(Dialogues.refusal)) }
        guard line.utf8.isEmpty else {
            lines.append(line)
            return .more([])
        }
        guard !lines.isEmpty else { return .more([style.yellow("enter an answer, or /decline")]) }
        return .done(answer)
    }

    private var answer: Result<JSONValue, Failure> {
        lines.isEmpty ? .failure(Dialogues.refusal) : .success(Self.result(lines.joined(separator: "\n")))
    }

    /// A text as the result of `sampling/createMessage`.
    static func result(_ text: String) -> JSONValue {
        [
            "role": "assistant", "content": ["type": "text", "text": .string(text)], "model": "human",
            "stopReason": "endTurn",
        ]
    }
}
