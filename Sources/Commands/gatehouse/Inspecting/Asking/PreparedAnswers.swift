// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPClient

/// Answers that were given before anything was asked, so that a script needs no user.
///
/// One is found by the key of a question, for a form by the names of its fields if they are enough for it, by the kind
/// (`elicitation`, `sampling`, `roots`), or by the method, in this order. Several under one name are used one after the other; the last one is used again and again.
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
        if let key = request.key, let value = take(key) { return Self.answer(value, to: request) }
        if let answer = form(request) { return .success(answer) }
        for name in [Self.kind(of: request.method), request.method].compactMap(\.self) {
            if let value = take(name) { return Self.answer(value, to: request) }
        }
        return nil
    }

    private func has(_ name: String) -> Bool { answers.contains { $0.name.utf8.elementsEqual(name.utf8) } }

    private mutating func take(_ name: String) -> JSONValue? {
        guard let index = answers.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
            return nil
        }
        let isLast = answers[index].values.count == 1
        return isLast ? answers[index].values[0] : answers[index].values.removeFirst()
    }

    /// A form filled in with answers under the names of its fields; nil if they are not enough.
    private mutating func form(_ request: ServerRequest) -> JSONValue? {
        guard request.method == "elicitation/create", request.params["mode"]?.string != "url" else {
            return nil
        }
        let fields = ElicitationField.all(in: request.params["requestedSchema"] ?? .null)
        let isEnough = fields.allSatisfy { has($0.name) || !$0.isRequired || $0.initial != nil }
        guard isEnough, fields.contains(where: { has($0.name) }) else { return nil }
        let content = fields.compactMap { field in take(field.name).map { JSONValue.Member(field.name, $0) } }
        return ["action": "accept", "content": .object(content)]
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
        guard let field = fields.first(where: \.isRequired) ?? fields.first else {
            return ["action": "cancel"]
        }
        return ["action": "accept", "content": .object([.init(field.name, value)])]
    }
}
