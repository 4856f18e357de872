// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import Testing

/// A legacy server asks a modern client.
@Suite struct TranslationInputRequestTests {
    private static let all: JSONValue = [
        "roots": .object([]), "sampling": ["tools": .object([]), "context": .object([])],
        "elicitation": ["form": .object([]), "url": .object([])],
    ]

    private func ask(
        _ method: Method,
        _ params: String,
        _ declared: JSONValue = all
    ) throws -> Result<JSONValue, Failure> {
        Translation.inputRequest(fromQuestion: method, params: try json(params), declared: declared)
    }

    private func asked(_ method: Method, _ params: String, _ declared: JSONValue = all) throws -> JSONValue {
        let entry = try ask(method, params, declared).get()
        #expect(SchemaJudge.faults(entry, as: "InputRequest", .modern) == [])
        return entry
    }

    private func refusal(_ method: Method, _ params: String, _ declared: JSONValue = all) throws -> Failure? {
        guard case .failure(let failure) = try ask(method, params, declared) else { return nil }
        return failure
    }

    private static let form = #"{"message":"m","requestedSchema":{"type":"object","properties":{}}}"#
    private static let sampling =
        #"{"maxTokens":1,"messages":[{"role":"user","content":{"type":"text","text":"t"}}]}"#

    @Test func `questions are carried as they are`() throws {
        #expect(
            try asked(.elicit, Self.form) == ["method": "elicitation/create", "params": try json(Self.form)]
        )
        #expect(
            try asked(.createMessage, Self.sampling)
                == ["method": "sampling/createMessage", "params": try json(Self.sampling)]
        )
        #expect(try asked(.rootsList, "{}") == ["method": "roots/list"])
        #expect(try asked(.rootsList, "null") == ["method": "roots/list"])
    }

    @Test func `what belongs to the hop or the era goes`() throws {
        let hop =
            #""task":{"ttl":1},"_meta":{"progressToken":1,"io.github.gatehouse/inputKey":"k","a.example/k":1}"#
        let params = String(Self.form.dropLast()) + ",\(hop)}"
        let entry = try asked(.elicit, params)
        #expect(entry["params"]?["task"] == nil)
        #expect(entry["params"]?["_meta"] == ["a.example/k": 1])
        #expect(try asked(.rootsList, #"{"_meta":{"progressToken":1}}"#) == ["method": "roots/list"])
    }

    @Test func `a URL loses its id`() throws {
        let entry = try asked(
            .elicit,
            #"{"mode":"url","message":"m","url":"https://a.example/","elicitationId":"e"}"#
        )
        #expect(entry["params"] == ["mode": "url", "message": "m", "url": "https://a.example/"])
    }

    @Test func `a form gets the root that the schema asks for`() throws {
        let entry = try asked(.elicit, #"{"message":"m","requestedSchema":{}}"#)
        #expect(entry["params"]?["requestedSchema"] == ["type": "object", "properties": .object([])])
    }

    @Test func `a wish for context that was not declared is dropped, not refused`() throws {
        let params = String(Self.sampling.dropLast()) + #","includeContext":"allServers"}"#
        #expect(try asked(.createMessage, params)["params"]?["includeContext"] == "allServers")
        #expect(
            try asked(.createMessage, params, ["sampling": .object([])])["params"]?["includeContext"] == nil
        )
    }

    @Test func `what the client did not declare is named`() throws {
        let url = #"{"mode":"url","message":"m","url":"u"}"#
        let tools = String(Self.sampling.dropLast()) + #","tools":[]}"#
        let cases: [(Method, String, JSONValue, String)] = [
            (.elicit, Self.form, .object([]), #"{"elicitation":{"form":{}}}"#),
            (.elicit, Self.form, ["elicitation": ["url": .object([])]], #"{"elicitation":{"form":{}}}"#),
            (.elicit, url, ["elicitation": .object([])], #"{"elicitation":{"url":{}}}"#),
            (.createMessage, Self.sampling, ["roots": .object([])], #"{"sampling":{}}"#),
            (.createMessage, tools, ["sampling": .object([])], #"{"sampling":{"tools":{}}}"#),
            (.rootsList, "{}", .null, #"{"roots":{}}"#),
        ]
        for (method, params, declared, needed) in cases {
            let failure = try #require(try refusal(method, params, declared))
            #expect(failure.code == .missingClientCapability)
            #expect(failure.data == ["requiredCapabilities": try json(needed)])
        }
    }

    @Test func `what is no question is refused`() throws {
        for method in Method.allCases where ![.elicit, .createMessage, .rootsList].contains(method) {
            #expect(try refusal(method, "{}")?.code == .methodNotFound)
        }
        for params in ["5", "[]", #""x""#, "true"] {
            for method in [Method.elicit, .createMessage, .rootsList] {
                #expect(try refusal(method, params)?.code == .invalidParams)
            }
        }
        #expect(try refusal(.elicit, "{}")?.code == .invalidParams)
        #expect(try refusal(.elicit, #"{"mode":"url","message":"m"}"#)?.code == .invalidParams)
        #expect(try refusal(.createMessage, #"{"messages":[],"maxTokens":"1"}"#)?.code == .invalidParams)
    }

    // MARK: Answers

    @Test(
        arguments: [
            (Method.elicit, #"{"action":"accept","content":{"a":1.5,"b":true,"c":"x","d":["y"]}}"#, nil),
            (.elicit, #"{"action":"accept"}"#, nil),
            (.elicit, #"{"action":"accept","content":null}"#, #"{"action":"accept"}"#),
            (.elicit, #"{"action":"decline","content":{"a":1}}"#, #"{"action":"decline"}"#),
            (.elicit, #"{"action":"cancel","resultType":"complete"}"#, #"{"action":"cancel"}"#),
            (.createMessage, #"{"role":"assistant","model":"m","content":{"type":"text","text":"t"}}"#, nil),
            (
                .createMessage, #"{"role":"assistant","model":"m","content":[{"type":"text","text":"t"}]}"#,
                #"{"role":"assistant","model":"m","content":{"type":"text","text":"t"}}"#
            ),
            (
                .createMessage,
                #"{"role":"assistant","model":"m","stopReason":"toolUse","content":[{"type":"tool_use","id":"1","name":"n","input":{}},{"type":"tool_use","id":"2","name":"n","input":{}}]}"#,
                nil
            ),
            (.rootsList, #"{"roots":[]}"#, nil),
            (.rootsList, #"{"roots":[{"uri":"file:///a","name":"a"}],"_meta":{"a.example/k":1}}"#, nil),
        ] as [(Method, String, String?)]
    )
    func `answers reach the server`(_ method: Method, _ value: String, _ expected: String?) throws {
        let answer = try #require(Translation.answer(fromInputResponse: try json(value), method: method))
        #expect(answer == (try json(expected ?? value)))
        let types: [Method: String] = [
            .elicit: "ElicitResult", .createMessage: "CreateMessageResult", .rootsList: "ListRootsResult",
        ]
        // The schema says integer where the text of the specification says number.
        guard !value.contains("1.5") else { return }
        #expect(SchemaJudge.faults(answer, as: try #require(types[method]), .v2025_11_25) == [])
    }

    @Test(
        arguments: [
            (Method.elicit, "null"), (.elicit, "5"), (.elicit, "{}"), (.elicit, #"{"action":"agree"}"#),
            (.elicit, #"{"action":5}"#), (.elicit, #"{"action":"accept","content":[]}"#),
            (.elicit, #"{"action":"accept","content":{"a":{}}}"#),
            (.elicit, #"{"action":"accept","content":{"a":null}}"#),
            (.elicit, #"{"action":"accept","content":{"a":[1]}}"#),
            (.createMessage, "{}"), (.createMessage, #"{"role":"assistant","model":"m"}"#),
            (.createMessage, #"{"role":"assistant","model":"m","content":[]}"#),
            (.createMessage, #"{"role":"assistant","model":"m","content":"t"}"#),
            (.createMessage, #"{"role":"assistant","content":{"type":"text","text":"t"}}"#),
            (.createMessage, #"{"role":"system","model":"m","content":{"type":"text","text":"t"}}"#),
            (.rootsList, "{}"), (.rootsList, #"{"roots":{}}"#), (.rootsList, #"{"roots":[5]}"#),
            (.rootsList, #"{"roots":[{"name":"a"}]}"#), (.toolsCall, #"{"action":"accept"}"#),
        ]
    )
    func `what is no answer is none`(_ method: Method, _ value: String) throws {
        #expect(Translation.answer(fromInputResponse: try json(value), method: method) == nil)
    }

    // MARK: Keys

    @Test func `a question goes by its name, or by its kind and number`() {
        func key(_ meta: JSONValue, _ method: Method = .elicit) -> String {
            Translation.inputKey(of: ["_meta": meta], method: method, number: 3)
        }
        #expect(key(["io.github.gatehouse/inputKey": "user_name"]) == "user_name")
        for wrong: JSONValue in ["", 5, .null, "a\nb", "\u{7F}", .string(String(repeating: "x", count: 257))]
        {
            #expect(key(["io.github.gatehouse/inputKey": wrong]) == "elicitation-3")
        }
        #expect(key("x") == "elicitation-3")
        #expect(key(.null, .createMessage) == "sampling-3")
        #expect(key(.null, .rootsList) == "roots-3")
        #expect(Translation.inputKey(of: 5, method: .other, number: 1) == "question-1")
    }
}
