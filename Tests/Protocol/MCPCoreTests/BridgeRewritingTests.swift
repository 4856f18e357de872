// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPCore
import Testing

@Suite struct BridgeRewritingTests {
    private func request(_ text: String, meta: String = "", adding: String = "") throws -> String {
        let line = try Line(text)
        let output = Rewriting.request(
            line.message,
            line.bytes.span,
            meta: Array(meta.utf8),
            adding: Array(adding.utf8)
        )
        return String(decoding: output, as: UTF8.self)
    }

    private func result(_ text: String, first: String = "", meta: String = "") throws -> String {
        let line = try Line(text)
        let output = Rewriting.result(
            line.message,
            line.bytes.span,
            first: Array(first.utf8),
            meta: Array(meta.utf8),
            dropping: ["resultType", "ttlMs"]
        )
        return String(decoding: output, as: UTF8.self)
    }

    private func notification(_ text: String, meta: String = "") throws -> String {
        let line = try Line(text)
        let output = Rewriting.notification(line.message, line.bytes.span, meta: Array(meta.utf8))
        return String(decoding: output, as: UTF8.self)
    }

    private static let hop = """
        "io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},
        "io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/logLevel":"info",
        "io.modelcontextprotocol/serverInfo":{},"io.modelcontextprotocol/subscriptionId":7
        """

    @Test func `a request keeps its parameters and what is carried through`() throws {
        let text = """
            {"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"n","arguments":{"a":[1, 2.50]},
            "_meta":{\(Self.hop),"progressToken":3,"a.example/k":{"b":1}},"requestState":"s","inputResponses":{}}}
            """
        #expect(
            try request(text)
                == #"{"jsonrpc":"2.0","id":0,"method":"tools/call","params":{"_meta":{"progressToken":3,"a.example/k":{"b":1}},"name":"n","arguments":{"a":[1, 2.50]}}}"#
        )
        #expect(
            try request(text, meta: #""m":1"#, adding: #""requestState":"t""#)
                == #"{"jsonrpc":"2.0","id":0,"method":"tools/call","params":{"_meta":{"m":1,"progressToken":3,"a.example/k":{"b":1}},"requestState":"t","name":"n","arguments":{"a":[1, 2.50]}}}"#
        )
    }

    @Test func `a request without parameters gets them`() throws {
        let text = #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#
        #expect(try request(text) == #"{"jsonrpc":"2.0","id":0,"method":"tools/list","params":{}}"#)
        #expect(
            try request(text, meta: #""m":1"#)
                == #"{"jsonrpc":"2.0","id":0,"method":"tools/list","params":{"_meta":{"m":1}}}"#
        )
    }

    @Test func `a notification is written without an id`() throws {
        let text = #"{"jsonrpc":"2.0","method":"notifications/x","params":{"a":1,"_meta":{\#(Self.hop)}}}"#
        #expect(
            try request(text) == #"{"jsonrpc":"2.0","method":"notifications/x","params":{"_meta":{},"a":1}}"#
        )
        #expect(
            try notification(text) == #"{"jsonrpc":"2.0","method":"notifications/x","params":{"a":1}}"#
        )
        #expect(
            try notification(text, meta: #""m":1"#)
                == #"{"jsonrpc":"2.0","method":"notifications/x","params":{"_meta":{"m":1},"a":1}}"#
        )
        #expect(
            try notification(#"{"jsonrpc":"2.0","method":"notifications/y"}"#)
                == #"{"jsonrpc":"2.0","method":"notifications/y","params":{}}"#
        )
    }

    @Test func `a result gets what its era asks for and loses what the other's did`() throws {
        let text = """
            {"jsonrpc":"2.0","id":5,"result":{"resultType":"complete","content":[{"type":"text","text":"\\u00e9\\n"}],"ttlMs":5,
            "_meta":{\(Self.hop),"a.example/k":1}}}
            """
        #expect(
            try result(text)
                == #"{"jsonrpc":"2.0","id":0,"result":{"_meta":{"a.example/k":1},"content":[{"type":"text","text":"\u00e9\n"}]}}"#
        )
        #expect(
            try result(text, first: #""resultType":"complete""#, meta: #""s":1"#)
                == #"{"jsonrpc":"2.0","id":0,"result":{"resultType":"complete","_meta":{"s":1,"a.example/k":1},"content":[{"type":"text","text":"\u00e9\n"}]}}"#
        )
        #expect(
            try result(#"{"jsonrpc":"2.0","id":5,"result":{}}"#) == #"{"jsonrpc":"2.0","id":0,"result":{}}"#
        )
    }

    @Test func `a name that is written with escapes is the same name`() throws {
        let text =
            #"{"jsonrpc":"2.0","id":5,"result":{"result\u0054ype":"input_required","_m\u0065ta":{"io.modelcontextprotocol\/serverInfo":{}},"a":1}}"#
        #expect(try result(text) == #"{"jsonrpc":"2.0","id":0,"result":{"a":1}}"#)
    }

    @Test func `what is written stands on one line and is a message`() throws {
        for sample in Sample.all {
            let pretty = String(decoding: try sample.value().text(.pretty), as: UTF8.self)
            let text = try result("{\"jsonrpc\":\"2.0\",\r\n\"id\":5,\n\"result\":\(pretty)}")
            #expect(!text.utf8.contains(10) && !text.utf8.contains(13))
            let written = try json(text)["result"]
            var expected = try sample.value().setting("resultType", to: nil).setting("ttlMs", to: nil)
            expected = expected.setting("_meta", to: ["a.example/k": 1])
            #expect(written?.text(.canonical) == expected.text(.canonical))
        }
    }
}
