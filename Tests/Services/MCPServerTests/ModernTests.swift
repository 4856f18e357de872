// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ModernTests {
    let client = TestClient(makeServer())

    @Test
    func `A request stands for itself`() async {
        client.modern(#""a""#, "tools/call", #""name":"echo","arguments":{"text":"hi"}"#)
        let received = await client.receive()
        #expect(received.request == #""a""#)
        #expect(
            received.message.line
                == #"{"jsonrpc":"2.0","id":"a","result":{"resultType":"complete","#
                + #""content":[{"type":"text","text":"hi"}],"_meta":{"io.modelcontextprotocol/serverInfo":"#
                + #"{"name":"test","title":"Test","version":"1.0"}}}}"#
        )
    }

    @Test
    func `The server says what it is and what it can do`() async {
        let discovery = await client.result("1", "server/discover")
        #expect(
            discovery.line
                == #"{"resultType":"complete","supportedVersions":["2026-07-28"],"#
                + #""capabilities":{"tools":{"listChanged":true},"logging":{}},"instructions":"Use it.","#
                + #""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"test","title":"Test","#
                + #""version":"1.0"}},"ttlMs":0,"cacheScope":"private"}"#
        )
    }

    @Test(arguments: [
        "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe",
        "tasks/result", "tasks/list", "nonsense", "notifications/cancelled",
    ])
    func `Methods that the era does not have are not found`(method: String) async {
        #expect(await client.result("1", method)["code"] == -32601)
    }

    @Test(arguments: [
        (#"{}"#, -32602), (#"{"_meta":{}}"#, -32602), (#"{"_meta":7}"#, -32602),
        (#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#, -32602),
        (
            #"{"_meta":{"io.modelcontextprotocol/protocolVersion":7,"io.modelcontextprotocol/clientCapabilities":{}}}"#,
            -32602
        ),
        (
            #"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#
                + #""io.modelcontextprotocol/clientCapabilities":[]}}"#,
            -32602
        ),
        (
            #"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#
                + #""io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"loud"}}"#,
            -32602
        ),
        (
            #"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#
                + #""io.modelcontextprotocol/clientCapabilities":{},"progressToken":{}}}"#,
            -32602
        ),
        (
            #"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2099-01-01","#
                + #""io.modelcontextprotocol/clientCapabilities":{}}}"#,
            -32022
        ),
        ("[]", -32602),
    ])
    func `What a request must carry is checked`(params: String, code: Int) async {
        client.request(1, "tools/list", params)
        let message = await client.receive().message
        #expect(message["id"] == 1)
        #expect(message["error"]?["code"]?.integer == code)
        if code == -32022 {
            #expect(
                message["error"]?["data"]?.line
                    == #"{"supported":["2026-07-28"],"requested":"2099-01-01"}"#
            )
        }
    }

    @Test
    func `Log messages come only if the request wants them`() async {
        client.modern("1", "tools/call", #""name":"work""#)
        #expect(await client.receive().message["result"] != nil)
        client.modern(
            "2",
            "tools/call",
            #""name":"work""#,
            meta: #""io.modelcontextprotocol/logLevel":"debug","progressToken":9"#
        )
        var methods: [String] = []
        for _ in 0..<6 { methods.append(await client.receive().message["method"]?.string ?? "result") }
        #expect(
            methods == [
                "notifications/progress", "notifications/progress", "notifications/message",
                "notifications/message", "notifications/progress", "result",
            ]
        )
    }

    @Test
    func `Both eras live on one line`() async {
        await client.initialize()
        client.request(1, "tools/call", #"{"name":"echo","arguments":{"text":"old"}}"#)
        #expect(await client.receive().message["result"]?.members?.map(\.name) == ["content"])
        let new = await client.result("2", "tools/call", #""name":"echo","arguments":{"text":"new"}"#)
        #expect(new["resultType"] == "complete")
    }

    @Test
    func `A server of one era refuses the other in words that help`() async {
        let modern = TestClient(makeServer(TestWorld().options { $0.eras = .modern }))
        let refusal = await modern.initialize()
        #expect(refusal["error"]?["code"] == -32022)
        #expect(refusal["error"]?["message"]?.string?.contains("2026-07-28") == true)
        #expect(refusal["error"]?["data"]?["requested"] == "2025-11-25")
        modern.request(1, "ping")
        #expect(await modern.receive().message["error"]?["code"] == -32602)

        let legacy = TestClient(makeServer(TestWorld().options { $0.eras = .legacy }))
        #expect(await legacy.result("1", "server/discover")["code"] == -32602)
        await legacy.initialize()
        #expect(await legacy.result("2", "server/discover")["code"] == -32601)
        #expect(await legacy.result("3", "tools/list", #""cursor":7"#)["code"] == -32602)
    }

    @Test
    func `A request that is taken back is cancelled and not answered`() async {
        let server = makeServer()
        let gate = Gate()
        server.addTool(named: "wait") { _, _ in
            try await gate.wait()
            return ToolResult([])
        }
        let client = TestClient(server)
        client.modern(#""x""#, "tools/call", #""name":"wait""#)
        client.modern("2", "tools/call", #""name":"wait""#)
        await gate.arrivals(2)
        client.send(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"\u0078"}}"#)
        client.connection.cancel(request: "2")
        await gate.arrivals(4)
        #expect(gate.cancelled == 2)
        // Whose ids are free again.
        #expect(await client.result(#""x""#, "tools/call", #""name":"echo""#)["resultType"] == "complete")
        #expect(client.unread == [])
    }

    @Test
    func `An id that waits is not taken again`() async {
        let server = makeServer()
        let gate = Gate()
        server.addTool(named: "wait") { _, _ in
            try await gate.wait()
            return ToolResult([.text("done")])
        }
        let client = TestClient(server)
        client.modern("1", "tools/call", #""name":"wait""#)
        #expect(await client.result("1", "tools/list")["code"] == -32600)
        gate.open()
        #expect(await client.receive().message["result"]?["content"]?.array?.first?["text"] == "done")
    }
}
