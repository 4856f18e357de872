// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPClient

/// A conversation with the user about one question of a server, line by line.
///
/// It starts with what it says first and its first prompt, takes a line for each prompt, and ends with the answer.
protocol Dialogue {
    /// What is said before the first prompt.
    var opening: [String] { get }
    /// What stands before the line that is to be entered.
    var prompt: String { get }
    /// Takes a line.
    mutating func take(_ line: String) -> DialogueStep
    /// The answer if no other line will come.
    var answerAtEnd: Result<JSONValue, Failure> { get }
}

/// What follows from a line.
enum DialogueStep: Equatable {
    /// Say this, and prompt again.
    case more([String])
    /// This is the answer.
    case done(Result<JSONValue, Failure>)
}

/// Finds the dialogue for a question.
enum Dialogues {
    /// The dialogue; nil for questions that no user is asked.
    static func of(_ request: ServerRequest, _ style: Style) -> (any Dialogue)? {
        switch request.method {
        case "elicitation/create" where request.params["mode"]?.string == "url":
            ConsentDialogue(request, style)
        case "elicitation/create": FormDialogue(request, style)
        case "sampling/createMessage": SamplingDialogue(request, style)
        default: nil
        }
    }

    /// Who asks what, as the first line of a dialogue.
    static func heading(_ text: String, _ request: ServerRequest, _ style: Style) -> String {
        let key = request.key.map { style.dim(" (\(Style.safe($0)))") } ?? ""
        return style.bold(text) + key
    }

    /// What a user said no to (2025-11-25, sampling, "Error Handling").
    static let refusal = Failure(ErrorCode(-1), "The user does not answer this", source: .client)
}
