// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import JSON
import MCPServer
import Testing

/// Calls that wait for the request that brings the answers.
@Suite(.timeLimit(.minutes(5)))
struct ParkingTests {
    let world = TestWorld()
    let client: TestClient
    static let forms = #"{"elicitation":{}}"#
    static let everything = #"{"elicitation":{},"sampling":{},"roots":{}}"#

    init() {
        client = TestClient(makeServer(world.options { $0.limits.parkedCalls = 3 }))
    }

    /// Calls a tool, with members of a retry if it is one.
    func call(
        _ id: String,
        _ tool: String,
        state: JSONValue? = nil,
        answers: String? = nil,
        capabilities: String = forms,
        meta: String = "",
        arguments: String = "{}"
    ) async -> JSONValue {
        var params = #""name":"\#(tool)","arguments":\#(arguments)"#
        if let state { params += #","requestState":\#(state.line)"# }
        if let answers { params += #","inputResponses":\#(answers)"# }
        return await client.result(id, "tools/call", params, capabilities: capabilities, meta: meta)
    }

    static func accept(_ key: String, _ name: String) -> String {
        #"{"\#(key)":{"action":"accept","content":{"name":"\#(name)"}}}"#
    }

    func text(_ result: JSONValue) -> String {
        result["content"]?.array?.first?["text"]?.string ?? result.line
    }

    @Test
    func `A question parks the call, and its retry wakes it`() async {
        let asked = await call("1", "name")
        #expect(
            asked.without("_meta").line
                == #"{"resultType":"input_required","inputRequests":{"user_name":{"method":"elicitation/create","#
                + #""params":{"message":"Who?","requestedSchema":"# + nameSchema.line
                + #"}}},"requestState":"secret-1"}"#
        )
        let answer = await call("2", "name", state: "secret-1", answers: Self.accept("user_name", "Ada"))
        #expect(text(answer) == "Hello, Ada!")
        #expect(answer["resultType"] == "complete")
    }

    @Test
    func `Declining and cancelling are answers`() async {
        for action in ["decline", "cancel"] {
            let state = await call("1", "name")["requestState"]
            let answers = #"{"user_name":{"action":"\#(action)","content":{"name":"ignored"}}}"#
            #expect(text(await call("2", "name", state: state, answers: answers)) == "nobody: \(action)")
        }
    }

    @Test
    func `A state is good once`() async {
        let state = await call("1", "name")["requestState"]
        _ = await call("2", "name", state: state, answers: Self.accept("user_name", "Ada"))
        #expect(
            await call("3", "name", state: state, answers: Self.accept("user_name", "Eve"))["code"] == -32602
        )
    }

    @Test
    func `A state is good for the same request only, and a wrong one does not use it up`() async {
        let state = await call("1", "name", arguments: #"{"b":[1,{"x":null}],"a":1}"#)["requestState"]
        let answers = Self.accept("user_name", "Eve")
        #expect(await call("2", "name", state: "guess", answers: answers)["code"] == -32602)
        #expect(await call("3", "name", state: "secret-11", answers: answers)["code"] == -32602)
        #expect(await call("4", "name", state: 1, answers: answers)["code"] == -32602)
        #expect(await call("5", "name", state: .null, answers: answers)["code"] == -32602)
        #expect(await call("6", "name", state: state, answers: answers)["code"] == -32602)
        #expect(await call("7", "several", state: state, answers: answers)["code"] == -32602)
        let prompt = await client.result(
            "8",
            "resources/read",
            #""uri":"x","requestState":\#(state?.line ?? "")"#
        )
        #expect(prompt["code"] == -32602)
        let right = await call(
            "9",
            "name",
            state: state,
            answers: Self.accept("user_name", "Ada"),
            arguments: #"{ "a" : 1, "b" : [ 1, { "x" : null } ] }"#
        )
        #expect(text(right) == "Hello, Ada!")
    }

    @Test(arguments: [
        "7", "null", "[]", #""x""#, #"{"user_name":null}"#, #"{"user_name":3}"#, #"{"user_name":{}}"#,
        #"{"user_name":{"action":"maybe"}}"#, #"{"user_name":{"action":"accept","content":7}}"#,
    ])
    func `What is no answer is refused, and the call still waits`(answers: String) async {
        let state = await call("1", "name")["requestState"]
        #expect(await call("2", "name", state: state, answers: answers)["code"] == -32602)
        let right = await call("3", "name", state: state, answers: Self.accept("user_name", "Ada"))
        #expect(text(right) == "Hello, Ada!")
    }

    @Test
    func `Missing answers are asked for again, with a new state, and given ones are kept`() async {
        var result = await call("1", "several", capabilities: Self.everything)
        #expect(result["inputRequests"]?.members?.map(\.name) == ["user_name", "greeting", "roots"])
        let first = result["requestState"]
        result = await call(
            "2",
            "several",
            state: first,
            answers:
                #"{"other":7,"roots":{"roots":[]},"user_name":{"action":"accept","content":{"name":"Ada"}}}"#,
            capabilities: Self.everything
        )
        #expect(result["resultType"] == "input_required")
        #expect(result["inputRequests"]?.members?.map(\.name) == ["greeting"])
        #expect(result["requestState"] != first)
        let second = result["requestState"]
        result = await call("3", "several", state: second, capabilities: Self.everything)
        #expect(result["inputRequests"]?.members?.map(\.name) == ["greeting"])
        #expect(await call("4", "several", state: second, capabilities: Self.everything)["code"] == -32602)
        result = await call(
            "5",
            "several",
            state: result["requestState"],
            answers: #"{"greeting":{"role":"assistant","content":{"type":"text","text":"Hi"},"model":"m"}}"#,
            capabilities: Self.everything
        )
        #expect(text(result) == "Hi, Ada! ")
    }

    @Test
    func `Rounds follow each other, and notices move to the retry`() async {
        let first = await call("1", "steps", meta: #""progressToken":"one""#)
        #expect(first["inputRequests"]?.members?.map(\.name) == ["step1"])
        client.modern(
            "2",
            "tools/call",
            #""name":"steps","arguments":{},"requestState":\#(first["requestState"]?.line ?? ""),"#
                + #""inputResponses":\#(Self.accept("step1", "a"))"#,
            capabilities: Self.forms,
            meta: #""progressToken":"two","io.modelcontextprotocol/logLevel":"info""#
        )
        let progress = await client.receive()
        #expect(progress.message["params"]?.line == #"{"progressToken":"two","progress":1}"#)
        #expect(progress.request == "2")
        #expect(await client.receive().message["params"]?["data"] == "between")
        let second = await client.receive().message["result"]
        #expect(second?["inputRequests"]?.members?.map(\.name) == ["step2"])
        #expect(second?["requestState"] != first["requestState"])
        let done = await call(
            "3",
            "steps",
            state: second?["requestState"],
            answers: Self.accept("step2", "b")
        )
        #expect(text(done) == "a and b")
    }

    @Test
    func `A call that is not answered in time ends`() async throws {
        let server = makeServer(world.options())
        let outcome = Outcome()
        server.addTool(named: "patient") { _, context in
            do {
                _ = try await context.elicit("Who?", schema: nameSchema, key: "k")
            } catch {
                outcome.note("\(error), cancelled: \(Task.isCancelled)")
                throw error
            }
            return ToolResult([])
        }
        let client = TestClient(server)
        let asked = await client.result("1", "tools/call", #""name":"patient""#, capabilities: Self.forms)
        world.advance(299_999)
        client.connection.tick()
        world.advance(1)
        client.connection.tick()
        #expect(await outcome.value.contains("in time"))
        let late = await client.result(
            "2",
            "tools/call",
            #""name":"patient","requestState":\#(asked["requestState"]?.line ?? "")"#
        )
        #expect(late["code"] == -32602)
        #expect(client.unread == [])
    }

    @Test
    func `An expired state is refused though no timer ran`() async {
        let state = await call("1", "name")["requestState"]
        world.advance(300_000)
        #expect(
            await call("2", "name", state: state, answers: Self.accept("user_name", "Ada"))["code"] == -32602
        )
    }

    @Test
    func `No more calls are parked than may be`() async {
        var states: [JSONValue?] = []
        for number in 1...3 { states.append(await call("\(number)", "name")["requestState"]) }
        let fourth = await call("4", "name")
        #expect(fourth["isError"] == true)
        #expect(text(fourth).contains("Too many questions"))
        // One that is answered makes room.
        _ = await call("5", "name", state: states[0], answers: Self.accept("user_name", "Ada"))
        #expect(await call("6", "name")["resultType"] == "input_required")
    }

    @Test
    func `Two calls that ask at the same time get their own answers`() async {
        let first = await call("1", "name")["requestState"]
        let second = await call("2", "name")["requestState"]
        #expect(
            text(await call("3", "name", state: second, answers: Self.accept("user_name", "B")))
                == "Hello, B!"
        )
        #expect(
            text(await call("4", "name", state: first, answers: Self.accept("user_name", "A"))) == "Hello, A!"
        )
    }

    @Test
    func `A thousand parked calls wait side by side`() async {
        let client = TestClient(makeServer(TestWorld().options { $0.limits.parkedCalls = 1000 }))
        var states: [String] = []
        for number in 0..<1000 {
            let asked = await client.result(
                "\(number)",
                "tools/call",
                #""name":"name""#,
                capabilities: Self.forms
            )
            states.append(asked["requestState"]?.line ?? "")
        }
        #expect(Set(states).count == 1000)
        for number in (0..<1000).reversed() {
            let answers = Self.accept("user_name", "\(number)")
            let params = #""name":"name","requestState":\#(states[number]),"inputResponses":\#(answers)"#
            let result = await client.result("\(number)", "tools/call", params)
            #expect(text(result) == "Hello, \(number)!")
        }
    }

    @Test
    func `What the client did not declare is an error that says what is missing`() async {
        let none = await call("1", "name", capabilities: "{}")
        #expect(none["code"] == -32021)
        #expect(none["data"]?.line == #"{"requiredCapabilities":{"elicitation":{"form":{}}}}"#)
        let some = await call("2", "several", capabilities: #"{"elicitation":{"form":{}}}"#)
        #expect(some["data"]?.line == #"{"requiredCapabilities":{"sampling":{},"roots":{}}}"#)
        let url = await call("3", "name", capabilities: #"{"elicitation":{"url":{}}}"#)
        #expect(url["code"] == -32021)
        await client.initialize()
        client.request(4, "tools/call", #"{"name":"name"}"#)
        #expect(
            await client.receive().message["error"]?["data"]?.line
                == #"{"requiredCapabilities":{"elicitation":{"form":{}}}}"#
        )
    }

    @Test
    func `A handler that ends without its answer is heard at the retry`() async {
        let server = makeServer(world.options())
        let gate = Gate()
        let outcome = Outcome()
        server.addTool(named: "impatient") { _, context in
            let question = Task(name: "question") {
                try await context.elicit("Who?", schema: nameSchema, key: "k")
            }
            try await gate.wait()
            question.cancel()
            if case .failure(let error) = await question.result { outcome.note("\(error)") }
            return ToolResult([.text("without")])
        }
        let client = TestClient(server)
        let asked = await client.result("1", "tools/call", #""name":"impatient""#, capabilities: Self.forms)
        #expect(asked["inputRequests"]?.members?.map(\.name) == ["k"])
        gate.open()
        #expect(await outcome.value == "CancellationError()")
        let state = asked["requestState"]?.line ?? ""
        let answer = await client.result(
            "2",
            "tools/call",
            #""name":"impatient","requestState":\#(state)"#,
            capabilities: Self.forms
        )
        #expect(text(answer) == "without")
    }
}

/// What a handler came to, once.
final class Outcome: Sendable {
    private struct State {
        var value: String?
        var waiter: CheckedContinuation<String, Never>?
    }

    private let state = Locked(State())

    func note(_ value: String) {
        let waiter = state.withLock { state in
            state.value = value
            return state.waiter.take()
        }
        waiter?.resume(returning: value)
    }

    var value: String {
        get async {
            await withCheckedContinuation { continuation in
                let value = state.withLock { state in
                    if state.value == nil { state.waiter = continuation }
                    return state.value
                }
                if let value { continuation.resume(returning: value) }
            }
        }
    }
}
