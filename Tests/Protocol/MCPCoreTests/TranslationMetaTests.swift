// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPCore
import Testing

@Suite struct TranslationMetaTests {
    private static let modern = """
        {"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},
        "io.modelcontextprotocol/clientCapabilities":{"roots":{}},"io.modelcontextprotocol/logLevel":"info",
        "progressToken":"theirs","traceparent":"00-1-2-01","a.example/k":{"b":[1]},
        "io.modelcontextprotocol/subscriptionId":1,"io.modelcontextprotocol/serverInfo":{},
        "io.modelcontextprotocol/related-task":{"taskId":"t"}}
        """

    @Test func `what belongs to a modern client's hop stays on it`() throws {
        let meta = try json(Self.modern)
        let rest: JSONValue = ["traceparent": "00-1-2-01", "a.example/k": ["b": [1]]]
        #expect(Translation.legacyMeta(meta, progressToken: nil) == rest)
        let withToken: JSONValue = [
            "traceparent": "00-1-2-01", "a.example/k": ["b": [1]], "progressToken": 7,
        ]
        #expect(Translation.legacyMeta(meta, progressToken: 7) == withToken)
    }

    @Test func `nothing left is nothing at all`() {
        #expect(Translation.legacyMeta(nil, progressToken: nil) == nil)
        #expect(Translation.legacyMeta(.object([]), progressToken: nil) == nil)
        #expect(Translation.legacyMeta(["progressToken": 1], progressToken: nil) == nil)
        #expect(Translation.legacyMeta("x", progressToken: nil) == nil)
        #expect(Translation.legacyMeta([], progressToken: 3) == ["progressToken": 3])
    }

    @Test func `a modern request says what the era asks for, and carries the rest`() {
        let meta: JSONValue = [
            "progressToken": "theirs", "traceparent": "t",
            "io.modelcontextprotocol/protocolVersion": "forged",
            "io.modelcontextprotocol/clientCapabilities": ["sampling": .object([])],
        ]
        let whole = Translation.modernMeta(
            meta,
            progressToken: 7,
            capabilities: ["roots": .object([])],
            clientInfo: ["name": "c", "version": "1"],
            logLevel: "warning"
        )
        #expect(
            whole == [
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": ["roots": .object([])],
                "io.modelcontextprotocol/clientInfo": ["name": "c", "version": "1"],
                "io.modelcontextprotocol/logLevel": "warning", "progressToken": 7, "traceparent": "t",
            ]
        )
        #expect(SchemaJudge.faults(whole, as: "RequestMetaObject", .modern) == [])
    }

    @Test func `what is ill-formed is left out`() {
        for wrong: JSONValue in [.null, "x", 5, [], ["name": "c"], ["name": 1, "version": 2]] {
            let meta = Translation.modernMeta(
                wrong,
                progressToken: nil,
                capabilities: wrong.members == nil ? wrong : .object([]),
                clientInfo: wrong,
                logLevel: nil
            )
            #expect(SchemaJudge.faults(meta, as: "RequestMetaObject", .modern) == [])
            #expect(meta["io.modelcontextprotocol/clientInfo"] == nil)
            #expect(meta["io.modelcontextprotocol/logLevel"] == nil)
        }
    }
}
