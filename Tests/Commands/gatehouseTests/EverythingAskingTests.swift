// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer
import Testing

@testable import gatehouse

/// The fixtures that ask, change and go on as tasks.
@Suite struct EverythingAskingTests {
    typealias Era = EverythingClient.Era

    @Test(arguments: Era.allCases)
    func `what tools ask is answered in either era`(_ era: Era) async throws {
        let client = try await EverythingClient(era)
        #expect(try await client.text("test_sampling", ["prompt": "Hi"]) == "LLM response: Paris")
        #expect(
            try await client.text("test_elicitation", ["message": "m"])
                == #"User response: action=accept, content={"username":"Ada","email":"Ada"}"#
        )
        #expect(
            try await client.text("test_elicitation_sep1034_defaults")
                == "Elicitation completed: action=accept, content={}"
        )
        #expect(
            try await client.text("test_elicitation_sep1330_enums").contains(
                #""untitledSingle":"option1","titledSingle":"value1","legacyEnum":"opt1","untitledMulti":["option1"]"#
            )
        )
        #expect(try await client.text("test_elicitation_url") == "Page: action=accept, content={}")
        #expect(try await client.text("test_list_roots") == #"["file:///a"]"#)
        #expect(try await client.text("test_streaming_elicitation") == "Hello, Ada!")
    }

    @Test(arguments: Era.allCases)
    func `questions have the keys that tests look for, and take as many rounds as they need`(
        _ era: Era
    ) async throws {
        let client = try await EverythingClient(era)
        let expected: [(tool: String, text: String, keys: [String], rounds: Int)] = [
            ("elicitation", "Hello, Ada!", ["user_name"], 1),
            ("sampling", "Paris", ["capital_question"], 1),
            ("list_roots", "Roots: file:///a", ["client_roots"], 1),
            ("request_state", "Confirmed: state-ok", ["confirm"], 1),
            (
                "multiple_inputs", "Paris Ada, you have 1 roots.", ["user_name", "greeting", "client_roots"],
                1
            ),
            ("multi_round", "Ada likes Ada.", ["step1", "step2"], 2),
            ("tampered_state", "Confirmed: true", ["confirm"], 1),
            ("capabilities", "Answered: capital_question, user_name", ["capital_question", "user_name"], 1),
        ]
        for (tool, text, keys, rounds) in expected {
            let (before, roundsBefore) = (client.asked.count, client.rounds)
            #expect(try await client.text("test_input_required_result_\(tool)") == text)
            #expect(Array(client.asked.dropFirst(before)) == keys, "\(tool)")
            #expect(client.rounds - roundsBefore == (era == .modern ? rounds : 0), "\(tool)")
        }
    }

    @Test func `forms have the defaults and choices that tests look for`() async throws {
        let client = try await EverythingClient(.modern)
        func schema(_ tool: String) async throws -> JSONValue {
            let response = await client.send("tools/call", ["name": .string(tool), "arguments": [:]])
            let form = response["result"]?["inputRequests"]?["form"]?["params"]?["requestedSchema"]
            return try #require(form?["properties"])
        }
        let defaults = try await schema("test_elicitation_sep1034_defaults")
        #expect(defaults["name"]?["default"] == "John Doe")
        #expect(defaults["age"]?["default"] == 30)
        #expect(defaults["score"]?["default"] == .number("95.5"))
        #expect(defaults["status"]?["default"] == "active")
        #expect(defaults["status"]?["enum"] == ["active", "inactive", "pending"])
        #expect(defaults["verified"]?["default"] == true)
        let choices = try await schema("test_elicitation_sep1330_enums")
        #expect(choices["untitledSingle"]?["enum"] == ["option1", "option2", "option3"])
        #expect(
            choices["titledSingle"]?["oneOf"]?.array?.first == ["const": "value1", "title": "First Option"]
        )
        #expect(choices["legacyEnum"]?["enumNames"]?.array?.count == 3)
        #expect(choices["untitledMulti"]?["items"]?["enum"]?.array?.count == 3)
        #expect(choices["titledMulti"]?["items"]?["anyOf"]?.array?.count == 3)
    }

    @Test(arguments: Era.allCases)
    func `nothing runs twice`(_ era: Era) async throws {
        let client = try await EverythingClient(era)
        #expect(try await client.text("test_counted_elicitation", ["key": "k"]) == "Hello, Ada! Run 1.")
        #expect(try await client.text("read_count", ["key": "k"]) == "1")
    }

    @Test(arguments: Era.allCases)
    func `a client that cannot answer is told what it lacks`(_ era: Era) async throws {
        let client = try await EverythingClient(era, capabilities: ["sampling": [:]])
        let refused = await client.send("tools/call", ["name": "test_input_required_result_elicitation"])
        #expect(refused["error"]?["code"] == -32021)
        #expect(refused["error"]?["data"]?["requiredCapabilities"]?["elicitation"] != nil)
        #expect(
            try await client.text("test_input_required_result_capabilities") == "Answered: capital_question"
        )
        let none = try await EverythingClient(era, capabilities: [:])
        let missing = await none.send("tools/call", ["name": "test_missing_capability"])
        #expect(missing["error"]?["data"]?["requiredCapabilities"] == ["sampling": [:]])
    }

    @Test func `wrong keys are asked for again, and a changed state is refused`() async throws {
        let client = try await EverythingClient(.modern)
        let call: JSONValue = ["name": "test_input_required_result_tampered_state", "arguments": [:]]
        let first = try #require(await client.send("tools/call", call)["result"])
        let state = try #require(first["requestState"]?.string)
        func retry(_ state: String, _ answers: JSONValue) async -> JSONValue {
            await client.send(
                "tools/call",
                .object(
                    (call.members ?? []) + [
                        .init("requestState", .string(state)), .init("inputResponses", answers),
                    ]
                )
            )
        }
        let yes: JSONValue = ["confirm": ["action": "accept", "content": ["ok": true]]]
        #expect(await retry(state + "x", yes)["error"]?["code"] == -32602)
        let again = await retry(state, ["other": ["action": "accept"]])
        #expect(again["result"]?["resultType"] == "input_required")
        let next = try #require(again["result"]?["requestState"]?.string)
        #expect(await retry(state, yes)["error"]?["code"] == -32602)
        let extra: JSONValue = ["confirm": ["action": "accept", "content": ["ok": true]], "more": [:]]
        let done = await retry(next, extra)
        #expect(done["result"]?["content"]?.array?.first?["text"] == "Confirmed: true")
    }

    @Test(arguments: Era.allCases)
    func `tools come and go`(_ era: Era) async throws {
        let client = try await EverythingClient(era)
        func has(_ name: String) async throws -> Bool {
            let tools = try #require(try await client.request("tools/list")["tools"]?.array)
            return tools.contains { $0["name"]?.string == name }
        }
        _ = try await client.call("add_tool", ["name": "extra"])
        #expect(try await has("extra"))
        #expect(try await client.text("extra") == "I am extra.")
        _ = try await client.call("remove_tool", ["name": "extra"])
        #expect(try await !has("extra"))
        _ = try await client.call("test_trigger_tool_change")
        #expect(try await has("test_changing_tool"))
        _ = try await client.call("test_trigger_tool_change")
        #expect(try await !has("test_changing_tool"))
        guard era == .legacy else { return }
        #expect(client.heard.count { $0["method"] == "notifications/tools/list_changed" } == 4)
    }

    @Test func `a subscriber of the legacy era hears of changes`() async throws {
        let client = try await EverythingClient(.legacy)
        let uri: JSONValue = ["uri": "test://watched-resource"]
        #expect(try await client.request("resources/subscribe", uri) == [:])
        _ = try await client.call("test_touch_resource")
        let updated = client.heard.filter { $0["method"] == "notifications/resources/updated" }
        #expect(updated.compactMap { $0["params"]?["uri"] } == ["test://watched-resource"])
        #expect(try await client.request("resources/unsubscribe", uri) == [:])
        _ = try await client.call("test_touch_resource")
        #expect(client.heard.filter { $0["method"] == "notifications/resources/updated" }.count == 1)
        _ = try await client.call("test_trigger_prompt_change")
        #expect(client.heard.last?["method"] == "notifications/prompts/list_changed")
        _ = try await client.call("test_trigger_resource_change")
        #expect(client.heard.last?["method"] == "notifications/resources/list_changed")
    }

    // MARK: Tasks

    /// Asks after a task until it is something else than at work.
    private func outcome(_ client: EverythingClient, _ task: String) async throws -> JSONValue {
        while true {
            let state = try await client.request("tasks/get", ["taskId": .string(task)])
            guard state["status"] == "working" else { return state }
            await Task.yield()
        }
    }

    private func start(
        _ client: EverythingClient,
        _ tool: String,
        _ arguments: JSONValue = [:]
    ) async throws -> String {
        let created = try await client.call(tool, arguments)
        #expect(created["resultType"] == "task")
        return try #require(created["taskId"]?.string)
    }

    @Test func `calls become tasks for clients that know them`() async throws {
        let client = try await EverythingClient(.modern)
        #expect(try await client.text("greet", ["name": "Ada"]) == "Hello, Ada!")
        let done = try await outcome(client, try await start(client, "slow_compute", ["seconds": 0]))
        #expect(done["status"] == "completed")
        #expect(done["result"]?["content"]?.array?.first?["text"] == "Computed result in 0.0 s.")
        let failed = try await outcome(client, try await start(client, "failing_job"))
        #expect(failed["status"] == "completed")
        #expect(failed["result"]?["isError"] == true)
        let broken = try await outcome(client, try await start(client, "protocol_error_job"))
        #expect(broken["status"] == "failed")
        #expect(broken["error"]?["code"] == -32603)
    }

    @Test func `tasks ask, and take partial answers`() async throws {
        let client = try await EverythingClient(.modern)
        let task = try await start(client, "multi_input")
        let asking = try await outcome(client, task)
        #expect(asking["status"] == "input_required")
        #expect(asking["inputRequests"]?.members?.map(\.name) == ["first", "second"])
        let value: JSONValue = ["action": "accept", "content": ["value": "1"]]
        _ = try await client.request(
            "tasks/update",
            ["taskId": .string(task), "inputResponses": ["first": value]]
        )
        let half = try await outcome(client, task)
        #expect(half["inputRequests"]?.members?.map(\.name) == ["second"])
        _ = try await client.request(
            "tasks/update",
            ["taskId": .string(task), "inputResponses": ["second": value]]
        )
        #expect(try await outcome(client, task)["status"] == "completed")
    }

    @Test func `a task is cancelled, again and again`() async throws {
        let client = try await EverythingClient(.modern)
        let task = try await start(client, "slow_compute", ["seconds": 3600])
        for _ in 0..<2 { _ = try await client.request("tasks/cancel", ["taskId": .string(task)]) }
        #expect(try await outcome(client, task)["status"] == "cancelled")
    }

    @Test func `a call that asks first becomes a task afterwards`() async throws {
        let client = try await EverythingClient(.modern)
        let done = try await outcome(client, try await start(client, "test_tool_with_task"))
        #expect(client.asked == ["user_name"])
        #expect(done["result"]?["content"]?.array?.first?["text"] == "Hello, Ada! The task is done.")
    }

    @Test func `clients that know no tasks wait for the result, or are told`() async throws {
        let client = try await EverythingClient(.modern, capabilities: ["elicitation": [:]])
        #expect(try await client.text("confirm_delete") == "Deleted file.txt.")
        let refused = await client.send("tools/call", ["name": "failing_job"])
        #expect(refused["error"]?["code"] == -32021)
        let legacy = try await EverythingClient(.legacy)
        #expect(try await legacy.text("multi_input").hasPrefix("Both were answered"))
    }
}
