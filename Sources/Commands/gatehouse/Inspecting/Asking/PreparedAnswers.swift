// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPClient

/// Answers that were given before anything was asked, so that a script needs no user.
///
/// One is found by the key of a question, by its kind (`elicitation`, `sampling`, `roots`), or by its method, in this
/// order. Several under one name are used one after the other; the last one is used again and again.
struct PreparedAnswers {
    private var answers: [(name: String, values: [JSONValue])] = []

    /// Adds an answer.
    mutating func add(_ name: String, _ value: JSONValue) {
        if let index = answers.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) {
            answers[index].values.append(value)
        } else {
            answers.append((name, [value]))
        }
    }

    /// Adds the members of an object, as a file has them; nil for anything else.
    mutating func add(_ file: JSONValue) -> Bool {
        guard let members = file.members else { return false }
        for member in members { add(member.name, member.value) }
        return true
    }

    /// The answer to a question, if there is one.
    mutating func take(_ request: ServerRequest) -> Result<JSONValue, Failure>? {
        let names = [request.key, Self.kind(of: request.method), request.method].compactMap(\.self)
        for name in names {
            guard let index = answers.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
                continue
            }
            let value =
                answers[index].values.count > 1 ? answers[index].values.removeFirst() : answers[index].values[0]
            return Self.answer(value, to: request)
        }
        return nil
    }

    private static func kind(of method: String) -> String? {
        switch method {
        case "elicitation/create": "elicitation"
        case "sampling/createMessage": "sampling"
        case "roots/list": "roots"
        default: nil
        }
    }

    /// What a value means as the answer to a question.
    private static func answer(_ value: JSONValue, to request: ServerRequest) -> Result<JSONValue, Failure> {
        switch request.method {
        case "elicitation/create": return .success(elicitation(value, request.params))
        case "sampling/createMessage":
            if value == .null { return .failure(Dialogues.refusal) }
            return .success(value.string.map(SamplingDialogue.result) ?? value)
        default: return .success(value.array == nil ? value : .object([.init("roots", value)]))
        }
    }

    /// A whole result, a word for what to do, the contents of a form, or the value of its only field.
    private static func elicitation(_ value: JSONValue, _ params: JSONValue) -> JSONValue {
        if value["action"]?.string != nil { return value }
        if value == .null { return ["action": "cancel"] }
        if let word = value.string, ["accept", "decline", "cancel"].contains(word) {
            return ["action": .string(word)]
        }
        if value.members != nil { return ["action": "accept", "content": value] }
        let fields = ElicitationField.all(in: params["requestedSchema"] ?? .null)
        guard let field = fields.first(where: \.isRequired) ?? fields.first else { return ["action": "cancel"] }
        return ["action": "accept", "content": .object([.init(field.name, value)])]
    }
}
