// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import Testing

/// Transcripts of a hop: `>` is sent to the server, `<` comes from it, and what is expected follows.
@Suite struct UpstreamTests {
    private func add(
        _ upstream: inout Upstream,
        _ text: String,
        _ name: String = "a",
        deadline: UInt64? = nil,
        isOwn: Bool = false
    ) throws -> String? {
        let line = try Line(text)
        var edits = Edits()
        let id = upstream.add(
            line.message,
            line.bytes.span,
            caller: NamedCaller(name, isOwn: isOwn),
            clock: deadline.map { CallClock(at: 0, patience: $0, ceiling: 4 * $0) },
            edits: &edits
        )
        guard id != nil else { return nil }
        var output: [UInt8] = []
        edits.apply(to: line.bytes.span, onOneLine: false, into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    private func receive(_ upstream: inout Upstream, _ text: String) throws -> String {
        let line = try Line(text)
        return upstream.receive(line.message, line.bytes.span).words
    }

    @Test func `ids and progress tokens are ours on the server's side and the client's on the client's`()
        throws
    {
        var upstream = Upstream(era: .legacy, capacity: 8)
        #expect(
            try add(
                &upstream,
                #"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"_meta":{"progressToken":"t"}}}"#
            )
                == #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"progressToken":1}}}"#
        )
        #expect(
            try add(&upstream, #"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{}}"#, "b")
                == #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{}}"#
        )
        let progress =
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}"#
        #expect(try receive(&upstream, progress) == "notice \"x\" \"t\"")
        #expect(try receive(&upstream, #"{"jsonrpc":"2.0","id":2,"result":{}}"#) == "reply \"x\" b")
        #expect(
            try receive(&upstream, #"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}"#)
                == "reply \"x\" a"
        )
        #expect(upstream.callCount == 0)
    }

    @Test(arguments: [
        (#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "drop unknownID"),
        (#"{"jsonrpc":"2.0","id":99,"result":{}}"#, "drop unknownID"),
        (#"{"jsonrpc":"2.0","id":"2","result":{}}"#, "drop unknownID"),
        (#"{"jsonrpc":"2.0","error":{"code":1,"message":""}}"#, "drop unknownID"),
        (#"{"jsonrpc":"1.0","id":9,"result":{}}"#, "drop malformed"),
        (#"{"jsonrpc":"1.0","id":2,"method":"x"}"#, "drop malformed"),
        (
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1}}"#,
            "drop unknownToken"
        ),
        (
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":2}}"#,
            "drop unknownToken"
        ),
        (
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"2"}}"#,
            "drop unknownToken"
        ),
        (#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#, "drop unknownID"),
    ])
    func `what answers nothing is dropped`(_ text: String, _ expected: String) throws {
        var upstream = Upstream(era: .legacy, capacity: 8)
        _ = try add(
            &upstream,
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"progressToken":1}}}"#
        )
        #expect(try receive(&upstream, #"{"jsonrpc":"2.0","id":1,"result":{}}"#) == "reply 1 a")
        // The second call gave no progress token, so that nobody may report progress of it.
        _ = try add(&upstream, #"{"jsonrpc":"2.0","id":2,"method":"tools/call"}"#)
        #expect(try receive(&upstream, text) == expected)
        #expect(upstream.callCount == 1)
    }

    @Test(arguments: [
        #"{"jsonrpc":"1.0","id":1,"result":{}}"#, #"{"jsonrpc":"2.0","id":1,"error":null}"#,
        #"{"jsonrpc":"2.0","id":1,"result":7}"#,
        #"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}"#,
    ])
    func `an answer that is no message ends its call`(_ text: String) throws {
        var upstream = Upstream(era: .legacy, capacity: 8)
        _ = try add(&upstream, #"{"jsonrpc":"2.0","id":"x","method":"tools/call"}"#)
        #expect(try receive(&upstream, text) == "broken \"x\"")
        #expect(upstream.callCount == 0)
    }

    @Test(
        arguments: [
            (#"{"jsonrpc":"2.0","id":7,"result":{"a":}}"#, 7), (#"{"id":7,"result":[1,]}"#, 7),
            (#"{"result":{}} x"#, nil),
            (#"{"id":7,"method":"a","params":}"#, nil), (#"{"id":7,"id":8,"result":{}}"#, nil),
            (#"{"id":7,"x":}"#, nil),
            (#"{"result":[},"id":7}"#, nil), ("[7", nil),
        ] as [(String, Int?)]
    )
    func `the id of a broken answer is found where it is clear`(_ text: String, _ id: Int?) {
        let bytes = Array(text.utf8)
        #expect(Message.id(ofBroken: bytes.span) == id)
    }

    @Test func `what the gateway asks by itself takes no place from its client`() throws {
        var upstream = Upstream(era: .legacy, capacity: 2)
        let text = #"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#
        for _ in 0..<3 { #expect(try add(&upstream, text, isOwn: true) != nil) }
        for _ in 0..<2 { #expect(try add(&upstream, text) != nil) }
        #expect(try add(&upstream, text) == nil)
        #expect(try add(&upstream, text, isOwn: true) != nil)
    }

    @Test func `a server of the legacy era asks, takes back and is answered once`() throws {
        var upstream = Upstream(era: .legacy, capacity: 2)
        let ask =
            #"{"jsonrpc":"2.0","id":"s1","method":"roots/list","params":{"_meta":{"progressToken":"p"}}}"#
        #expect(try receive(&upstream, ask) == "ask 1")
        #expect(upstream.progressToken(ofAsk: 1) == "\"p\"")
        #expect(upstream.answer(1) == "\"s1\"")
        #expect(upstream.answer(1) == nil)
        #expect(try receive(&upstream, ask) == "ask 2")
        #expect(
            try receive(&upstream, #"{"jsonrpc":"2.0","id":5,"method":"sampling/createMessage"}"#) == "ask 3"
        )
        #expect(
            try receive(&upstream, #"{"jsonrpc":"2.0","id":6,"method":"roots/list"}"#) == "refuse 6 -32603"
        )
        let withdrawal = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}"#
        #expect(try receive(&upstream, withdrawal) == "withdraw 3")
        #expect(upstream.answer(3) == nil)
        #expect(try receive(&upstream, #"{"jsonrpc":"2.0","id":7,"method":"ping"}"#) == "ping 7")
        #expect(upstream.askCount == 1)
    }

    @Test func `a server of the modern era may not ask`() throws {
        var upstream = Upstream(era: .modern, capacity: 2)
        #expect(
            try receive(&upstream, #"{"jsonrpc":"2.0","id":6,"method":"roots/list"}"#) == "refuse 6 -32601"
        )
        #expect(try receive(&upstream, #"{"jsonrpc":"2.0","id":6,"method":"ping"}"#) == "refuse 6 -32601")
    }

    @Test func `a notification of a legacy server is the session's, of a modern one its subscription's`()
        throws
    {
        let changed =
            #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":1}}}"#
        var legacy = Upstream(era: .legacy, capacity: 2)
        #expect(try receive(&legacy, changed) == "session")
        var modern = Upstream(era: .modern, capacity: 2)
        #expect(try receive(&modern, changed) == "drop unknownToken")
        _ = try add(&modern, #"{"jsonrpc":"2.0","id":"L","method":"subscriptions/listen","params":{}}"#)
        #expect(try receive(&modern, changed) == "notice \"L\" -")
        #expect(
            try receive(&modern, #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#)
                == "drop unknownToken"
        )
    }

    @Test func `a subscription's number does not reach another call`() throws {
        var upstream = Upstream(era: .modern, capacity: 2)
        _ = try add(&upstream, #"{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{}}"#)
        let text =
            #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":1}}}"#
        #expect(try receive(&upstream, text) == "drop unknownToken")
    }

    @Test func `a modern log message goes to the one call that asked for it, or to nobody`() throws {
        let call =
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"io.modelcontextprotocol/logLevel":"info"}}}"#
        let log = #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#
        var upstream = Upstream(era: .modern, capacity: 4)
        #expect(try receive(&upstream, log) == "drop ambiguousLog")
        _ = try add(&upstream, #"{"jsonrpc":"2.0","id":0,"method":"tools/call"}"#)
        #expect(try receive(&upstream, log) == "drop ambiguousLog")
        _ = try add(&upstream, call)
        #expect(try receive(&upstream, log) == "notice 1 -")
        _ = try add(&upstream, call)
        #expect(try receive(&upstream, log) == "drop ambiguousLog")
    }

    @Test func `no more calls wait than may`() throws {
        var upstream = Upstream(era: .legacy, capacity: 2)
        let call = #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#
        #expect(try add(&upstream, call) != nil)
        #expect(try add(&upstream, call) != nil)
        #expect(try add(&upstream, call) == nil)
        #expect(try receive(&upstream, #"{"jsonrpc":"2.0","id":1,"result":{}}"#) == "reply 1 a")
        #expect(try add(&upstream, call) != nil)
    }

    @Test func `late calls expire in order and their answers are dropped`() throws {
        var upstream = Upstream(era: .legacy, capacity: 8)
        for (name, deadline) in [("late", UInt64(20)), ("soon", 10), ("never", nil)] as [(String, UInt64?)] {
            _ = try add(
                &upstream,
                #"{"jsonrpc":"2.0","id":"\#(name)","method":"tools/list"}"#,
                name,
                deadline: deadline
            )
        }
        #expect(upstream.nextDeadline == 10)
        #expect(upstream.expire(at: 9).isEmpty)
        #expect(upstream.expire(at: 10).map(\.clientID) == ["\"soon\""])
        #expect(try receive(&upstream, #"{"jsonrpc":"2.0","id":2,"result":{}}"#) == "drop unknownID")
        #expect(upstream.expire(at: .max - 1).map(\.clientID) == ["\"late\""])
        #expect(upstream.failAll().map(\.clientID) == ["\"never\""])
        #expect(upstream.callCount == 0)
    }

    @Test func `progress gives a call its whole time again, but never more than all of it`() throws {
        var upstream = Upstream(era: .legacy, capacity: 8)
        let call = #"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"_meta":{"progressToken":"t"}}}"#
        // 10 ms without progress, 40 ms in all.
        _ = try add(&upstream, call, deadline: 10)
        let id = 1
        for (now, deadline) in [(8, 18), (9, 19), (20, 30), (35, 40), (39, 40)] as [(UInt64, UInt64)] {
            upstream.noteProgress(of: id, at: now)
            #expect(upstream.nextDeadline == deadline)
        }
        #expect(upstream.expire(at: 40).map(\.id) == [id])
        upstream.noteProgress(of: id, at: 41)
        #expect(upstream.nextDeadline == nil)
    }

    @Test func `a call whose caller is asked something has its time afterwards`() throws {
        var upstream = Upstream(era: .legacy, capacity: 8)
        let call = #"{"jsonrpc":"2.0","id":5,"method":"tools/call"}"#
        _ = try add(&upstream, call, deadline: 10)
        let id = 1
        upstream.hold(id)
        upstream.noteProgress(of: id, at: 5)
        #expect(upstream.expire(at: 1000).isEmpty)
        #expect(upstream.resume(id, at: 1000) == 1010)
        upstream.noteProgress(of: id, at: 1009)
        #expect(upstream.nextDeadline == 1019)
        #expect(upstream.expire(at: 1019).map(\.id) == [id])
        #expect(upstream.resume(id, at: 1020) == nil)
    }

    @Test func `a client's id finds its call only among the callers that are meant`() throws {
        var upstream = Upstream(era: .legacy, capacity: 8)
        _ = try add(&upstream, #"{"jsonrpc":"2.0","id":5,"method":"tools/call"}"#, "a")
        _ = try add(&upstream, #"{"jsonrpc":"2.0","id":5,"method":"tools/call"}"#, "b")
        #expect(upstream.find(clientID: "5") { ($0 as? NamedCaller)?.name == "b" } == 2)
        #expect(upstream.find(clientID: "\"5\"") { _ in true } == nil)
        #expect(upstream.remove(2)?.clientID == "5")
        #expect(upstream.find(clientID: "5") { ($0 as? NamedCaller)?.name == "b" } == nil)
    }
}
