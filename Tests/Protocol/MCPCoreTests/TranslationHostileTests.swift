// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import Testing

/// Every value of a message replaced by every other type, and every member left out.
@Suite struct TranslationHostileTests {
    @Test func `a spoiled result of a modern server is translated or left alone`() throws {
        for sample in Sample.all {
            let value = try sample.value()
            for spoiled in value.spoiled {
                let isValid = SchemaJudge.faults(spoiled, as: sample.type, .modern).isEmpty
                for revision in TranslationLegacyResultTests.legacy {
                    let result = Translation.legacyResult(spoiled, of: sample.method, for: revision)
                    let leaks = ["resultType", "ttlMs", "cacheScope"].filter { result[$0] != nil }
                    if !leaks.isEmpty { Issue.record("\(leaks) in \(result)") }
                    // What was well-formed for its own revision stays so.
                    guard isValid else { continue }
                    #expect(SchemaJudge.faults(result, as: sample.type, revision) == [])
                }
            }
        }
    }

    @Test func `a spoiled result of a legacy server is translated or left alone`() throws {
        for sample in Sample.all {
            let value = Translation.legacyResult(
                try sample.value(),
                of: sample.method,
                for: .v2025_11_25
            )
            for spoiled in value.spoiled {
                let result = Translation.modernResult(spoiled, of: sample.method, serverInfo: spoiled)
                #expect(result == spoiled || result["resultType"] == "complete")
                guard SchemaJudge.faults(spoiled, as: sample.type, .v2025_11_25).isEmpty else { continue }
                #expect(SchemaJudge.faults(result, as: sample.type, .modern) == [])
            }
        }
    }

    private static let questions = [
        """
        {"method":"elicitation/create","params":{"mode":"form","message":"m","requestedSchema":{"type":"object",
        "required":["a"],"properties":{"a":{"type":"string","oneOf":[{"const":"a","title":"A"}]},
        "b":{"type":"array","items":{"type":"string","enum":["a"]}},"c":{"type":"boolean","default":true}}},
        "_meta":{"io.github.gatehouse/inputKey":"k"}}}
        """,
        #"{"method":"elicitation/create","params":{"mode":"url","message":"m","url":"https://a.example/"}}"#,
        """
        {"method":"sampling/createMessage","params":{"maxTokens":1,"includeContext":"thisServer",
        "messages":[{"role":"user","content":[{"type":"text","text":"t"}]},
        {"role":"assistant","content":{"type":"tool_use","id":"1","name":"n","input":{}}}],"tools":[]}}
        """,
        #"{"method":"roots/list","params":{"_meta":{"a.example/k":1}}}"#,
    ]
    private static let declared =
        #"{"elicitation":{"form":{},"url":{}},"roots":{},"sampling":{"context":{},"tools":{}}}"#

    @Test func `a spoiled question is carried or refused`() throws {
        for text in Self.questions {
            let question = try json(text)
            let method = Method(Array((question["method"]?.string ?? "").utf8))
            for spoiled in question.spoiled {
                for revision in TranslationLegacyResultTests.legacy {
                    let result = Translation.question(
                        fromInputRequest: spoiled,
                        elicitationID: "e",
                        capabilities: try json(Self.declared),
                        revision: revision
                    )
                    if case .success(let (method, params)) = result {
                        #expect([.elicit, .createMessage, .rootsList].contains(method))
                        #expect(params.members != nil)
                    }
                }
                let params = spoiled["params"] ?? spoiled
                let result = Translation.inputRequest(
                    fromQuestion: method,
                    params: params,
                    declared: try json(Self.declared)
                )
                if case .success(let entry) = result { #expect(entry["method"]?.string == method.rawValue) }
                #expect(!Translation.inputKey(of: params, method: method, number: 1).isEmpty)
            }
        }
    }

    @Test func `spoiled capabilities declare no more than the whole ones`() throws {
        let whole = try json(Self.declared)
        for spoiled in whole.spoiled {
            for revision in TranslationLegacyResultTests.legacy {
                let modern = Translation.modernCapabilities(fromLegacy: spoiled, revision: revision)
                #expect(Translation.isDeclared(modern, in: whole))
                #expect(SchemaJudge.faults(modern, as: "ClientCapabilities", .modern) == [])
            }
            let legacy = Translation.legacyCapabilities(fromModern: spoiled)
            #expect(Translation.isDeclared(legacy, in: whole))
            _ = Translation.isDeclared(spoiled, in: whole)
            _ = Translation.isDeclared(whole, in: spoiled)
        }
    }

    @Test func `spoiled errors are failures that may be told`() throws {
        let data = try json(
            """
            {"uri":"x://a","requiredCapabilities":{"sampling":{"tools":{}}},"supported":["2026-07-28"],"requested":"x",
            "elicitations":[{"mode":"url","message":"m","url":"u","elicitationId":"e"}]}
            """
        )
        let declared = try json(Self.declared)
        for spoiled in data.spoiled {
            for code in [-32002, -32020, -32021, -32022, -32042, -32602, -32603] {
                for method in [Method.toolsCall, .resourcesRead, .toolsList, .other] {
                    let legacy = Translation.legacyError(
                        code: code,
                        message: "m",
                        data: spoiled,
                        method: method
                    )
                    #expect(![-32020, -32022].contains(legacy.code.value))
                    let outcome = Translation.modernOutcome(
                        code: code,
                        message: "m",
                        data: spoiled,
                        method: method,
                        declared: declared
                    )
                    switch outcome {
                    case .failure(let failure):
                        #expect(![-32002, -32020, -32022, -32042].contains(failure.code.value))
                    case .askURLs(let questions):
                        #expect(questions.allSatisfy { $0.params["url"]?.string != nil })
                    }
                }
            }
        }
    }

    @Test func `spoiled handshakes become handshakes`() throws {
        let whole = try json(
            """
            {"capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true},"logging":{}},
            "instructions":"i","serverInfo":\(Sample.serverInfo),\(Sample.meta)}
            """
        )
        for spoiled in whole.spoiled {
            let discovered = Translation.discoverResult(fromInitialize: spoiled)
            #expect(SchemaJudge.faults(discovered, as: "DiscoverResult", .modern) == [])
            for revision in TranslationLegacyResultTests.legacy {
                let answer = Translation.initializeResult(fromDiscover: spoiled, revision: revision)
                #expect(SchemaJudge.faults(answer, as: "InitializeResult", revision) == [])
            }
        }
    }
}
