// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPCore
import Testing

@Suite struct TranslationLegacyResultTests {
    static let legacy = Revision.allCases.filter { $0.era == .legacy }

    private func translated(_ method: Method, _ revision: Revision) throws -> JSONValue {
        let sample = try #require(Sample.all.first { $0.method == method })
        return Translation.legacyResult(try sample.value(), of: method, for: revision)
    }

    @Test func `the samples are results of the modern era`() throws {
        for sample in Sample.all {
            #expect(SchemaJudge.faults(try sample.value(), as: sample.type, .modern) == [])
        }
    }

    @Test(arguments: legacy)
    func `every result is one of the client's revision`(_ revision: Revision) throws {
        for sample in Sample.all {
            let result = try translated(sample.method, revision)
            #expect(SchemaJudge.faults(result, as: sample.type, revision) == [])
        }
    }

    @Test(arguments: legacy)
    func `nothing of the modern hop is left`(_ revision: Revision) throws {
        for sample in Sample.all {
            let result = try translated(sample.method, revision)
            #expect(
                result.names.isDisjoint(with: [
                    "resultType", "ttlMs", "cacheScope", "io.modelcontextprotocol/serverInfo",
                    "io.modelcontextprotocol/subscriptionId",
                ])
            )
            #expect(result["_meta"] == ["a.example/k": 1])
        }
        let alone: JSONValue = [
            "completion": ["values": []], "_meta": ["io.modelcontextprotocol/serverInfo": ["name": "s"]],
        ]
        let expected: JSONValue = ["completion": ["values": []]]
        #expect(Translation.legacyResult(alone, of: .complete, for: revision) == expected)
    }

    @Test(arguments: legacy)
    func `members that a revision does not know are left out of all lists and blocks`(
        _ revision: Revision
    ) throws {
        for sample in Sample.all {
            let names = try translated(sample.method, revision).setting("_meta", to: nil).names
            let hadIcons = try sample.value().setting("_meta", to: nil).names.contains("icons")
            #expect(names.contains("icons") == (hadIcons && revision >= .v2025_11_25))
            if revision < .v2025_06_18 {
                let later: Set = ["_meta", "structuredContent", "outputSchema", "lastModified"]
                #expect(names.isDisjoint(with: later))
            }
        }
    }

    @Test(arguments: legacy)
    func `titles of resources, templates, prompts and their arguments came with 2025-06-18`(
        _ revision: Revision
    ) throws {
        for method in [Method.resourcesList, .resourcesTemplatesList, .promptsList] {
            #expect(try translated(method, revision).names.contains("title") == (revision >= .v2025_06_18))
        }
    }

    @Test func `a tool's title finds its place in every revision that has one`() throws {
        func tool(_ revision: Revision) throws -> JSONValue? {
            try translated(.toolsList, revision)["tools"]?.array?.first
        }
        #expect(try tool(.v2024_11_05)?.names.contains("title") == false)
        #expect(try tool(.v2024_11_05)?["annotations"] == nil)
        #expect(try tool(.v2025_03_26)?["title"] == nil)
        #expect(try tool(.v2025_03_26)?["annotations"] == ["readOnlyHint": true, "title": "T"])
        #expect(try tool(.v2025_06_18)?["title"] == "T")
        #expect(try tool(.v2025_06_18)?["annotations"] == ["readOnlyHint": true])
        #expect(
            try translated(.toolsList, .v2025_03_26)["tools"]?.array?[2]["annotations"] == ["title": "Any"]
        )
        let named: JSONValue = ["tools": [["name": "n", "title": "T", "annotations": ["title": "own"]]]]
        let kept = Translation.legacyResult(named, of: .toolsList, for: .v2025_03_26)
        #expect(kept["tools"]?.array?.first?["annotations"] == ["title": "own"])
    }

    @Test(arguments: legacy)
    func `an output schema is kept where its root is an object and the revision has one`(
        _ revision: Revision
    ) throws {
        let tools = try translated(.toolsList, revision)["tools"]?.array ?? []
        let has = tools.map { $0["outputSchema"] != nil }
        #expect(has == (revision < .v2025_06_18 ? [false, false, false] : [true, false, false]))
    }

    @Test(arguments: legacy)
    func `an input schema keeps every keyword`(_ revision: Revision) throws {
        let schema = try translated(.toolsList, revision)["tools"]?.array?.first?["inputSchema"]
        var expected = try #require(try json("[\(Sample.tool)]").array?.first?["inputSchema"])
        // Truth values are schemas to JSON Schema, but not to the legacy revisions.
        expected = expected.setting(
            "properties",
            to: expected["properties"]?.setting("b", to: .object([])).setting("c", to: ["not": .object([])])
        )
        #expect(schema == expected)
    }

    @Test func `a tool without an object for its input gets one`() {
        let wrong: [JSONValue] = [true, "x", ["type": "array"], ["type": ["object", "null"]], .null]
        for schema in wrong {
            let list: JSONValue = ["tools": [["name": "n", "inputSchema": schema]]]
            for revision in Self.legacy {
                let result = Translation.legacyResult(list, of: .toolsList, for: revision)
                #expect(SchemaJudge.faults(result, as: "ListToolsResult", revision) == [])
            }
        }
        let none = Translation.legacyResult(["tools": [["name": "n"]]], of: .toolsList, for: .v2024_11_05)
        #expect(none == ["tools": [["name": "n", "inputSchema": ["type": "object"]]]])
    }

    @Test func `support for tasks is not passed on`() {
        let list: JSONValue = [
            "tools": [
                ["name": "n", "execution": ["taskSupport": "required"], "inputSchema": ["type": "object"]]
            ]
        ]
        let result = Translation.legacyResult(list, of: .toolsList, for: .v2025_11_25)
        #expect(result == ["tools": [["name": "n", "inputSchema": ["type": "object"]]]])
    }

    @Test func `other methods and the modern revision keep their results`() throws {
        let value: JSONValue = ["resultType": "complete", "tools": [["icons": []]]]
        #expect(Translation.legacyResult(value, of: .toolsList, for: .modern) == value)
        #expect(
            Translation.legacyResult(value, of: .other, for: .v2024_11_05) == ["tools": [["icons": []]]]
        )
    }

    // MARK: Structured content

    @Test(arguments: legacy)
    func `structured content that the revision lacks is told as text`(_ revision: Revision) {
        let object: JSONValue = ["content": [], "structuredContent": ["a": 1]]
        let text: JSONValue = ["content": [["type": "text", "text": #"{"a":1}"#]]]
        let result = Translation.legacyResult(object, of: .toolsCall, for: revision)
        #expect(result == (revision < .v2025_06_18 ? text : object))
        for value: JSONValue in [[1, "b"], "s", 5, true, .null] {
            let other: JSONValue = ["content": [], "structuredContent": value]
            let result = Translation.legacyResult(other, of: .toolsCall, for: revision)
            let expected = String(decoding: value.text(), as: UTF8.self)
            #expect(result == ["content": [["type": "text", "text": .string(expected)]]])
        }
    }

    @Test(arguments: [
        (#"[1,{"b":2,"a":1}]"#, #"[ 1, {"a": 1, "b": 2} ]"#), (#""words""#, "words"),
        (#""words""#, #""words""#),
    ])
    func `structured content that a text block already says is not said twice`(
        _ structured: String,
        _ text: String
    ) throws {
        let blocks: JSONValue = [
            ["type": "text", "text": "other"], ["type": "text", "text": .string(text)],
        ]
        let result: JSONValue = ["content": blocks, "structuredContent": try json(structured)]
        for revision in Self.legacy {
            #expect(Translation.legacyResult(result, of: .toolsCall, for: revision) == ["content": blocks])
        }
    }

    @Test func `a result of a tool always has content`() {
        let result = Translation.legacyResult(["isError": true], of: .toolsCall, for: .v2025_11_25)
        #expect(result == ["isError": true, "content": []])
    }

    // MARK: Blocks

    @Test func `each kind of block is told in the words of each revision`() throws {
        let kinds: [Revision: [String]] = [
            .v2024_11_05: ["text", "image", "text", "text", "resource", "resource"],
            .v2025_03_26: ["text", "image", "audio", "text", "resource", "resource"],
            .v2025_06_18: ["text", "image", "audio", "resource_link", "resource", "resource"],
            .v2025_11_25: ["text", "image", "audio", "resource_link", "resource", "resource"],
        ]
        for (revision, expected) in kinds {
            let content = try translated(.toolsCall, revision)["content"]?.array ?? []
            #expect(content.prefix(6).compactMap { $0["type"]?.string } == expected)
            let messages = try translated(.promptsGet, revision)["messages"]?.array ?? []
            #expect(messages.compactMap { $0["content"]?["type"]?.string } == expected)
        }
    }

    @Test func `what has no block says in text what it was`() throws {
        let content = try translated(.toolsCall, .v2024_11_05)["content"]?.array ?? []
        let marks: JSONValue = ["audience": ["user"], "priority": .number("0.5")]
        #expect(content[2] == ["type": "text", "text": "[audio, audio/wav]", "annotations": marks])
        #expect(
            content[3] == ["type": "text", "text": "[L](x://l): the link", "annotations": marks]
        )
        #expect(
            Translation.legacyResult(["content": [["type": "audio"]]], of: .toolsCall, for: .v2024_11_05)
                == ["content": [["type": "text", "text": "[audio]"]]]
        )
        #expect(
            Translation.legacyResult(
                ["content": [["type": "resource_link"]]],
                of: .toolsCall,
                for: .v2024_11_05
            )
                == ["content": [["type": "text", "text": "[resource]"]]]
        )
    }

    @Test func `blocks of unknown kinds stay as they came`() {
        let result: JSONValue = ["content": [["type": "hologram", "icons": []], "x", 5]]
        for revision in Self.legacy {
            #expect(Translation.legacyResult(result, of: .toolsCall, for: revision) == result)
        }
    }

    // MARK: The handshake

    private static let discovered = """
        {"resultType":"complete","supportedVersions":["2026-07-28"],"ttlMs":5,"cacheScope":"public","instructions":"i",
        "capabilities":{"tools":{"listChanged":true,"other":1},"resources":{"subscribe":true,"listChanged":false},
        "prompts":{},"completions":{},"logging":{},"experimental":{"a.example/x":{}},
        "extensions":{"io.modelcontextprotocol/tasks":{}},"tasks":{"list":{}}},\(Sample.meta)}
        """

    @Test(arguments: legacy)
    func `the handshake is made of what a modern server says about itself`(_ revision: Revision) throws {
        let result = Translation.initializeResult(fromDiscover: try json(Self.discovered), revision: revision)
        #expect(SchemaJudge.faults(result, as: "InitializeResult", revision) == [])
        #expect(result["protocolVersion"]?.string == revision.rawValue)
        #expect(result["instructions"] == "i")
        #expect(result["_meta"] == nil)
        var capabilities: JSONValue = [
            "tools": ["listChanged": true], "resources": ["subscribe": true, "listChanged": false],
            "prompts": .object([]), "completions": .object([]), "logging": .object([]),
        ]
        if revision < .v2025_03_26 { capabilities = capabilities.setting("completions", to: nil) }
        #expect(result["capabilities"] == capabilities)
        let names = Set(result["serverInfo"]?.members?.map(\.name) ?? [])
        switch revision {
        case .v2024_11_05, .v2025_03_26: #expect(names == ["name", "version"])
        case .v2025_06_18: #expect(names == ["name", "version", "title"])
        default: #expect(names == ["name", "version", "title", "description", "websiteUrl", "icons"])
        }
    }

    @Test func `a server that does not say who it is still completes the handshake`() {
        for value: JSONValue in [.object([]), .null, ["capabilities": 5, "_meta": 3, "instructions": []]] {
            for revision in Self.legacy {
                let result = Translation.initializeResult(fromDiscover: value, revision: revision)
                #expect(SchemaJudge.faults(result, as: "InitializeResult", revision) == [])
                #expect(result["capabilities"] == .object([]))
            }
        }
    }
}

extension JSONValue {
    /// A copy with a member changed or left out; for expectations.
    func setting(_ name: String, to value: JSONValue?) -> JSONValue {
        var members = (members ?? []).filter { $0.name != name }
        let place = (self.members ?? []).firstIndex { $0.name == name } ?? members.count
        if let value { members.insert(Member(name, value), at: place) }
        return .object(members)
    }
}
