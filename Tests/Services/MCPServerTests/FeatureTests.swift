// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer
import Testing

/// Lists, resources, prompts and completion, in the era where they show all they have.
@Suite(.timeLimit(.minutes(5)))
struct FeatureTests {
    /// A server with this many resources, two templates and two prompts.
    static func server(
        resources: Int = 3,
        _ change: (inout ServerOptions) -> Void = { _ in }
    ) throws -> MCPServer {
        let server = makeServer(TestWorld().options(change))
        for number in 0..<resources {
            let uri = "test://\(number)"
            server.addResource(ResourceDescription(uri: uri, name: "r\(number)", mimeType: "text/plain")) {
                _ in
                [ResourceContents(uri: uri, mimeType: "text/plain", text: "text \(number)")]
            }
        }
        try server.addTemplate(
            ResourceTemplate("test://item/{id}/data", name: "items", mimeType: "application/json"),
            completers: ["id": { $0.matching((0..<150).map { "item\($0)" }) }]
        ) { uri, variables, _ in
            guard let id = variables["id"], id != "none" else { throw MCPError.resourceNotFound(uri) }
            return [ResourceContents(uri: uri, mimeType: "application/json", text: id)]
        }
        server.addPrompt(
            PromptDescription(
                name: "greet",
                title: "Greeting",
                arguments: [
                    PromptArgument("who", isRequired: true), PromptArgument("how"), PromptArgument("when"),
                ]
            ),
            completers: [
                "who": { request in
                    request.matching(["Ada", "Alan", "Grace \(request.settled["how"] ?? "?")"])
                }
            ]
        ) { arguments, _ in
            PromptResult(
                [.user("\(arguments["how"] ?? "Hello"), \(arguments["who"] ?? "?")")],
                description: "d"
            )
        }
        server.addPrompt(PromptDescription(name: "ask")) { _, context in
            let answer = try await context.elicit("What?", schema: nameSchema, key: "user_context")
            return PromptResult([.user(answer.content?["name"]?.string ?? "?")])
        }
        return server
    }

    @Test
    func `All lists come in pages, in order, with caching hints`() async throws {
        let client = TestClient(
            try Self.server(resources: 5) { options in
                options.pageSize = 2
                options.cacheTTL = 1000
                options.cacheScope = .public
            }
        )
        for (method, name, count) in [
            ("tools/list", "tools", 7), ("resources/list", "resources", 5),
            ("resources/templates/list", "resourceTemplates", 1), ("prompts/list", "prompts", 2),
        ] {
            var names: [String] = []
            var cursor = ""
            repeat {
                let page = await client.result("1", method, cursor)
                let entries = page[name]?.array ?? []
                #expect(entries.count <= 2)
                #expect(page["ttlMs"]?.integer == 1000)
                #expect(page["cacheScope"] == "public")
                names += entries.compactMap { $0["name"]?.string }
                cursor = page["nextCursor"].map { #""cursor":\#($0.line)"# } ?? ""
            } while !cursor.isEmpty
            #expect(names.count == count)
            if method == "tools/list" {
                #expect(names == ["echo", "work", "name", "several", "steps", "fail", "refuse"])
            }
        }
    }

    @Test(arguments: [#""""#, #""?""#, "7", "null", #""dG9vbHM6MA""#, #""cmVzb3VyY2VzOjE""#])
    func `A cursor that the list did not give is refused`(cursor: String) async throws {
        let client = TestClient(try Self.server())
        #expect(await client.result("1", "tools/list", #""cursor":\#(cursor)"#)["code"] == -32602)
    }

    @Test
    func `A page begins where the one before ended, though entries went`() async throws {
        let server = try Self.server(resources: 6) { $0.pageSize = 2 }
        let client = TestClient(server)
        let first = await client.result("1", "resources/list")
        server.removeResource(uri: "test://0")
        server.removeResource(uri: "test://1")
        server.removeResource(uri: "test://2")
        let second = await client.result(
            "2",
            "resources/list",
            #""cursor":\#(first["nextCursor"]?.line ?? "")"#
        )
        #expect(second["resources"]?.array?.compactMap { $0["name"]?.string } == ["r3", "r4"])
    }

    @Test
    func `Resources are read by their URI or by a template`() async throws {
        let client = TestClient(try Self.server())
        let plain = await client.result("1", "resources/read", #""uri":"test://1""#)
        #expect(plain["contents"]?.line == #"[{"uri":"test://1","mimeType":"text/plain","text":"text 1"}]"#)
        #expect(plain["ttlMs"] == 0)
        #expect(plain["cacheScope"] == "private")
        let item = await client.result("2", "resources/read", #""uri":"test://item/a%20b/data""#)
        #expect(
            item["contents"]?.line
                == #"[{"uri":"test://item/a%20b/data","mimeType":"application/json","text":"a b"}]"#
        )
    }

    @Test(arguments: ["test://9", "test://item/none/data", "test://item/data"])
    func `A resource that is not there is told in the words of the era`(uri: String) async throws {
        let client = TestClient(try Self.server())
        let modern = await client.result("1", "resources/read", #""uri":"\#(uri)""#)
        #expect(modern["code"] == -32602)
        #expect(modern["data"]?["uri"]?.string == uri)
        await client.initialize()
        client.request(2, "resources/read", #"{"uri":"\#(uri)"}"#)
        let legacy = await client.receive().message["error"]
        #expect(legacy?["code"] == -32002)
        #expect(legacy?["data"]?["uri"]?.string == uri)
    }

    @Test
    func `Prompts take their arguments`() async throws {
        let client = TestClient(try Self.server())
        let prompt = await client.result(
            "1",
            "prompts/get",
            #""name":"greet","arguments":{"who":"Ada","how":"Hail"}"#
        )
        #expect(
            prompt.without("_meta").line
                == #"{"resultType":"complete","description":"d","#
                + #""messages":[{"role":"user","content":{"type":"text","text":"Hail, Ada"}}]}"#
        )
        for params in [
            #""name":"greet""#, #""name":"greet","arguments":{"how":"Hail"}"#, #""name":"nobody""#,
            #""name":"greet","arguments":{"who":7}"#, #""name":"greet","arguments":[]"#, #""name":7"#,
        ] {
            #expect(await client.result("2", "prompts/get", params)["code"] == -32602, "\(params)")
        }
    }

    @Test
    func `A prompt may ask too`() async throws {
        let client = TestClient(try Self.server())
        let asked = await client.result(
            "1",
            "prompts/get",
            #""name":"ask""#,
            capabilities: #"{"elicitation":{"form":{}}}"#
        )
        #expect(asked["inputRequests"]?["user_context"]?["method"] == "elicitation/create")
        let state = asked["requestState"]?.line ?? ""
        let prompt = await client.result(
            "2",
            "prompts/get",
            #""name":"ask","requestState":\#(state),"#
                + #""inputResponses":{"user_context":{"action":"accept","content":{"name":"x"}}}"#
        )
        #expect(prompt["messages"]?.array?.first?["content"]?["text"] == "x")
    }

    @Test
    func `A resource that asked must not be kept`() async throws {
        let server = try Self.server {
            $0.cacheTTL = 1000
            $0.cacheScope = .public
        }
        server.addResource(ResourceDescription(uri: "test://asks", name: "asks")) { context in
            let answer = try await context.elicit("Who?", schema: nameSchema, key: "k")
            return [ResourceContents(uri: "test://asks", text: answer.content?["name"]?.string ?? "?")]
        }
        let client = TestClient(server)
        let uri = #""uri":"test://asks""#
        let asked = await client.result("1", "resources/read", uri, capabilities: #"{"elicitation":{}}"#)
        #expect(asked["ttlMs"] == nil)
        let state = asked["requestState"]?.line ?? ""
        let answers = #"{"k":{"action":"accept","content":{"name":"x"}}}"#
        let read = await client.result(
            "2",
            "resources/read",
            #"\#(uri),"requestState":\#(state),"inputResponses":\#(answers)"#
        )
        #expect(read["contents"]?.array?.first?["text"] == "x")
        #expect(read["ttlMs"] == 0)
        #expect(read["cacheScope"] == "private")
        let plain = await client.result("3", "resources/read", #""uri":"test://1""#)
        #expect(plain["ttlMs"] == 1000)
        #expect(plain["cacheScope"] == "public")
    }

    @Test
    func `Completion proposes at most a hundred values`() async throws {
        let client = TestClient(try Self.server())
        func complete(_ reference: String, _ argument: String, _ more: String = "") async -> JSONValue {
            await client.result(
                "1",
                "completion/complete",
                #""ref":\#(reference),"argument":\#(argument)\#(more)"#
            )
        }
        let prompt = #"{"type":"ref/prompt","name":"greet"}"#
        let template = #"{"type":"ref/resource","uri":"test://item/{id}/data"}"#
        #expect(
            await complete(prompt, #"{"name":"who","value":"a"}"#)["completion"]?.line
                == #"{"values":["Ada","Alan"],"total":2,"hasMore":false}"#
        )
        #expect(
            await complete(prompt, #"{"name":"who","value":"G"}"#, #","context":{"arguments":{"how":"!"}}"#)[
                "completion"
            ]?["values"] == ["Grace !"]
        )
        #expect(await complete(prompt, #"{"name":"how","value":""}"#)["completion"]?["values"] == [])
        let many = await complete(template, #"{"name":"id","value":"item"}"#)["completion"]
        #expect(many?["values"]?.array?.count == 100)
        #expect(many?["total"] == 150)
        #expect(many?["hasMore"] == true)
        for (reference, argument) in [
            (prompt, #"{"name":"nothing","value":""}"#), (prompt, #"{"name":"who"}"#), (prompt, "7"),
            (template, #"{"name":"nothing","value":""}"#),
            (#"{"type":"ref/else"}"#, #"{"name":"a","value":""}"#),
            (#"{"type":"ref/prompt","name":"no"}"#, #"{"name":"a","value":""}"#),
        ] {
            #expect(await complete(reference, argument)["code"] == -32602, "\(reference) \(argument)")
        }
    }

    @Test
    func `What a server does not have, it does not do`() async {
        let client = TestClient(MCPServer(name: "bare", version: "1", options: TestWorld().options()))
        let discovery = await client.result("1", "server/discover")
        #expect(discovery["capabilities"]?.line == #"{"logging":{}}"#)
        for method in [
            "tools/list", "tools/call", "resources/list", "resources/read", "resources/templates/list",
            "prompts/list", "prompts/get", "completion/complete", "tasks/get", "nonsense", "roots/list",
        ] {
            #expect(await client.result("2", method)["code"] == -32601, "\(method)")
        }
    }

    @Test
    func `Errors of tools are results, errors of the protocol are errors`() async {
        let client = TestClient(makeServer())
        let failed = await client.result("1", "tools/call", #""name":"fail""#)
        #expect(
            failed.without("_meta").line
                == #"{"resultType":"complete","content":[{"type":"text","text":"it broke"}],"isError":true}"#
        )
        let refused = await client.result("2", "tools/call", #""name":"refuse""#)
        #expect(refused.line == #"{"code":7,"message":"no","data":{"why":"because"}}"#)
        for params in [#""name":"nothing""#, #""name":7"#, "", #""name":"echo","arguments":[1]"#] {
            #expect(await client.result("3", "tools/call", params)["code"] == -32602, "\(params)")
        }
    }
}
