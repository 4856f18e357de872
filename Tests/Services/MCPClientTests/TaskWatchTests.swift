// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPClient
import Testing

@Suite struct TaskWatchTests {
    private func watch() throws -> TaskWatch {
        try #require(TaskWatch(["taskId": "t", "status": "working", "resultType": "task"]))
    }

    @Test(arguments: [[:], ["taskId": "t"], ["taskId": 1, "status": "working"], .null] as [JSONValue])
    func `what has no id and status is no task`(_ created: JSONValue) {
        #expect(TaskWatch(created) == nil)
    }

    @Test(
        arguments: [
            ([:], 1000), (["pollIntervalMs": 200], 200), (["pollIntervalMs": 1], 50),
            (["pollIntervalMs": 9_999_999], 60_000), (["pollIntervalMs": 0], 1000),
            (["pollIntervalMs": -5], 1000), (["pollIntervalMs": "7"], 1000),
        ] as [(JSONValue, UInt64)]
    )
    func `the server's pace is followed within bounds`(_ state: JSONValue, _ pause: UInt64) throws {
        #expect(TaskWatch.interval(of: state) == pause)
        var watch = try watch()
        let members = (state.members ?? []) + [.init("status", "working")]
        #expect(watch.take(.object(members)) == .poll(after: pause, asking: []))
    }

    @Test func `a question is asked once, however often it is repeated`() throws {
        var watch = try watch()
        let state: JSONValue = [
            "status": "input_required", "inputRequests": ["k": ["method": "roots/list"], "bad": [:]],
        ]
        let question = Rounds.Question(key: "k", method: "roots/list", params: [:])
        #expect(watch.take(state) == .poll(after: 1000, asking: [question]))
        #expect(watch.take(state) == .poll(after: 1000, asking: []))
        #expect(watch.status == "input_required")
        #expect(watch.update("k", ["x": 1]) == ["taskId": "t", "inputResponses": ["k": ["x": 1]]])
    }

    @Test(
        arguments: [
            (["status": "completed", "result": ["content": []]], .success(["content": []])),
            (["status": "cancelled"], .failure(.cancelled)),
            (
                ["status": "failed", "error": ["code": 7, "message": "m"]],
                .failure(.refused(Failure(ErrorCode(7), "m", source: .upstream), status: nil))
            ),
            (["status": "failed", "statusMessage": "why"], .failure(.ended("why"))),
        ] as [(JSONValue, Result<JSONValue, MCPClientError>)]
    )
    func `the end of a task is the end of its call`(
        _ state: JSONValue,
        _ outcome: Result<JSONValue, MCPClientError>
    ) throws {
        var watch = try watch()
        #expect(watch.take(state) == .done(outcome))
    }

    @Test(arguments: [[:], ["status": "new"], ["status": "completed"], ["status": 3]] as [JSONValue])
    func `what cannot be understood ends it`(_ state: JSONValue) throws {
        var watch = try watch()
        guard case .done(.failure(.malformed)) = watch.take(state) else {
            Issue.record("it goes on")
            return
        }
    }
}
