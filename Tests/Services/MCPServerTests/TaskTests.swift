// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer
import Testing

/// The extension `io.modelcontextprotocol/tasks`.
@Suite(.timeLimit(.minutes(5)))
struct TaskTests {
    let world = TestWorld()
    let server: MCPServer
    let client: TestClient
    let gate = Gate()
    static let tasks = #"{"extensions":{"io.modelcontextprotocol/tasks":{}},"elicitation":{}}"#

    init() {
        server = makeServer(
            world.options {
                $0.limits.tasks = 3
                $0.taskTTL = 60_000
            }
        )
        client = TestClient(server)
        let gate = gate
        server.addTool(named: "slow", taskSupport: .optional) { _, _ in
            try await gate.wait()
            return ToolResult([.text("slow")])
        }
        server.addTool(named: "broken", taskSupport: .required) { _, _ in throw Trouble() }
        server.addTool(named: "error", taskSupport: .required) { _, _ in
            throw MCPError(code: 5, message: "no")
        }
        server.addTool(named: "confirm", taskSupport: .required) { _, context in
            let answers = try await context.ask([
                .form("One?", schema: nameSchema, key: "a"), .form("Two?", schema: nameSchema, key: "b"),
            ])
            let again = try await context.ask([.form("Three?", schema: nameSchema, key: "a")])
            return ToolResult([.text("\(answers.count + again.count)")])
        }
        server.addTool(named: "later", taskSupport: .deferred) { _, context in
            let name = try await context.elicit("Who?", schema: nameSchema, key: "user_name").content?["name"]
            let isTask = context.becomeTask()
            try await gate.wait()
            return ToolResult([.text("\(name?.string ?? "?") \(isTask)")])
        }
    }

    func call(_ id: String, _ tool: String, _ more: String = "") async -> JSONValue {
        await client.result(
            id,
            "tools/call",
            #""name":"\#(tool)","task":{"ttl":1}\#(more)"#,
            capabilities: Self.tasks
        )
    }

    func task(_ method: String, _ id: JSONValue?, _ more: String = "") async -> JSONValue {
        await client.result(
            "9",
            "tasks/\(method)",
            #""taskId":\#(id?.line ?? "")\#(more)"#,
            capabilities: Self.tasks
        )
    }

    /// Listens for a task and returns when it has this status.
    func wait(for id: JSONValue?, _ status: String) async -> JSONValue {
        client.modern(
            #""wait""#,
            "subscriptions/listen",
            #""notifications":{"taskIds":[\#(id?.line ?? "")]}"#,
            capabilities: Self.tasks
        )
        #expect(await client.receive().message["params"]?["notifications"]?["taskIds"] == [id ?? .null])
        // It may have come so far before.
        var last = await task("get", id)
        while last["status"]?.string != status { last = await client.receive().message["params"] ?? .null }
        client.connection.cancel(request: #""wait""#)
        return last
    }

    @Test
    func `A call becomes a task, whose outcome is fetched`() async {
        let created = await call("1", "slow")
        #expect(
            created.without("_meta").line
                == #"{"resultType":"task","taskId":"secret-1","status":"working","#
                + #""createdAt":"2026-08-01T00:00:00Z","lastUpdatedAt":"2026-08-01T00:00:00Z","#
                + #""ttlMs":60000,"pollIntervalMs":500}"#
        )
        let id = created["taskId"]
        #expect(await task("get", id)["status"] == "working")
        gate.open()
        let done = await wait(for: id, "completed")
        #expect(
            done["result"]?.line == #"{"resultType":"complete","content":[{"type":"text","text":"slow"}]}"#
        )
        #expect(await task("get", id)["resultType"] == "complete")
        #expect(await task("get", id)["result"] == done["result"])
    }

    @Test
    func `A result that says what went wrong completes a task, an error fails it`() async {
        let broken = await wait(for: await call("1", "broken")["taskId"], "completed")
        #expect(broken["result"]?["isError"] == true)
        let error = await wait(for: await call("2", "error")["taskId"], "failed")
        #expect(error["error"]?.line == #"{"code":5,"message":"no"}"#)
        #expect(error["result"] == nil)
    }

    @Test
    func `The extension is declared, and asked of callers`() async {
        let discovery = await client.result("1", "server/discover")
        #expect(
            discovery["capabilities"]?["extensions"]?.line == #"{"io.modelcontextprotocol/tasks":{}}"#
        )
        let missing = #"{"requiredCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}}"#
        for (method, params) in [("tools/call", #""name":"broken""#), ("tasks/get", #""taskId":"x""#)] {
            let refusal = await client.result("2", method, params)
            #expect(refusal["code"] == -32021)
            #expect(refusal["data"]?.line == missing)
        }
        gate.open()
        #expect(await client.result("3", "tools/call", #""name":"slow""#)["resultType"] == "complete")
        await client.initialize()
        client.request(4, "tools/call", #"{"name":"broken"}"#)
        #expect(await client.receive().message["result"]?["isError"] == true)
    }

    @Test
    func `Questions of a task are answered by updates, in parts, under keys of their own`() async {
        let id = await call("1", "confirm")["taskId"]
        let asked = await wait(for: id, "input_required")
        #expect(asked["inputRequests"]?.members?.map(\.name) == ["a", "b"])
        #expect(asked["requestState"] == nil)
        let answer = #"{"action":"accept","content":{"name":"x"}}"#
        #expect(
            await task("update", id, #","inputResponses":{"b":\#(answer),"z":7}"#)["resultType"] == "complete"
        )
        #expect(await task("get", id)["inputRequests"]?.members?.map(\.name) == ["a"])
        #expect(await task("update", id, #","inputResponses":{"a":null}"#)["code"] == -32602)
        #expect(await task("update", id, #","inputResponses":7"#)["code"] == -32602)
        #expect(await task("update", id)["code"] == -32602)
        #expect(
            await task("update", id, #","inputResponses":{"b":\#(answer),"a":\#(answer)}"#)["code"] == nil
        )
        let again = await wait(for: id, "input_required")
        #expect(again["inputRequests"]?.members?.map(\.name) == ["a-2"])
        #expect(await task("update", id, #","inputResponses":{"a-2":\#(answer)}"#)["code"] == nil)
        #expect(await wait(for: id, "completed")["result"]?["content"]?.array?.first?["text"] == "3")
    }

    @Test
    func `A task is cancelled once and stays so`() async {
        let id = await call("1", "slow")["taskId"]
        await gate.arrivals(1)
        #expect(await task("cancel", id).without("_meta").line == #"{"resultType":"complete"}"#)
        await gate.arrivals(2)
        #expect(gate.cancelled == 1)
        #expect(await task("get", id)["status"] == "cancelled")
        #expect(await task("cancel", id)["resultType"] == "complete")
        #expect(await task("update", id, #","inputResponses":{}"#)["resultType"] == "complete")
        gate.open()
        #expect(await task("get", id)["status"] == "cancelled")
    }

    @Test(arguments: ["get", "update", "cancel"])
    func `An unknown task is refused`(method: String) async {
        #expect(await task(method, "x", #","inputResponses":{}"#)["code"] == -32602)
        #expect(await task(method, 7, #","inputResponses":{}"#)["code"] == -32602)
    }

    @Test
    func `A task ends with its time`() async {
        let id = await call("1", "slow")["taskId"]
        await gate.arrivals(1)
        world.advance(59_999)
        client.connection.tick()
        #expect(await task("get", id)["status"] == "working")
        world.advance(1)
        client.connection.tick()
        #expect(await task("get", id)["code"] == -32602)
        await gate.arrivals(2)
        #expect(gate.cancelled == 1)
    }

    @Test
    func `No more tasks are kept than may be`() async {
        for number in 1...3 { #expect(await call("\(number)", "slow")["resultType"] == "task") }
        #expect(await call("4", "broken")["code"] == -32603)
        // What may be one is an ordinary call instead.
        gate.open()
        #expect(await call("5", "slow")["resultType"] == "complete")
    }

    @Test
    func `A call asks first and then becomes a task`() async {
        let asked = await call("1", "later")
        #expect(asked["resultType"] == "input_required")
        let answers = #""inputResponses":{"user_name":{"action":"accept","content":{"name":"Ada"}}}"#
        let created = await call(
            "2",
            "later",
            #","requestState":\#(asked["requestState"]?.line ?? ""),\#(answers)"#
        )
        #expect(created["resultType"] == "task")
        gate.open()
        let done = await wait(for: created["taskId"], "completed")
        #expect(done["result"]?["content"]?.array?.first?["text"] == "Ada true")

        let plain = await client.result(
            "3",
            "tools/call",
            #""name":"later""#,
            capabilities: #"{"elicitation":{}}"#
        )
        let result = await client.result(
            "4",
            "tools/call",
            #""name":"later","requestState":\#(plain["requestState"]?.line ?? ""),\#(answers)"#
        )
        #expect(result["content"]?.array?.first?["text"] == "Ada false")
    }
}
