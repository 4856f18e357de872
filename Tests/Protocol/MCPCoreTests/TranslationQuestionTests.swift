// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import Testing

/// A modern server asks a legacy client.
@Suite struct TranslationQuestionTests {
    private static let all: JSONValue = [
        "roots": .object([]), "sampling": ["tools": .object([]), "context": .object([])],
        "elicitation": ["form": .object([]), "url": .object([])],
    ]

    private func ask(
        _ request: String,
        _ revision: Revision = .v2025_11_25,
        _ capabilities: JSONValue = all
    ) throws -> Result<(method: Method, params: JSONValue), Failure> {
        Translation.question(
            fromInputRequest: try json(request),
            elicitationID: "id-1",
            capabilities: capabilities,
            revision: revision
        )
    }

    private func asked(_ request: String, _ revision: Revision = .v2025_11_25) throws -> JSONValue {
        let (method, params) = try ask(request, revision).get()
        let whole: JSONValue = [
            "jsonrpc": "2.0", "id": 1, "method": .string(method.rawValue), "params": params,
        ]
        let types: [Method: String] = [
            .elicit: "ElicitRequest", .createMessage: "CreateMessageRequest", .rootsList: "ListRootsRequest",
        ]
        #expect(SchemaJudge.faults(whole, as: try #require(types[method]), revision) == [])
        return params
    }

    private func refusal(
        _ request: String,
        _ revision: Revision = .v2025_11_25,
        _ capabilities: JSONValue = all
    ) throws -> Failure? {
        guard case .failure(let failure) = try ask(request, revision, capabilities) else { return nil }
        return failure
    }

    // MARK: Forms and URLs

    private static let fields = """
        {"name":{"type":"string","title":"Name","default":"Jo","minLength":1,"format":"email"},
        "age":{"type":"integer","default":30},"score":{"type":"number","default":95.5},
        "ok":{"type":"boolean","default":true},
        "plain":{"type":"string","enum":["a","b"],"default":"a"},
        "titled":{"type":"string","oneOf":[{"const":"a","title":"A"},{"const":"b","title":"B"}],"default":"b"},
        "old":{"type":"string","enum":["a"],"enumNames":["A"]},
        "several":{"type":"array","items":{"type":"string","enum":["a","b"]},"default":["a"]},
        "severalTitled":{"type":"array","items":{"anyOf":[{"const":"a","title":"A"}]}}}
        """

    private static func form(_ more: String = "") -> String {
        #"{"method":"elicitation/create","params":{"mode":"form","message":"m","requestedSchema":{"type":"object","properties":\#(fields)\#(more)},"_meta":{"progressToken":1,"a.example/k":1}}}"#
    }

    @Test func `a form reaches a client of 2025-11-25 in full`() throws {
        let params = try asked(Self.form(#","required":["several"]"#))
        #expect(params["requestedSchema"]?["properties"] == (try json(Self.fields)))
        #expect(params["mode"] == "form")
        #expect(params["_meta"] == ["a.example/k": 1])
    }

    @Test func `a client of 2025-06-18 gets choices with names, and defaults where it knows them`() throws {
        let params = try asked(Self.form(#","required":["name"]"#), .v2025_06_18)
        #expect(params["mode"] == nil)
        let expected = """
            {"name":{"type":"string","title":"Name","minLength":1,"format":"email"},"age":{"type":"integer"},
            "score":{"type":"number"},"ok":{"type":"boolean","default":true},"plain":{"type":"string","enum":["a","b"]},
            "titled":{"type":"string","enum":["a","b"],"enumNames":["A","B"]},
            "old":{"type":"string","enum":["a"],"enumNames":["A"]}}
            """
        #expect(params["requestedSchema"]?["properties"] == (try json(expected)))
    }

    @Test func `a choice of several that must be made cannot be asked in 2025-06-18`() throws {
        let failure = try refusal(Self.form(#","required":["several"]"#), .v2025_06_18)
        #expect(failure?.code == .internalError)
        #expect(failure?.source == .upstream)
    }

    @Test func `a URL gets the id that the era no longer has`() throws {
        let request =
            #"{"method":"elicitation/create","params":{"mode":"url","message":"m","url":"https://a.example/"}}"#
        let params = try asked(request)
        #expect(
            params == ["mode": "url", "message": "m", "url": "https://a.example/", "elicitationId": "id-1"]
        )
        let failure = try refusal(request, .v2025_06_18)
        #expect(failure?.code == .missingClientCapability)
        #expect(failure?.data == ["requiredCapabilities": ["elicitation": ["url": .object([])]]])
    }

    // MARK: Sampling and roots

    private static func sampling(_ content: String, _ more: String = "") -> String {
        #"{"method":"sampling/createMessage","params":{"maxTokens":100,"messages":[{"role":"user","content":\#(content),"_meta":{}}]\#(more)}}"#
    }

    @Test(arguments: TranslationLegacyResultTests.legacy)
    func `sampling reaches every revision`(_ revision: Revision) throws {
        let params = try asked(
            Self.sampling(#"{"type":"text","text":"t"}"#, #","systemPrompt":"s","task":{"ttl":1}"#),
            revision
        )
        #expect(params["maxTokens"] == 100)
        #expect(params["systemPrompt"] == "s")
        #expect(params["task"] == nil)
    }

    @Test(arguments: TranslationLegacyResultTests.legacy)
    func `a message of several blocks becomes several where a message has one`(_ revision: Revision) throws {
        let content = #"[{"type":"text","text":"t"},{"type":"audio","data":"AA==","mimeType":"audio/wav"}]"#
        let messages = try asked(Self.sampling(content), revision)["messages"]?.array ?? []
        #expect(messages.count == (revision < .v2025_11_25 ? 2 : 1))
        guard revision < .v2025_11_25 else { return }
        #expect(messages.allSatisfy { $0["role"] == "user" })
        let kinds = messages.compactMap { $0["content"]?["type"]?.string }
        #expect(kinds == ["text", revision < .v2025_03_26 ? "text" : "audio"])
    }

    @Test(arguments: TranslationLegacyResultTests.legacy)
    func `tools for the model need a client that declared them`(_ revision: Revision) throws {
        let tools = #","tools":[{"name":"n","inputSchema":{"type":"object"}}],"toolChoice":{"mode":"auto"}"#
        let request = Self.sampling(#"{"type":"text","text":"t"}"#, tools)
        let needs: JSONValue = ["requiredCapabilities": ["sampling": ["tools": .object([])]]]
        if revision == .v2025_11_25 {
            #expect(try asked(request, revision)["tools"] != nil)
            #expect(try refusal(request, revision, ["sampling": .object([])])?.data == needs)
        } else {
            #expect(try refusal(request, revision)?.data == needs)
        }
        let used = Self.sampling(#"[{"type":"tool_use","id":"1","name":"n","input":{}}]"#)
        #expect((try refusal(used, revision) == nil) == (revision == .v2025_11_25))
    }

    @Test(arguments: TranslationLegacyResultTests.legacy)
    func `the wish for context goes where it was declared or needed no declaring`(_ revision: Revision) throws
    {
        let request = Self.sampling(#"{"type":"text","text":"t"}"#, #","includeContext":"thisServer""#)
        #expect(try asked(request, revision)["includeContext"] == "thisServer")
        let (_, params) = try ask(request, revision, ["sampling": .object([])]).get()
        #expect((params["includeContext"] == nil) == (revision == .v2025_11_25))
    }

    @Test(arguments: TranslationLegacyResultTests.legacy)
    func `roots reach every revision`(_ revision: Revision) throws {
        #expect(try asked(#"{"method":"roots/list"}"#, revision) == .object([]))
        #expect(
            try asked(#"{"method":"roots/list","params":{"_meta":{"a.example/k":1}}}"#, revision)
                == ["_meta": ["a.example/k": 1]]
        )
    }

    @Test(arguments: TranslationLegacyResultTests.legacy)
    func `what a client did not declare it is not asked`(_ revision: Revision) throws {
        let requests = [
            (Self.form(), #"{"elicitation":{"form":{}}}"#),
            (Self.sampling(#"{"type":"text","text":"t"}"#), #"{"sampling":{}}"#),
            (#"{"method":"roots/list"}"#, #"{"roots":{}}"#),
        ]
        for (request, needed) in requests {
            let failure = try refusal(request, revision, .object([]))
            #expect(failure?.code == .missingClientCapability)
            #expect(failure?.data?["requiredCapabilities"] == (try json(needed)))
        }
        if revision < .v2025_06_18 { #expect(try refusal(Self.form(), revision) != nil) }
    }

    @Test(arguments: [
        "5", "{}", "[]", #"{"method":5}"#, #"{"method":"tools/call"}"#, #"{"method":"ping"}"#,
        #"{"method":""}"#,
        #"{"method":"roots/list","params":[]}"#, #"{"method":"elicitation/create"}"#,
        #"{"method":"elicitation/create","params":{"message":"m"}}"#,
        #"{"method":"elicitation/create","params":{"message":5,"requestedSchema":{}}}"#,
        #"{"method":"elicitation/create","params":{"mode":"fax","message":"m","requestedSchema":{}}}"#,
        #"{"method":"elicitation/create","params":{"mode":5,"message":"m","requestedSchema":{}}}"#,
        #"{"method":"elicitation/create","params":{"mode":"url","message":"m"}}"#,
        #"{"method":"sampling/createMessage","params":{"messages":[]}}"#,
        #"{"method":"sampling/createMessage","params":{"messages":5,"maxTokens":1}}"#,
        #"{"method":"sampling/createMessage","params":{"messages":[5],"maxTokens":1}}"#,
        #"{"method":"sampling/createMessage","params":{"messages":[{"role":"user"}],"maxTokens":1}}"#,
        #"{"method":"sampling/createMessage","params":{"messages":[{"role":"god","content":[]}],"maxTokens":1}}"#,
        #"{"method":"sampling/createMessage","params":{"messages":[{"role":"user","content":[5]}],"maxTokens":1}}"#,
    ])
    func `what is no question is the server's failure`(_ request: String) throws {
        for revision in TranslationLegacyResultTests.legacy {
            let failure = try #require(try refusal(request, revision))
            #expect(failure.code == .internalError)
            #expect(failure.source == .upstream)
        }
    }

    // MARK: Answers

    @Test func `answers are told without what belongs to their hop`() throws {
        let answer: JSONValue = [
            "action": "accept", "content": ["a": 1, "b": ["x"]],
            "_meta": ["io.modelcontextprotocol/related-task": ["taskId": "t"], "a.example/k": 1],
        ]
        let response = Translation.inputResponse(fromAnswer: answer, method: .elicit)
        let expected: JSONValue = [
            "action": "accept", "content": ["a": 1, "b": ["x"]], "_meta": ["a.example/k": 1],
        ]
        #expect(response == expected)
        #expect(SchemaJudge.faults(response, as: "ElicitResult", .modern) == [])
        #expect(Translation.inputResponse(fromAnswer: "x", method: .elicit) == "x")
    }
}
