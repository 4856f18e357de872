// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPClient

/// Answers what a server asks: from what was prepared, with the roots, or by asking the user, one question at a time.
///
/// It is the loop's. At the end of the input, what is open is broken off.
final class Asker {
    /// Is told when the user is asked nothing any more.
    var onIdle: () -> Void = {}
    private var prepared: PreparedAnswers
    private let roots: [String]
    private let lines: LineSource
    private let talk: Talk
    private let style = Style(of: 2)
    private var queue: [ServerQuestion] = []
    private var current: (question: ServerQuestion, dialogue: any Dialogue)?

    init(_ prepared: PreparedAnswers, roots: [String], _ lines: LineSource, _ talk: Talk) {
        self.prepared = prepared
        self.roots = roots
        self.lines = lines
        self.talk = talk
    }

    /// Whether the user is being asked.
    var isAsking: Bool { current != nil }

    func take(_ question: ServerQuestion) {
        if let answer = prepared.take(question.request) { return question.answer(answer) }
        if question.request.method == "roots/list" {
            return question.answer(.success(["roots": .array(roots.map(Self.root))]))
        }
        question.onWithdrawn = { [weak self, weak question] in self?.withdrawn(question) }
        queue.append(question)
        if current == nil { askNext() }
    }

    private static func root(_ uri: String) -> JSONValue {
        let name = uri.split(separator: "/").last.map(String.init) ?? "/"
        return ["uri": .string(uri), "name": .string(name)]
    }

    private func askNext() {
        guard !queue.isEmpty else { return onIdle() }
        let question = queue.removeFirst()
        guard let dialogue = Dialogues.of(question.request, style) else {
            question.answer(.failure(Failure(.methodNotFound, "Nobody answers this here", source: .client)))
            return askNext()
        }
        current = (question, dialogue)
        for line in dialogue.opening { talk.say(line) }
        prompt()
    }

    private func prompt() {
        guard let current else { return }
        talk.prompt(current.dialogue.prompt)
        lines.next { [weak self] in self?.take($0) }
    }

    private func take(_ line: String?) {
        guard let (question, before) = current else { return }
        var dialogue = before
        guard let line else {
            talk.say("")
            current = nil
            question.answer(dialogue.answerAtEnd)
            return askNext()
        }
        if !lines.isTerminal { talk.say(Style.safe(line)) }
        switch dialogue.take(line) {
        case .more(let said):
            for text in said { talk.say(text) }
            current = (question, dialogue)
            prompt()
        case .done(let answer):
            current = nil
            question.answer(answer)
            askNext()
        }
    }

    private func withdrawn(_ question: ServerQuestion?) {
        guard let question else { return }
        queue.removeAll { $0 === question }
        guard current?.question === question else { return }
        current = nil
        lines.cancel()
        talk.say("")
        talk.say(style.dim("The question is not asked any more."))
        askNext()
    }
}
