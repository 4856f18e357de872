// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPClient
import MCPCore
import Testing

@Suite struct ConversationTests {
    private var modern: Conversation<String> { conversation(.modern, settled: true) }
    private var legacy: Conversation<String> { conversation(.v2025_11_25, settled: true) }

    private func conversation(_ revision: Revision, settled: Bool) -> Conversation<String> {
        var identity = ClientIdentity(name: "test", version: "1")
        identity.logLevel = "info"
        var conversation = Conversation<String>(revision, identity: identity)
        conversation.isSettled = settled
        return conversation
    }

    private func text(_ message: OutgoingMessage) -> String { String(decoding: message.text, as: UTF8.self) }

    /// What a message means, in words that can be compared.
    private func meaning(_ text: String, _ conversation: inout Conversation<String>) -> String {
        switch conversation.receive(Array(text.utf8).span) {
        case .reply(let caller, .success(let value)): "\(caller) = \(self.text(value))"
        case .reply(let caller, .failure(let error)): "\(caller) ! \(error)"
        case .progress(let caller, let params): "\(caller) … \(self.text(params))"
        case .notification(let method, let params): "\(method) \(self.text(params))"
        case .notice(let caller, let method, let params): "\(caller) ~ \(method) \(self.text(params))"
        case .withdrawn(let id): "withdrawn \(id)"
        case .request(let request): "asks \(request.id) \(request.method) \(self.text(request.params))"
        case .answer(let message): "answer \(self.text(message))"
        case .ignored: "ignored"
        }
    }

    private func text(_ value: JSONValue) -> String { String(decoding: value.text(), as: UTF8.self) }

    // MARK: What is sent

    @Test func `a modern request carries the metadata of its hop`() {
        var conversation = modern
        let message = conversation.ask("tools/list", .null, wantsProgress: false, caller: "a")
        #expect(
            text(message) == #"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"#
                + #""io.modelcontextprotocol/protocolVersion":"2026-07-28","#
                + #""io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"#
                + #""io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"info"}}}"#
        )
    }

    @Test func `metadata of the caller stays, except for what belongs to the hop`() {
        var conversation = modern
        let params: JSONValue = [
            "name": "x",
            "_meta": [
                "own/key": 1, "progressToken": "mine",
                "io.modelcontextprotocol/protocolVersion": "1999-01-01",
            ],
        ]
        let message = conversation.ask("tools/call", params, wantsProgress: true, caller: "a")
        let meta = (try? JSONValue(message.text.span))?["params"]?["_meta"]
        #expect(meta?["own/key"] == 1)
        #expect(meta?["progressToken"] == 1)
        #expect(meta?["io.modelcontextprotocol/protocolVersion"] == "2026-07-28")
    }

    @Test func `a legacy request carries nothing that was not asked for`() {
        var conversation = legacy
        let first = conversation.ask("tools/list", .null, wantsProgress: false, caller: "a")
        #expect(text(first) == #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
        let second = conversation.ask("tools/call", ["name": "x"], wantsProgress: true, caller: "b")
        #expect(
            text(second) == #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":"#
                + #"{"name":"x","_meta":{"progressToken":2}}}"#
        )
    }

    @Test(arguments: [
        (Revision.modern, false, ["2026-07-28"]), (.modern, true, ["2026-07-28"]), (.v2025_11_25, false, []),
        (.v2025_11_25, true, ["2025-11-25"]), (.v2025_06_18, true, ["2025-06-18"]), (.v2025_03_26, true, []),
    ])
    func `the version header goes with revisions that know it, once they are agreed on`(
        _ revision: Revision,
        _ settled: Bool,
        _ values: [String]
    ) {
        let message = conversation(revision, settled: settled).notification("notifications/x")
        #expect(message.fields.filter { $0.name == "mcp-protocol-version" }.map(\.value) == values)
    }

    @Test(
        arguments: [
            ("tools/call", ["name": "näme"], "=?base64?bsOkbWU=?="), ("prompts/get", ["name": "p"], "p"),
            ("resources/read", ["uri": "file:///a b"], "file:///a b"), ("tasks/get", ["taskId": "7"], "7"),
            ("tools/list", ["name": "x"], nil), ("resources/read", ["name": "x"], nil),
        ] as [(String, JSONValue, String?)]
    )
    func `modern requests mirror their method and name`(
        _ method: String,
        _ params: JSONValue,
        _ name: String?
    ) {
        var conversation = modern
        let message = conversation.ask(method, params, wantsProgress: false, caller: "a")
        #expect(message.fields.first { $0.name == "mcp-method" }?.value == method)
        #expect(message.fields.first { $0.name == "mcp-name" }?.value == name)
        var old = legacy
        let plain = old.ask(method, params, wantsProgress: false, caller: "a")
        #expect(plain.fields.map(\.name) == ["mcp-protocol-version"])
    }

    // MARK: What is received

    @Test func `answers find who asked, once`() {
        var conversation = legacy
        _ = conversation.ask("a", .null, wantsProgress: false, caller: "first")
        _ = conversation.ask("b", .null, wantsProgress: false, caller: "second")
        #expect(meaning(#"{"jsonrpc":"2.0","id":2,"result":{"x":1}}"#, &conversation) == #"second = {"x":1}"#)
        #expect(meaning(#"{"jsonrpc":"2.0","id":2,"result":{}}"#, &conversation) == "ignored")
        let error = #"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#
        #expect(meaning(error, &conversation) == "first ! the server answered with error -32601: no")
        #expect(conversation.count == 0)
    }

    @Test(arguments: [
        "", "nonsense", "[]", "1", #"{"jsonrpc":"1.0","id":1,"result":{}}"#, #"{"jsonrpc":"2.0","id":1}"#,
        #"{"jsonrpc":"2.0","id":"1","result":{}}"#, #"{"jsonrpc":"2.0","id":1.0,"result":{}}"#,
        #"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, #"{"jsonrpc":"2.0","result":{}}"#,
        #"{"jsonrpc":"2.0","id":9,"result":{}}"#, #"{"jsonrpc":"2.0","id":1,"id":1,"result":{}}"#,
    ])
    func `what is no answer to anything leaves what waits alone`(_ text: String) {
        var conversation = legacy
        _ = conversation.ask("a", .null, wantsProgress: false, caller: "first")
        #expect(meaning(text, &conversation) == "ignored")
        #expect(conversation.count == 1)
    }

    @Test func `an answer that cannot be decoded ends its request`() {
        var conversation = legacy
        _ = conversation.ask("a", .null, wantsProgress: false, caller: "first")
        #expect(
            meaning(#"{"jsonrpc":"2.0","id":1,"result":{"x":"\ud800"}}"#, &conversation).hasPrefix("first ! ")
        )
        _ = conversation.ask("a", .null, wantsProgress: false, caller: "second")
        #expect(
            meaning(#"{"jsonrpc":"2.0","id":2,"error":{"code":"x"}}"#, &conversation).hasPrefix("second ! ")
        )
    }

    @Test(arguments: [
        (#"{}"#, true), (#"{"resultType":"complete"}"#, true), (#"{"resultType":"input_required"}"#, true),
        (#"{"resultType":"task"}"#, false), (#"{"resultType":1}"#, false),
    ])
    func `a modern result of an unknown type is none`(_ result: String, _ isResult: Bool) {
        for (var conversation, accepts) in [(modern, isResult), (legacy, true)] {
            _ = conversation.ask("a", .null, wantsProgress: false, caller: "x")
            let meaning = meaning(#"{"jsonrpc":"2.0","id":1,"result":\#(result)}"#, &conversation)
            #expect(meaning.hasPrefix(accepts ? "x = " : "x ! "))
        }
    }

    @Test func `progress goes to the request it is about, as long as that waits`() {
        var conversation = modern
        _ = conversation.ask("a", .null, wantsProgress: true, caller: "first")
        let notice =
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":2}}"#
        #expect(meaning(notice, &conversation) == #"first … {"progressToken":1,"progress":2}"#)
        #expect(conversation.remove(1) == "first")
        #expect(meaning(notice, &conversation) == "ignored")
    }

    @Test func `other notifications are told`() {
        var conversation = modern
        let notice = #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info"}}"#
        #expect(meaning(notice, &conversation) == #"notifications/message {"level":"info"}"#)
    }

    @Test func `a legacy server may ask, and a ping is answered at once`() {
        var conversation = legacy
        #expect(
            meaning(#"{"jsonrpc":"2.0","id":"p\"1","method":"ping"}"#, &conversation)
                == #"answer {"jsonrpc":"2.0","id":"p\"1","result":{}}"#
        )
        let ask = #"{"jsonrpc":"2.0","id":7,"method":"roots/list"}"#
        #expect(meaning(ask, &conversation) == "asks 7 roots/list null")
        let refusal = conversation.answer("7", .failure(Failure(.methodNotFound, "no", source: .client)))
        #expect(text(refusal) == #"{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"no"}}"#)
        #expect(
            text(conversation.answer("7", .success(["a": 1])))
                == #"{"jsonrpc":"2.0","id":7,"result":{"a":1}}"#
        )
    }

    @Test func `a modern server may not ask`() {
        var conversation = modern
        #expect(meaning(#"{"jsonrpc":"2.0","id":7,"method":"roots/list"}"#, &conversation) == "ignored")
        #expect(meaning(#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#, &conversation) == "ignored")
    }
}
