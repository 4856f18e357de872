// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPClient
import Testing

@testable import gatehouse

@Suite struct DialogueTests {
    private let style = Style(isTerminal: false, hasColours: false, width: 80)

    private func request(_ method: String, _ params: JSONValue, key: String? = nil) -> ServerRequest {
        ServerRequest(id: "1", key: key, method: method, params: params)
    }

    private func form(_ properties: JSONValue, required: JSONValue = []) -> FormDialogue {
        let schema: JSONValue = ["type": "object", "properties": properties, "required": required]
        return FormDialogue(
            request("elicitation/create", ["message": "Hello?", "requestedSchema": schema], key: "k"),
            style
        )
    }

    /// Gives lines until there is an answer; what was said meanwhile.
    private func enter(
        _ lines: [String],
        _ dialogue: some Dialogue
    ) -> (said: [String], answer: Result<JSONValue, Failure>?) {
        var dialogue = dialogue
        var said: [String] = []
        for line in lines {
            switch dialogue.take(line) {
            case .more(let texts): said += texts
            case .done(let answer): return (said, answer)
            }
        }
        return (said, nil)
    }

    @Test func `a form is filled in field by field`() {
        let dialogue = form(
            [
                "name": ["type": "string", "title": "Your name"],
                "age": ["type": "integer", "minimum": 0, "default": 30],
                "colour": ["type": "string", "enum": ["red", "blue"]], "note": ["type": "string"],
            ],
            required: ["name", "colour"]
        )
        #expect(dialogue.opening.first == "The server asks: (k)")
        #expect(dialogue.opening.contains("  Hello?"))
        #expect(dialogue.prompt == "Your name required: ")
        let (said, answer) = enter(["", "Ada", "-1", "", "green", "2", ""], dialogue)
        #expect(
            said == [
                "this is required", "enter 0 or more", "  1  red", "  2  blue",
                "\"green\" is none of the choices",
            ]
        )
        #expect(
            answer
                == .success([
                    "action": "accept", "content": ["name": "Ada", "age": 30, "colour": "blue"],
                ])
        )
    }

    @Test func `a prompt shows what can be entered, and the default`() {
        var dialogue = form(["age": ["type": "integer", "minimum": 1, "maximum": 9, "default": 3]])
        #expect(dialogue.prompt == "age (a whole number from 1 to 9) [3]: ")
        dialogue = form(["mail": ["type": "string", "format": "email"]])
        #expect(dialogue.prompt == "mail (an e-mail address): ")
        dialogue = form(["e\u{1B}[2J": ["type": "boolean"]])
        #expect(dialogue.prompt == "e\\u{1b}[2J (y or n): ")
    }

    @Test(arguments: ["decline", "cancel"])
    func `a form can be refused in any field`(_ action: String) {
        let answer = enter(["x", "/\(action)"], form(["a": ["type": "string"], "b": ["type": "string"]]))
            .answer
        #expect(answer == .success(["action": .string(action)]))
    }

    @Test func `a form without fields asks for consent, and the end of the input breaks off`() {
        #expect(enter(["y"], form([:])).answer == .success(["action": "accept", "content": [:]]))
        #expect(enter(["what", "n"], form([:])).answer == .success(["action": "decline"]))
        #expect(form([:]).answerAtEnd == .success(["action": "cancel"]))
    }

    @Test func `a URL is shown whole and needs a yes`() {
        let url = "https://example.com/a?b=" + String(repeating: "c", count: 200)
        let params: JSONValue = ["mode": "url", "url": .string(url), "message": "Sign in"]
        let dialogue = ConsentDialogue(request("elicitation/create", params), style)
        #expect(dialogue.opening.contains("  " + url))
        #expect(enter(["", "y"], dialogue).answer == .success(["action": "accept"]))
        #expect(enter(["n"], dialogue).answer == .success(["action": "decline"]))
        #expect(enter(["c"], dialogue).answer == .success(["action": "cancel"]))
        let odd = ConsentDialogue(
            request("elicitation/create", ["mode": "url", "url": "javascript:x"]),
            style
        )
        #expect(odd.opening.contains("  This is no http or https URL."))
    }

    @Test func `an answer in the place of a model has as many lines as were entered`() {
        let params: JSONValue = [
            "systemPrompt": "Be kind.",
            "messages": [["role": "user", "content": ["type": "text", "text": "Hello?"]]],
        ]
        let dialogue = SamplingDialogue(request("sampling/createMessage", params), style)
        #expect(dialogue.opening.contains("    Hello?") && dialogue.opening.contains("    Be kind."))
        let answer = enter(["", "a", "b", ""], dialogue).answer
        #expect(answer == .success(SamplingDialogue.result("a\nb")))
        #expect(enter(["/decline"], dialogue).answer == .failure(Dialogues.refusal))
        #expect(dialogue.answerAtEnd == .failure(Dialogues.refusal))
    }
}

@Suite struct PreparedAnswerTests {
    private let schema: JSONValue = [
        "properties": ["a": ["type": "string"], "b": ["type": "string"]], "required": ["a"],
    ]

    private func elicitation(_ key: String?) -> ServerRequest {
        ServerRequest(id: "", key: key, method: "elicitation/create", params: ["requestedSchema": schema])
    }

    @Test(
        arguments: [
            ("accept", ["action": "accept"]), ("decline", ["action": "decline"]),
            (.null, ["action": "cancel"]), (["a": "x"], ["action": "accept", "content": ["a": "x"]]),
            ("other", ["action": "accept", "content": ["a": "other"]]),
            (["action": "accept", "content": [:]], ["action": "accept", "content": [:]]),
        ] as [(JSONValue, JSONValue)]
    )
    func `an elicitation is answered whole, by a word, by content or by a value`(
        _ given: JSONValue,
        _ answer: JSONValue
    ) {
        for name in ["k", "elicitation", "elicitation/create"] {
            var answers = PreparedAnswers()
            answers.add(name, given)
            #expect(answers.take(elicitation("k")) == .success(answer))
        }
    }

    @Test func `the key comes before the kind, and several are used in order`() {
        var answers = PreparedAnswers()
        let isTaken = answers.add(["elicitation": "decline", "k": "accept"])
        let isArrayTaken = answers.add([1])
        #expect(isTaken && !isArrayTaken)
        answers.add("k", "cancel")
        let given = (0..<3).map { _ in answers.take(elicitation("k")) }
        let words = ["accept", "cancel", "cancel"]
        #expect(given == words.map { .success(["action": .string($0)]) })
        #expect(answers.take(elicitation(nil)) == .success(["action": "decline"]))
    }

    @Test func `a form takes answers under the names of its fields, if they are enough`() {
        var answers = PreparedAnswers()
        answers.add("b", "y")
        #expect(answers.take(elicitation(nil)) == nil)
        answers.add("elicitation", "decline")
        #expect(answers.take(elicitation(nil)) == .success(["action": "decline"]))
        answers.add("a", "x")
        #expect(
            answers.take(elicitation("k"))
                == .success(["action": "accept", "content": ["a": "x", "b": "y"]])
        )
    }

    @Test func `other kinds have forms of their own`() {
        var answers = PreparedAnswers()
        answers.add("sampling", "Hi")
        answers.add("roots", [["uri": "file:///x"]])
        let sampling = ServerRequest(id: "", key: "m", method: "sampling/createMessage", params: [:])
        #expect(answers.take(sampling) == .success(SamplingDialogue.result("Hi")))
        let roots = ServerRequest(id: "", key: nil, method: "roots/list", params: .null)
        #expect(answers.take(roots) == .success(["roots": [["uri": "file:///x"]]]))
        answers.add("m", .null)
        #expect(answers.take(sampling) == .failure(Dialogues.refusal))
    }
}

@Suite struct WordsTests {
    @Test(
        arguments: [
            ("", []), ("  a  b ", ["a", "b"]), ("a='x y' b=\"p \\\"q\\\"\"", ["a=x y", "b=p \"q\""]),
            ("call t {\"a b\": [1, 2]}  ", ["call", "t", "{\"a b\": [1, 2]}"]), ("a\\ b c", ["a b", "c"]),
            ("''", [""]), ("k=[1 2]", ["k=[1", "2]"]), ("\"\\n\"", ["\\n"]),
        ] as [(String, [String])]
    )
    func `a line is taken apart as in a shell, and JSON stays whole`(_ line: String, _ words: [String]) {
        #expect(Words.split(line) == words)
    }

    @Test(arguments: ["'", "a \"b", "x\\", "\"a\\"])
    func `what is not closed is no line`(_ line: String) {
        #expect(Words.split(line) == nil)
    }
}
