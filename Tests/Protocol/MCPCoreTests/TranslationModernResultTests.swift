// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPCore
import Testing

@Suite struct TranslationModernResultTests {
    private static let info: JSONValue = ["name": "s", "version": "1"]

    @Test(arguments: TranslationLegacyResultTests.legacy)
    func `every result of a legacy server becomes one of the modern era`(_ revision: Revision) throws {
        for sample in Sample.all {
            let legacy = Translation.legacyResult(try sample.value(), of: sample.method, for: revision)
            for info in [nil, Self.info] {
                let result = Translation.modernResult(legacy, of: sample.method, serverInfo: info)
                #expect(SchemaJudge.faults(result, as: sample.type, .modern) == [])
                #expect(result["resultType"] == "complete")
                #expect(result["_meta"]?["io.modelcontextprotocol/serverInfo"] == info)
                #expect(result["_meta"]?["a.example/k"] == 1)
            }
        }
    }

    @Test func `what 2025-11-25 can say is said in full`() throws {
        for sample in Sample.all where sample.method != .toolsList {
            let legacy = Translation.legacyResult(try sample.value(), of: sample.method, for: .v2025_11_25)
            let result = Translation.modernResult(legacy, of: sample.method, serverInfo: nil)
            for member in legacy.members ?? [] { #expect(result[member.name] == member.value) }
        }
    }

    @Test func `only results that may be kept get caching hints, and those promise nothing`() {
        let cacheable: Set<Method> = [
            .toolsList, .promptsList, .resourcesList, .resourcesTemplatesList, .resourcesRead, .discover,
        ]
        for method in Method.allCases {
            let result = Translation.modernResult(["a": 1], of: method, serverInfo: nil)
            #expect(result["ttlMs"] == (cacheable.contains(method) ? 0 : nil))
            #expect(result["cacheScope"] == (cacheable.contains(method) ? "private" : nil))
        }
        let claimed: JSONValue = ["tools": [], "ttlMs": 100_000, "cacheScope": "public"]
        let result = Translation.modernResult(claimed, of: .toolsList, serverInfo: nil)
        #expect(result["ttlMs"] == 0)
        #expect(result["cacheScope"] == "private")
        #expect(result.members?.count == 4)
    }

    @Test func `a legacy server cannot make its result a round of questions`() {
        let claimed: JSONValue = [
            "resultType": "input_required", "inputRequests": ["a": ["method": "roots/list"]],
            "requestState": "stolen", "content": [],
        ]
        let result = Translation.modernResult(claimed, of: .toolsCall, serverInfo: nil)
        #expect(result == ["resultType": "complete", "content": []])
    }

    @Test func `who the server is comes from its handshake, not from its results`() {
        let claimed: JSONValue = [
            "content": [],
            "_meta": [
                "io.modelcontextprotocol/serverInfo": ["name": "other", "version": "1"],
                "io.modelcontextprotocol/subscriptionId": 1,
                "io.modelcontextprotocol/related-task": ["taskId": "t"],
            ],
        ]
        #expect(
            Translation.modernResult(claimed, of: .toolsCall, serverInfo: nil)
                == ["resultType": "complete", "content": []]
        )
        for info: JSONValue in [["name": "s"], ["name": 1, "version": "1"], "s", .null, []] {
            let result = Translation.modernResult(["content": []], of: .toolsCall, serverInfo: info)
            #expect(result["_meta"] == nil)
        }
        let odd = Translation.modernResult(
            ["content": [], "_meta": 5],
            of: .toolsCall,
            serverInfo: Self.info
        )
        #expect(odd["_meta"] == ["io.modelcontextprotocol/serverInfo": Self.info])
    }

    @Test func `a tool loses its tasks and gets a schema whose root is an object`() {
        let list: JSONValue = [
            "tools": [
                [
                    "name": "n", "icons": [], "execution": ["taskSupport": "optional"],
                    "inputSchema": ["properties": ["a": true]], "outputSchema": true,
                ], "broken",
            ]
        ]
        let result = Translation.modernResult(list, of: .toolsList, serverInfo: nil)
        #expect(
            result["tools"]
                == [
                    [
                        "name": "n", "icons": [],
                        "inputSchema": ["type": "object", "properties": ["a": true]],
                    ], "broken",
                ]
        )
    }

    @Test func `a result of a tool always has content`() {
        let result = Translation.modernResult(["isError": true], of: .toolsCall, serverInfo: nil)
        #expect(result == ["resultType": "complete", "isError": true, "content": []])
    }

    @Test func `a handshake becomes what discovery says`() throws {
        let handshake = """
            {"protocolVersion":"2025-11-25","instructions":"i","serverInfo":\(Sample.serverInfo),"_meta":{"a.example/x":1},
            "capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true},"prompts":{},"completions":{},
            "logging":{},"experimental":{"a.example/x":{}},"tasks":{"list":{},"requests":{"tools":{"call":{}}}}}}
            """
        let result = Translation.discoverResult(fromInitialize: try json(handshake))
        #expect(SchemaJudge.faults(result, as: "DiscoverResult", .modern) == [])
        #expect(
            result == [
                "resultType": "complete", "ttlMs": 0, "cacheScope": "private",
                "supportedVersions": ["2026-07-28"],
                "capabilities": [
                    "tools": ["listChanged": true], "resources": ["subscribe": true], "prompts": .object([]),
                    "completions": .object([]), "logging": .object([]),
                ],
                "instructions": "i",
                "_meta": ["io.modelcontextprotocol/serverInfo": try json(Sample.serverInfo)],
            ]
        )
    }

    @Test func `a handshake of wrong types still becomes discovery`() {
        let wrong: [JSONValue] = [
            .null, [], "x", ["capabilities": ["tools": true, "resources": ["subscribe": "yes"]]],
            ["serverInfo": 5, "instructions": 5, "capabilities": []],
        ]
        for value in wrong {
            let result = Translation.discoverResult(fromInitialize: value)
            #expect(SchemaJudge.faults(result, as: "DiscoverResult", .modern) == [])
        }
    }
}
