// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import JSON
import MCPClient
import MCPCore
import TestSupport
import Testing

/// Every feature in every cell: clients of both eras, the fixture server in the gateway or in a process of either era.
@Suite("Cells", .timeLimit(.minutes(2)))
struct CellTests {
    @Test(arguments: Cell.all) func `tools are listed whole and called`(cell: Cell) async throws {
        try await CellClient.with(cell) { client in
            let value1 = try await client.text("test_simple_text")
            #expect(value1 == "This is a simple text response for testing.")
            let listed = try await withCheckedThrowingContinuation { continuation in
                client.loop.post {
                    client.bench.value.client.list("tools/list") {
                        continuation.resume(with: $0.mapError { $0 as any Error })
                    }
                }
            }
            let names = listed["tools"]?.array?.compactMap { $0["name"]?.string } ?? []
            #expect(names.count > 40 && Set(names).count == names.count)
            let code = try await client.code("tools/list", ["cursor": "nonsense"])
            #expect(code == -32602)
        }
    }

    @Test(arguments: Cell.all) func `all kinds of content come through`(cell: Cell) async throws {
        try await CellClient.with(cell) { client in
            let kinds = [
                "test_image_content": "image", "test_audio_content": "audio",
                "test_embedded_resource": "resource", "test_resource_link": "resource_link",
            ]
            for (tool, kind) in kinds.sorted(by: { $0.key < $1.key }) {
                let types =
                    try await client.call(tool)["content"]?.array?.compactMap { $0["type"]?.string } ?? []
                #expect(types.contains(kind), "\(tool)")
            }
            let structured = try await client.call("test_structured_content", ["city": "Wien"])
            #expect(structured["structuredContent"]?.members?.isEmpty == false)
            let list = try await client.call("test_structured_list", ["count": 2])
            // What is no object has no place in the older era; its text says the same.
            let isKept = cell.client == .modern && cell.server != "legacy"
            #expect((list["structuredContent"]?.array?.count == 2) == isKept)
            #expect(list["content"]?.array?.isEmpty == false)
        }
    }

    @Test(arguments: Cell.all) func `errors keep their kind and take the code of the client's era`(
        cell: Cell
    ) async throws {
        try await CellClient.with(cell) { client in
            let value2 = try await client.call("test_error_handling")
            #expect(value2["isError"]?.bool == true)
            let value3 = try await client.code("tools/call", ["name": "no_such_tool"])
            #expect(value3 == -32602)
            let value4 = try await client.code("prompts/get", ["name": "no_such_prompt"])
            #expect(value4 == -32602)
            let missing = try await client.code("resources/read", ["uri": "test://no-such-thing"])
            #expect(missing == (cell.client == .modern ? -32602 : -32002))
            let value5 = try await client.code("no/such/method", .object([]))
            #expect(value5 == -32601)
        }
    }

    @Test(arguments: Cell.all) func `progress and logs belong to the call`(cell: Cell) async throws {
        try await CellClient.with(cell) { client in
            let heard = Collected()
            let result = try await client.call("test_tool_with_progress") { heard.add($0) }
            #expect(result["isError"] == nil)
            #expect(heard.values.compactMap { $0["progress"]?.integer } == [0, 50, 100])
            if cell.client == .legacy { _ = try await client.request("logging/setLevel", ["level": "debug"]) }
            _ = try await client.call("test_tool_with_logging")
            let params = try await client.notice("notifications/message")
            #expect(params?["data"] == "Tool execution started")
        }
    }

    @Test(arguments: Cell.all) func `the client is asked whatever the server needs to know`(
        cell: Cell
    ) async throws {
        try await CellClient.with(cell) { client in
            let value6 = try await client.text("test_sampling", ["prompt": "Capital?"])
            #expect(value6.contains("Paris"))
            let value7 = try await client.text("test_elicitation", ["message": "Who?"])
            #expect(value7.contains("ada"))
            let value8 = try await client.call("test_list_roots")
            #expect(value8["isError"] == nil)
            let value9 = try await client.questions()
            #expect(value9 == ["sampling/createMessage", "elicitation/create", "roots/list"])
            try await client.answer("elicitation/create", with: ["action": "accept"])
            let url = try await client.call("test_elicitation_url", ["url": "https://example.com/x"])
            #expect(url["isError"] == nil)
            try await client.answer("elicitation/create", with: ["action": "decline"])
            let value10 = try await client.text("test_elicitation", ["message": "Who?"])
            #expect(value10.contains("decline"))
        }
    }

    @Test(arguments: Cell.all) func `several questions make a round, and rounds follow each other`(
        cell: Cell
    ) async throws {
        try await CellClient.with(cell) { client in
            let result = try await client.call("test_input_required_result_multiple_inputs")
            #expect(result["isError"] == nil)
            let asked = try await client.loop.run { Set(client.bench.value.questions.compactMap(\.key)) }
            #expect(asked == ["user_name", "greeting", "client_roots"])
            let before = try await client.questions().count
            _ = try await client.call("test_input_required_result_multi_round")
            let value11 = try await client.questions()
            #expect(value11.count >= before + 1)
            _ = try await client.request("prompts/get", ["name": "test_input_required_result_prompt"])
        }
    }

    @Test(arguments: Cell.all) func `what the client cannot answer is an error, and no hang`(
        cell: Cell
    ) async throws {
        try await CellClient.with(cell, capabilities: .object([])) { client in
            let code = try await client.code("tools/call", ["name": "test_missing_capability"])
            #expect(code == -32021 || cell.client == .legacy && code != nil, "\(String(describing: code))")
        }
    }

    @Test(arguments: Cell.all) func `resources are read and watched`(cell: Cell) async throws {
        try await CellClient.with(cell) { client in
            let text = try await client.request("resources/read", ["uri": "test://static-text"])
            #expect(
                text["contents"]?.array?.first?["text"] == "This is the content of the static text resource."
            )
            let templated = try await client.request("resources/read", ["uri": "test://template/123/data"])
            #expect(templated["contents"]?.array?.first?["text"]?.string?.contains("123") == true)
            let events = Collected()
            try await client.loop.run {
                var filter = SubscriptionFilter()
                filter.uris = ["test://watched-resource"]
                filter.tools = true
                _ = client.bench.value.client.subscribe(filter) { event in
                    if case .began = event { events.add("began") }
                    if case .notice(let method, _) = event { events.add(.string(method)) }
                }
            }
            try await client.loop.wait("the subscription") { events.values.contains("began") }
            _ = try await client.call("test_touch_resource", ["uri": "test://watched-resource"])
            _ = try await client.call("add_tool", ["name": "new_tool"])
            try await client.loop.wait("the changes") {
                events.values.contains("notifications/resources/updated")
                    && events.values.contains("notifications/tools/list_changed")
            }
        }
    }

    @Test(arguments: Cell.all) func `prompts are filled in and completed`(cell: Cell) async throws {
        try await CellClient.with(cell) { client in
            let prompt = try await client.request(
                "prompts/get",
                ["name": "test_prompt_with_arguments", "arguments": ["arg1": "hello", "arg2": "world"]]
            )
            let content = prompt["messages"]?.array?.first?["content"]
            #expect(content?["text"] == "Prompt with arguments: arg1='hello', arg2='world'")
            let completion = try await client.request(
                "completion/complete",
                [
                    "ref": ["type": "ref/prompt", "name": "test_prompt_with_arguments"],
                    "argument": ["name": "arg1", "value": "par"],
                ]
            )
            #expect(completion["completion"]?["values"]?.array != nil)
        }
    }

    @Test(arguments: Cell.all) func `a call that the client takes back ends, and others go on`(
        cell: Cell
    ) async throws {
        try await CellClient.with(cell, capabilities: .object([])) { client in
            let outcome = Collected()
            let call = try await client.loop.run {
                let params: JSONValue = [
                    "name": "wait_for_cancellation", "arguments": ["key": "k", "seconds": 60],
                ]
                let call = client.bench.value.client.request("tools/call", params) { result in
                    if case .failure = result { outcome.add("ended") }
                }
                return LoopBound(call, client.loop)
            }
            // It has come to the server once the next call, sent after it, is answered.
            _ = try await client.text("test_simple_text")
            try await client.loop.run { call.value.cancel() }
            try await client.loop.wait("the end of the call") { outcome.values == ["ended"] }
            let value12 = try await client.text("test_simple_text")
            #expect(value12.isEmpty == false)
        }
    }

    @Test(arguments: Cell.all.filter { $0.client == .legacy })
    func `a task is waited for where the client knows none`(
        cell: Cell
    ) async throws {
        try await CellClient.with(cell) { client in
            let value13 = try await client.text("greet", ["name": "Ada"])
            #expect(value13.contains("Ada"))
            let value14 = try await client.call("slow_compute", ["seconds": 0])
            #expect(value14["isError"] == nil)
            let value15 = try await client.call("confirm_delete", ["filename": "a.txt"])
            #expect(value15["isError"] == nil)
        }
    }
}

/// What callbacks saw, readable from anywhere.
private final class Collected: Sendable {
    private let state = Locked<[JSONValue]>([])

    var values: [JSONValue] { state.withLock { $0 } }

    func add(_ value: JSONValue) { state.withLock { $0.append(value) } }
}
