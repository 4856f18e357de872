// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPCore
import Testing

@Suite struct TranslationCapabilityTests {
    private static let everything = """
        {"experimental":{"a.example/x":{}},"roots":{"listChanged":true},"sampling":{"tools":{"more":1},"context":{}},
        "elicitation":{"url":{},"form":{"more":1}},"tasks":{"list":{}},"extensions":{"io.modelcontextprotocol/tasks":{}}}
        """

    @Test func `a legacy client's capabilities are those of its revision`() throws {
        let expected: [Revision: String] = [
            .v2024_11_05: #"{"roots":{},"sampling":{}}"#,
            .v2025_03_26: #"{"roots":{},"sampling":{}}"#,
            .v2025_06_18: #"{"elicitation":{"form":{}},"roots":{},"sampling":{}}"#,
            .v2025_11_25:
                #"{"elicitation":{"form":{},"url":{}},"roots":{},"sampling":{"context":{},"tools":{}}}"#,
        ]
        for (revision, text) in expected {
            let declared = try json(Self.everything)
            let result = Translation.modernCapabilities(fromLegacy: declared, revision: revision)
            #expect(result == (try json(text)))
            #expect(SchemaJudge.faults(result, as: "ClientCapabilities", .modern) == [])
        }
    }

    @Test(
        arguments: [
            ("{}", "{}"), ("[]", "{}"), ("null", "{}"),
            (#"{"roots":true,"sampling":[],"elicitation":"x"}"#, "{}"),
            (#"{"elicitation":{}}"#, #"{"elicitation":{"form":{}}}"#),
            (#"{"elicitation":{"other":{}}}"#, #"{"elicitation":{"form":{}}}"#),
            (#"{"elicitation":{"url":{}}}"#, #"{"elicitation":{"url":{}}}"#),
            (#"{"elicitation":{"form":true,"url":true}}"#, #"{"elicitation":{"form":{}}}"#),
            (#"{"sampling":{"tools":true,"context":5}}"#, #"{"sampling":{}}"#),
            (
                everything,
                #"{"elicitation":{"form":{},"url":{}},"roots":{},"sampling":{"context":{},"tools":{}}}"#
            ),
        ]
    )
    func `both directions keep what may be asked, and nothing else`(
        _ declared: String,
        _ expected: String
    ) throws {
        let forward = Translation.modernCapabilities(fromLegacy: try json(declared), revision: .v2025_11_25)
        let back = Translation.legacyCapabilities(fromModern: try json(declared))
        #expect(String(decoding: forward.text(), as: UTF8.self) == expected)
        #expect(String(decoding: back.text(), as: UTF8.self) == expected)
        #expect(SchemaJudge.faults(back, as: "ClientCapabilities", .v2025_11_25) == [])
    }

    @Test func `equal sets give equal bytes`() throws {
        let spellings = [
            #"{"roots":{},"elicitation":{"url":{},"form":{}},"sampling":{"tools":{},"context":{}}}"#,
            #"{"sampling":{"context":{"a":1},"tools":{}},"elicitation":{"form":{},"url":{"b":2}},"roots":{"listChanged":true}}"#,
            Self.everything,
        ]
        let keys = Set(try spellings.map { Translation.legacyCapabilities(fromModern: try json($0)).text() })
        #expect(keys.count == 1)
        let forms = Set(
            try [#"{"elicitation":{}}"#, #"{"elicitation":{"form":{}}}"#].map {
                Translation.legacyCapabilities(fromModern: try json($0)).text()
            }
        )
        #expect(forms.count == 1)
    }

    // MARK: What a question needs

    @Test(
        arguments: [
            (Method.elicit, "{}", #"{"elicitation":{"form":{}}}"#),
            (.elicit, #"{"mode":"form"}"#, #"{"elicitation":{"form":{}}}"#),
            (.elicit, #"{"mode":"url"}"#, #"{"elicitation":{"url":{}}}"#),
            (.createMessage, "{}", #"{"sampling":{}}"#),
            (.createMessage, #"{"includeContext":"none"}"#, #"{"sampling":{}}"#),
            (.createMessage, #"{"includeContext":"thisServer"}"#, #"{"sampling":{"context":{}}}"#),
            (.createMessage, #"{"tools":[]}"#, #"{"sampling":{"tools":{}}}"#),
            (.createMessage, #"{"toolChoice":{}}"#, #"{"sampling":{"tools":{}}}"#),
            (
                .createMessage, #"{"messages":[{"content":[{"type":"text"},{"type":"tool_result"}]}]}"#,
                #"{"sampling":{"tools":{}}}"#
            ),
            (
                .createMessage, #"{"messages":[{"content":{"type":"tool_use"}}]}"#,
                #"{"sampling":{"tools":{}}}"#
            ),
            (.createMessage, #"{"messages":7}"#, #"{"sampling":{}}"#),
            (.rootsList, "{}", #"{"roots":{}}"#), (.toolsCall, "{}", "{}"),
            (.elicit, "5", #"{"elicitation":{"form":{}}}"#),
        ]
    )
    func `a question needs what its kind and its parts need`(
        _ method: Method,
        _ params: String,
        _ expected: String
    ) throws {
        #expect(
            Translation.requiredCapabilities(for: method, params: try json(params)) == (try json(expected))
        )
    }

    @Test(
        arguments: [
            ("{}", "{}", true), ("{}", "5", true), ("5", "{}", false), ("[]", "{}", false),
            (#"{"roots":{}}"#, #"{"roots":{}}"#, true), (#"{"roots":{}}"#, "{}", false),
            (#"{"roots":{}}"#, #"{"roots":true}"#, false), (#"{"roots":true}"#, #"{"roots":{}}"#, true),
            (#"{"elicitation":{}}"#, #"{"elicitation":{}}"#, true),
            (#"{"elicitation":{"form":{}}}"#, #"{"elicitation":{}}"#, true),
            (#"{"elicitation":{"url":{}}}"#, #"{"elicitation":{}}"#, false),
            (#"{"elicitation":{"url":{}}}"#, #"{"elicitation":{"form":{}}}"#, false),
            (#"{"elicitation":{"form":{}}}"#, #"{"elicitation":{"url":{}}}"#, false),
            (#"{"elicitation":{}}"#, #"{"elicitation":{"url":{}}}"#, false),
            (#"{"elicitation":{"form":{},"url":{}}}"#, #"{"elicitation":{"url":{},"form":{}}}"#, true),
            (#"{"sampling":{}}"#, #"{"sampling":{"tools":{}}}"#, true),
            (#"{"sampling":{"tools":{}}}"#, #"{"sampling":{}}"#, false),
            (#"{"sampling":{"tools":{}}}"#, #"{"sampling":{"tools":5}}"#, false),
            (#"{"sampling":{"context":{}}}"#, #"{"sampling":{"tools":{}}}"#, false),
            (#"{"roots":{},"sampling":{}}"#, #"{"roots":{}}"#, false),
            (
                #"{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#,
                #"{"extensions":{"io.modelcontextprotocol/ui":{}}}"#, false
            ),
            (
                #"{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#,
                #"{"extensions":{"io.modelcontextprotocol/tasks":{"x":1}}}"#, true
            ),
        ]
    )
    func `what is declared is declared in all its parts`(
        _ required: String,
        _ declared: String,
        _ expected: Bool
    ) throws {
        #expect(Translation.isDeclared(try json(required), in: try json(declared)) == expected)
    }
}
