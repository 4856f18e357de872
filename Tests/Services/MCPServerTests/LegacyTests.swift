// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer
import Testing

@Suite(.timeLimit(.minutes(5)))
struct LegacyTests {
    let client = TestClient(makeServer())

    @Test
    func `A client shakes hands, lists and calls`() async {
        let hello = await client.initialize()
        #expect(
            hello.line
                == #"{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"logging":{}},"#
                + #""serverInfo":{"name":"test","title":"Test","version":"1.0"},"instructions":"Use it."}"#
        )
        client.request(1, "tools/list")
        let tools = await client.receive().message["result"]
        #expect(tools?["tools"]?.array?.first?["name"] == "echo")
        #expect(tools?.members?.map(\.name) == ["tools"])
        client.request(2, "tools/call", #"{"name":"echo","arguments":{"text":"hi"}}"#)
        #expect(
            await client.next()
                == #"{"jsonrpc":"2.0","id":2,"result":{"content":[{"type":"text","text":"hi"}]}}"#
        )
    }

    @Test(arguments: [
        ("2024-11-05", "2024-11-05"), ("2025-03-26", "2025-03-26"), ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"), ("2026-07-28", "2025-11-25"), ("1999-01-01", "2025-11-25"),
    ])
    func `The revision is the client's if it is known`(asked: String, given: String) async {
        let hello = await client.initialize(asked)
        #expect(hello["protocolVersion"]?.string == given)
        let names = hello["serverInfo"]?.members?.map(\.name)
        #expect(names == (given < "2025-06-18" ? ["name", "version"] : ["name", "title", "version"]))
    }

    @Test
    func `Only ping comes before initialize, and initialize comes once`() async {
        client.request(1, "ping")
        #expect(await client.next() == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
        client.request(2, "tools/list")
        #expect(await client.receive().message["error"]?["code"] == -32602)
        await client.initialize()
        client.request(3, "initialize", #"{"protocolVersion":"2025-11-25","capabilities":{}}"#)
        #expect(await client.receive().message["error"]?["code"] == -32600)
    }

    @Test
    func `Progress and logs belong to the call`() async {
        await client.initialize()
        client.request(1, "logging/setLevel", #"{"level":"warning"}"#)
        #expect(await client.next() == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
        client.request(2, "tools/call", #"{"name":"work","_meta":{"progressToken":"t"}}"#)
        var lines: [String] = []
        for _ in 0..<5 {
            let received = await client.receive()
            #expect(received.request == "2")
            lines.append((received.message["params"] ?? received.message["result"] ?? .null).line)
        }
        #expect(
            lines == [
                #"{"progressToken":"t","progress":0,"total":100}"#,
                #"{"progressToken":"t","progress":50,"total":100,"message":"half"}"#,
                #"{"level":"error","logger":"work","data":{"what":"big"}}"#,
                #"{"progressToken":"t","progress":100,"total":100}"#,
                #"{"content":[{"type":"text","text":"done"}]}"#,
            ]
        )
    }

    @Test
    func `Several questions go out at once as requests that name their keys`() async {
        await client.initialize(capabilities: #"{"elicitation":{},"sampling":{},"roots":{}}"#)
        client.request(5, "tools/call", #"{"name":"several"}"#)
        var ids: [String: JSONValue] = [:]
        for method in ["elicitation/create", "sampling/createMessage", "roots/list"] {
            let received = await client.receive()
            #expect(received.request == "5")
            #expect(received.message["method"]?.string == method)
            let key = received.message["params"]?["_meta"]?["io.github.gatehouse/inputKey"]?.string
            ids[key ?? "?"] = received.message["id"]
        }
        #expect(ids.keys.sorted() == ["greeting", "roots", "user_name"])
        let answers = [
            "roots": #"{"roots":[{"uri":"file:///a"}]}"#,
            "user_name": #"{"action":"accept","content":{"name":"Ada"}}"#,
            "greeting": #"{"role":"assistant","content":{"type":"text","text":"Hail"},"model":"m"}"#,
        ]
        for (key, answer) in answers {
            client.send(#"{"jsonrpc":"2.0","id":\#(ids[key]?.line ?? "0"),"result":\#(answer)}"#)
        }
        #expect(
            await client.receive().message["result"]?.line
                == #"{"content":[{"type":"text","text":"Hail, Ada! file:///a"}]}"#
        )
    }

    @Test
    func `A call that is taken back is cancelled, and its questions are withdrawn`() async {
        let server = makeServer()
        let outcome = Outcome()
        server.addTool(named: "patient") { _, context in
            do {
                _ = try await context.elicit("Who?", schema: nameSchema, key: "k")
            } catch {
                outcome.note("\(error), \(Task.isCancelled)")
            }
            return ToolResult([])
        }
        let client = TestClient(server)
        await client.initialize(capabilities: #"{"elicitation":{}}"#)
        client.request(1, "tools/call", #"{"name":"patient"}"#)
        let question = await client.receive().message["id"]
        client.send(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#)
        let withdrawn = await client.receive()
        #expect(withdrawn.message["method"] == "notifications/cancelled")
        #expect(withdrawn.message["params"]?["requestId"] == question)
        #expect(withdrawn.request == "1")
        #expect(await outcome.value == "CancellationError(), true")
        // A late answer is nobody's.
        client.send(#"{"jsonrpc":"2.0","id":\#(question?.line ?? ""),"result":{"action":"cancel"}}"#)
        client.request(2, "ping")
        #expect(await client.next() == #"{"jsonrpc":"2.0","id":2,"result":{}}"#)
        #expect(client.unread == [])
    }

    @Test(arguments: [
        (#""error":{"code":-1,"message":"User rejected"}"#, "(-1): User rejected"),
        (#""error":{}"#, "(-32603)"),
        (#""result":{"action":"perhaps"}"#, "does not fit"), (#""result":{}"#, "does not fit"),
        (#""result":7"#, "does not fit"), (#""result":{},"error":{}"#, "does not fit"),
    ])
    func `An answer that is none ends the question, and withdraws those asked with it`(
        answer: String,
        told: String
    ) async {
        await client.initialize(capabilities: #"{"elicitation":{},"sampling":{},"roots":{}}"#)
        client.request(1, "tools/call", #"{"name":"several"}"#)
        var ids: [JSONValue] = []
        for _ in 0..<3 { ids.append(await client.receive().message["id"] ?? .null) }
        client.send(#"{"jsonrpc":"2.0","id":\#(ids[0].line),\#(answer)}"#)
        for id in ids[1...] {
            let message = await client.receive().message
            #expect(message["method"] == "notifications/cancelled")
            #expect(message["params"]?["requestId"] == id)
        }
        let result = await client.receive().message["result"]
        #expect(result?["isError"] == true)
        #expect(result?["content"]?.array?.first?["text"]?.string?.contains(told) == true)
    }

    @Test
    func `A question that nobody answers expires, and the call goes on`() async {
        let world = TestWorld()
        let client = TestClient(makeServer(world.options()))
        await client.initialize(capabilities: #"{"elicitation":{}}"#)
        client.request(1, "tools/call", #"{"name":"name"}"#)
        _ = await client.receive()
        world.advance(300_000)
        client.connection.tick()
        #expect(await client.receive().message["method"] == "notifications/cancelled")
        let result = await client.receive().message["result"]
        #expect(result?["isError"] == true)
        #expect(result?["content"]?.array?.first?["text"] == "The client did not answer in time.")
    }

    @Test
    func `A page to open has an id where the revision has one, and is not asked elsewhere`() async {
        let server = makeServer()
        server.addTool(named: "page") { _, context in
            let answer = try await context.openURL("Open it", url: "https://example.com/")
            return ToolResult([.text("\(answer)")])
        }
        for (revision, isAsked) in [("2025-11-25", true), ("2025-06-18", false), ("2024-11-05", false)] {
            let client = TestClient(server)
            await client.initialize(revision, capabilities: #"{"elicitation":{"url":{}}}"#)
            client.request(1, "tools/call", #"{"name":"page"}"#)
            let message = await client.receive().message
            guard isAsked else {
                #expect(message["error"]?["code"] == -32021)
                continue
            }
            #expect(message["params"]?["mode"] == "url")
            #expect(message["params"]?["elicitationId"]?.string?.isEmpty == false)
            client.send(
                #"{"jsonrpc":"2.0","id":\#(message["id"]?.line ?? ""),"result":{"action":"accept"}}"#
            )
            #expect(
                await client.receive().message["result"]?["content"]?.array?.first?["text"]?.string
                    == "\(ElicitationAnswer.accept([:]))"
            )
        }
    }

    @Test
    func `Changes are told to a session that is ready, for what was declared`() async throws {
        let server = try FeatureTests.server()
        let client = TestClient(server)
        client.request(
            0,
            "initialize",
            #"{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}"#
        )
        _ = await client.receive()
        server.removeTool(named: "echo")
        client.send(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
        client.request(1, "resources/subscribe", #"{"uri":"test://1"}"#)
        #expect(await client.next() == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
        server.removeTool(named: "echo")
        server.removeTool(named: "work")
        server.removePrompt(named: "greet")
        server.removeResource(uri: "test://0")
        server.resourceChanged("test://1")
        server.resourceChanged("test://2")
        client.request(2, "resources/unsubscribe", #"{"uri":"test://1"}"#)
        server.resourceChanged("test://1")
        client.request(3, "ping")
        var lines: [String] = []
        for _ in 0..<6 {
            let received = await client.receive()
            lines.append(received.message.without("jsonrpc").line)
            #expect((received.request == nil) == (received.message["id"] == nil))
        }
        #expect(
            lines == [
                #"{"method":"notifications/tools/list_changed","params":{}}"#,
                #"{"method":"notifications/prompts/list_changed","params":{}}"#,
                #"{"method":"notifications/resources/list_changed","params":{}}"#,
                #"{"method":"notifications/resources/updated","params":{"uri":"test://1"}}"#,
                #"{"id":2,"result":{}}"#, #"{"id":3,"result":{}}"#,
            ]
        )
    }

    @Test
    func `A list of what was not declared never changes`() async {
        let server = makeServer()
        let client = TestClient(server)
        await client.initialize()
        server.addPrompt(PromptDescription(name: "new")) { _, _ in PromptResult([]) }
        client.request(1, "ping")
        #expect(await client.next() == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
    }

    @Test
    func `Older revisions get what they know`() async {
        let server = makeServer()
        server.addTool(
            named: "new",
            title: "New",
            outputSchema: ["type": "object"],
            annotations: ["readOnlyHint": true],
            icons: [Icon(source: "data:,")]
        ) { _, _ in
            ToolResult(
                [.text("{}"), .resourceLink(ResourceDescription(uri: "test://x", name: "x"))],
                structuredContent: .object([]),
                meta: ["a/b": 1]
            )
        }
        func definition(_ revision: String) async -> JSONValue {
            let client = TestClient(server)
            await client.initialize(revision)
            client.request(1, "tools/list")
            let tools = await client.receive().message["result"]?["tools"]?.array ?? []
            return tools.last ?? .null
        }
        let schema = #""inputSchema":{"type":"object"}"#
        let hints = #""annotations":{"readOnlyHint":true"#
        #expect(await definition("2024-11-05").line == #"{"name":"new",\#(schema)}"#)
        #expect(await definition("2025-03-26").line == #"{"name":"new",\#(schema),\#(hints),"title":"New"}}"#)
        let third = #"{"name":"new","title":"New",\#(schema),"outputSchema":{"type":"object"},\#(hints)}"#
        #expect(await definition("2025-06-18").line == third + "}")
        #expect(await definition("2025-11-25").line == third + #","icons":[{"src":"data:,"}]}"#)

        let client = TestClient(server)
        await client.initialize("2025-03-26")
        client.request(1, "tools/call", #"{"name":"new"}"#)
        let result = await client.receive().message["result"]
        #expect(result?["structuredContent"] == nil)
        #expect(result?["content"]?.array?.map { $0["type"] } == ["text", "text"])
    }

    @Test
    func `Batches are for the revision that has them`() async {
        let batch = #"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"x"},7]"#
        for revision in ["2025-03-26", "2025-06-18"] {
            let client = TestClient(makeServer())
            await client.initialize(revision)
            client.send(batch)
            if revision == "2025-03-26" {
                #expect(await client.next() == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
            }
            #expect(await client.receive().message["error"]?["code"] == -32600)
            client.send("[]")
            #expect(await client.receive().message["error"]?["code"] == -32600)
            #expect(client.unread == [])
        }
    }

    @Test
    func `Levels and subscriptions are checked`() async throws {
        let client = TestClient(try FeatureTests.server { $0.limits.subscriptions = 1 })
        await client.initialize()
        for (method, params, code) in [
            ("logging/setLevel", #"{"level":"loud"}"#, -32602), ("logging/setLevel", "{}", -32602),
            ("resources/subscribe", "{}", -32602), ("resources/unsubscribe", #"{"uri":7}"#, -32602),
            ("initialize", "{}", -32602), ("server/discover", "{}", -32601),
            ("subscriptions/listen", #"{"notifications":{}}"#, -32601), ("tasks/get", "{}", -32601),
        ] {
            client.request(1, method, params)
            #expect(await client.receive().message["error"]?["code"]?.integer == code, "\(method)")
        }
        client.request(2, "resources/subscribe", #"{"uri":"test://1"}"#)
        #expect(await client.receive().message["result"] != nil)
        client.request(3, "resources/subscribe", #"{"uri":"test://2"}"#)
        #expect(await client.receive().message["error"]?["code"] == -32603)
    }
}
