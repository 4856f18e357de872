// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import JSON
import MCPServer
import Testing

@Suite(.timeLimit(.minutes(5)))
struct RobustnessTests {
    @Test(arguments: [
        ("", -32700), ("{", -32700), ("nonsense", -32700), (#"{"jsonrpc":"2.0","id":1,"id":2}"#, -32700),
        ("7", -32600), ("null", -32600), ("{}", -32600),
        (#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600),
        (#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
        (#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32600),
        (#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600),
        (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, -32602),
        (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":7}"#, -32602),
        (#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#, -32600), ("[]", -32600),
    ])
    func `What is no message is answered with an error`(text: String, code: Int) async {
        let client = TestClient(makeServer())
        client.send(text)
        #expect(await client.receive().message["error"]?["code"]?.integer == code)
        client.request(1, "ping")
        #expect(await client.next() == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
    }

    @Test
    func `Depth is bounded`() async {
        let client = TestClient(makeServer())
        let deep = String(repeating: "[", count: 10_000)
        client.send(deep)
        #expect(await client.receive().message["error"]?["code"] == -32600)
        client.send(#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":\#(deep)"#)
        #expect(await client.receive().message["error"]?["code"] == -32700)
        await client.initialize("2025-03-26")
        client.send(deep)
        #expect(await client.receive().message["error"]?["code"] == -32600)
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        #"{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":""}}"#,
        #"{"jsonrpc":"2.0","error":{}}"#, #"{"jsonrpc":"2.0","id":99999999999999999999,"result":{}}"#,
        #"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
        #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}"#,
        #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":77}}"#,
        #"{"jsonrpc":"2.0","method":"notifications/nonsense"}"#, #"{"jsonrpc":"2.0","method":"tools/call"}"#,
        #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}"#,
    ])
    func `What answers nothing and what is only told is not answered`(text: String) async {
        let client = TestClient(makeServer())
        await client.initialize()
        client.send(text)
        client.request(1, "ping")
        #expect(await client.next() == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
    }

    @Test
    func `Messages cut short or with a byte changed do no harm`() async {
        let client = TestClient(makeServer())
        await client.initialize()
        let text = Array(
            (#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"name","arguments":{},"#
                + #""requestState":"x","inputResponses":{"k":{}},"_meta":{"#
                + #""io.modelcontextprotocol/protocolVersion":"2026-07-28","progressToken":1,"#
                + #""io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}}}"#).utf8
        )
        for index in text.indices {
            client.connection.receive(Array(text[..<index]))
            for byte: UInt8 in [0x00, 0x22, 0x5B, 0x7D, 0xFF] {
                var changed = text
                changed[index] = byte
                client.connection.receive(changed)
            }
        }
        client.request(7, "ping")
        // Whatever is answered before: no schema can be named for what answers half a request.
        while await client.receiveUnjudged().message["id"] != 7 {}
    }

    @Test
    func `No more calls run than may`() async {
        let gate = Gate()
        let server = makeServer(TestWorld().options { $0.limits.runningCalls = 2 })
        server.addTool(named: "wait") { _, _ in
            try await gate.wait()
            return ToolResult([])
        }
        let client = TestClient(server)
        client.modern("1", "tools/call", #""name":"wait""#)
        client.modern("2", "tools/call", #""name":"wait""#)
        #expect(await client.result("3", "tools/call", #""name":"wait""#)["code"] == -32603)
        // Lists need no handler.
        #expect(await client.result("4", "tools/list")["tools"] != nil)
        gate.open()
        _ = await client.receive()
        _ = await client.receive()
        #expect(await client.result("5", "tools/call", #""name":"wait""#)["resultType"] == "complete")
    }

    @Test
    func `Closing cancels handlers, ends questions, and sends nothing more`() async {
        let gate = Gate()
        let outcome = Outcome()
        let server = makeServer()
        server.addTool(named: "wait", taskSupport: .deferred) { _, context in
            defer { context.log(.emergency, "late") }
            try await gate.wait()
            return ToolResult([])
        }
        server.addTool(named: "ask") { _, context in
            do {
                _ = try await context.roots()
            } catch {
                outcome.note("\(error)")
            }
            return ToolResult([])
        }
        let client = TestClient(server)
        await client.initialize(capabilities: #"{"roots":{}}"#)
        client.request(1, "tools/call", #"{"name":"wait"}"#)
        client.request(2, "tools/call", #"{"name":"ask"}"#)
        await gate.arrivals(1)
        #expect(await client.receive().message["method"] == "roots/list")
        client.connection.close()
        client.connection.close()
        await gate.arrivals(2)
        #expect(gate.cancelled == 1)
        #expect(await outcome.value == "CancellationError()")
        client.request(3, "ping")
        server.removeTool(named: "echo")
        await client.connection.finish()
        #expect(client.unread == [])
    }

    @Test
    func `A line that is finished lets calls end, for a while`() async {
        let world = TestWorld()
        let gate = Gate()
        let server = makeServer(world.options())
        server.addTool(named: "wait") { _, _ in
            try await gate.wait()
            return ToolResult([.text("done")])
        }
        let quick = TestClient(server)
        quick.modern("1", "tools/call", #""name":"wait""#)
        let slow = TestClient(makeServer(world.options()))
        await gate.arrivals(1)
        async let end: Void = quick.connection.finish()
        gate.open()
        #expect(await quick.receive().message["result"] != nil)
        await end
        await slow.connection.finish()

        let stuck = Gate()
        server.addTool(named: "stuck") { _, _ in
            try await stuck.wait()
            return ToolResult([])
        }
        let client = TestClient(server)
        client.modern("1", "tools/call", #""name":"stuck""#)
        await stuck.arrivals(1)
        let finishing = Task(name: "finish") { await client.connection.finish() }
        // Whether the wish to end came before or after, time goes on until it is met.
        while stuck.cancelled == 0 {
            world.advance(2000)
            client.connection.tick()
            await Task.yield()
        }
        await finishing.value
        #expect(client.unread == [])
    }

    @Test
    func `Messages keep their order though many threads make them`() async {
        let server = makeServer()
        server.addTool(named: "count") { _, context in
            for number in 1...200 { context.reportProgress(Double(number)) }
            return ToolResult([])
        }
        let client = TestClient(server)
        for id in 1...20 {
            client.modern("\(id)", "tools/call", #""name":"count""#, meta: #""progressToken":\#(id)"#)
        }
        var last: [String: Int] = [:]
        var open = 20
        while open > 0 {
            let received = await client.receive()
            let id = received.request ?? ""
            if received.message["result"] != nil {
                #expect(last[id] == 200)
                open -= 1
            } else {
                let progress = received.message["params"]?["progress"]?.integer ?? 0
                #expect(progress == (last[id] ?? 0) + 1)
                last[id] = progress
            }
        }
    }

    @Test
    func `A handler that is told nothing any more is harmless`() async {
        let kept = Locked<RequestContext?>(nil)
        let server = makeServer()
        server.addTool(named: "keep") { _, context in
            kept.withLock { $0 = context }
            return ToolResult([])
        }
        let client = TestClient(server)
        _ = await client.result("1", "tools/call", #""name":"keep""#, capabilities: #"{"roots":{}}"#)
        let context = kept.withLock { $0 }
        context?.reportProgress(1)
        context?.log(.error, "x")
        #expect(context?.becomeTask() == false)
        await #expect(throws: CancellationError.self) { try await context?.roots() }
        #expect(client.unread == [])
    }
}
