// Gatehouse. SPDX-License-Identifier: MIT

import Diagnostics
import Gateway
import HTTPWire
import JSONRPC
import MCPCore
import Testing

@Suite struct RecordsTests {
    private let records = Records(log: Log(level: .error, subsystem: .gateway))

    private func head() throws -> HTTPRequestHead {
        var parser = HTTPRequestHeadParser(limits: HTTPLimits())
        let bytes = Array("POST /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        _ = try #require(try parser.parse(bytes.span))
        return parser.takeHead()
    }

    private func call(_ name: String, _ end: CallEnd = .ok, era: Era = .modern) throws {
        let text = Array(#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\#(name)"}}"#.utf8)
        let message = try Message(text.span)
        let open = records.open(
            message,
            text.span,
            server: "git",
            era: era,
            session: nil,
            head: try head()
        )
        records.close(open, end, id: "1")
    }

    /// The samples of calls, with the values of their labels in order.
    private var calls: [String] {
        String(decoding: records.metrics.exposition(.prometheus), as: UTF8.self).split(separator: "\n")
            .filter { $0.hasPrefix("gatehouse_calls_total{") }.map { line in
                line.split(separator: "\"").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
                    .joined(separator: " ") + (line.split(separator: "}").last.map { String($0) } ?? "")
            }
    }

    private func learn(_ names: [String]) {
        let list = Array(("[" + names.map { #"{"name":"\#($0)"}"# }.joined(separator: ",") + "]").utf8)
        records.learnTools(list.span, of: "git")
    }

    @Test func `tools have rows of their own once their server has listed them`() throws {
        try call("log")
        learn(["log", "diff"])
        try call("log")
        try call("l\\u006fg")
        try call("invented")
        #expect(calls == ["git other tools/call modern ok none 2", "git log tools/call modern ok none 2"])
    }

    @Test func `a server that lists very many tools has rows for the first of them`() throws {
        learn((0..<1_000).map { "t\($0)" })
        for index in 0..<1_000 { try call("t\(index)") }
        #expect(calls.count == 201)
        #expect(calls.contains("git other tools/call modern ok none 800"))
    }

    @Test func `ends are told apart by outcome and by whose fault they were`() throws {
        learn(["t"])
        try call("t", .toolError)
        try call("t", .error(code: ErrorCode.invalidParams.value))
        try call("t", .error(code: -32000), era: .legacy)
        try call("t", .failed(Failure(.internalError, "x", source: .gateway)))
        try call("t", .cancelled)
        try call("t", .inputRequired)
        try call("t", .task)
        #expect(
            calls == [
                "git t tools/call modern tool_error upstream 1", "git t tools/call modern error client 1",
                "git t tools/call legacy error upstream 1", "git t tools/call modern failed gateway 1",
                "git t tools/call modern cancelled client 1",
                "git t tools/call modern input_required none 1", "git t tools/call modern task none 1",
            ]
        )
        #expect(records.openCalls == 0)
    }

    @Test func `a list that is none teaches nothing`() throws {
        for text in ["", "[", "{}", "[1,null,{\"name\":7},{\"name\":\"\"}]"] {
            let list = Array(text.utf8)
            records.learnTools(list.span, of: "git")
        }
        try call("name")
        #expect(calls == ["git other tools/call modern ok none 1"])
    }
}
