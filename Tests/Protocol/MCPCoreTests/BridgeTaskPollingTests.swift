// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import Testing

@Suite struct BridgeTaskPollingTests {
    private static let created =
        #"{"resultType":"task","taskId":"t","status":"working","pollIntervalMs":200}"#

    private func polling(_ text: String = created) throws -> TaskPolling {
        try #require(TaskPolling(try json(text)))
    }

    private func isFault(_ action: TaskPolling.Action) -> Bool {
        guard case .fail(let failure) = action else { return false }
        return failure.source == .upstream && failure.code == .internalError
    }

    @Test(arguments: ["{}", "5", #"{"taskId":""}"#, #"{"taskId":5}"#])
    func `what has no id is no task`(_ text: String) throws {
        #expect(TaskPolling(try json(text)) == nil)
    }

    @Test func `a task is asked about at its own pace, within bounds`() throws {
        var polling = try polling()
        #expect(polling.id == "t")
        #expect(polling.begin == .poll(after: 100))
        let paces: [(String, UInt64)] = [
            ("300", 300), ("0", 50), ("-5", 50), ("1000000", 10_000), ("null", 1000), (#""9""#, 1000),
            ("99999999999999999999999999", 1000),
        ]
        for (stated, expected) in paces {
            let status = try json(#"{"status":"working","pollIntervalMs":\#(stated)}"#)
            #expect(polling.received(status) == .poll(after: expected))
        }
        #expect(try self.polling(#"{"taskId":"t","pollIntervalMs":60}"#).begin == .poll(after: 60))
    }

    @Test func `what came of a task is what came of the call`() throws {
        var done = try polling()
        #expect(
            done.received(["status": "completed", "result": ["content": []]]) == .complete(["content": []])
        )
        var failed = try polling()
        let status = try json(#"{"status":"failed","error":{"code":-32602,"message":"m","data":{"a":1}}}"#)
        #expect(failed.received(status) == .refuse(code: -32602, message: "m", data: ["a": 1]))
        #expect(
            failed.received(["status": "failed", "error": ["code": 1]])
                == .refuse(code: 1, message: "", data: nil)
        )
        var cancelled = try polling()
        #expect(isFault(cancelled.received(["status": "cancelled"])))
    }

    @Test(arguments: [
        "{}", "5", #"{"status":"lost"}"#, #"{"status":5}"#, #"{"status":"completed"}"#,
        #"{"status":"completed","result":5}"#, #"{"status":"failed"}"#,
        #"{"status":"failed","error":{"code":"x"}}"#,
    ])
    func `a state that is none is a fault of the server`(_ text: String) throws {
        var polling = try polling()
        #expect(isFault(polling.received(try json(text))))
    }

    @Test func `each question is asked once, one round at a time`() throws {
        var polling = try polling()
        let one = try json(
            #"{"status":"input_required","pollIntervalMs":500,"inputRequests":{"a":{"method":"roots/list"}}}"#
        )
        #expect(polling.received(one) == .ask(["a": ["method": "roots/list"]]))
        let two = try json(
            #"{"status":"input_required","inputRequests":{"a":{"method":"roots/list"},"b":{"method":"roots/list"}}}"#
        )
        #expect(polling.received(two) == .poll(after: 1000))
        #expect(polling.updated() == .poll(after: 100))
        #expect(polling.received(two) == .ask(["b": ["method": "roots/list"]]))
        #expect(polling.updated() == .poll(after: 100))
        #expect(polling.received(two) == .poll(after: 1000))
        for nothing in [#"{"status":"input_required"}"#, #"{"status":"input_required","inputRequests":5}"#] {
            #expect(polling.received(try json(nothing)) == .poll(after: 1000))
        }
    }
}
