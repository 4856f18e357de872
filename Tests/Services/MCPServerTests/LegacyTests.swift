// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer
import Testing

@Suite(.timeLimit(.minutes(1)))
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
}
