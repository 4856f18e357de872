// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Crypto
import Gateway
import JSON
import JSONRPC
import MCPCore
import Sessions
import Testing

@testable import Frontends

@Suite struct `Task ids` {
    private static let alice = Principal(issuer: "i", subject: "a", client: "c", tenant: "t")
    private static let bob = Principal(issuer: "i", subject: "b", client: "c", tenant: "t")
    private let sealer = Sealer()
    private var seal: TaskSeal { TaskSeal(sealer, server: "s", principal: Self.alice) }

    private func sealed(_ id: String, _ instance: UInt64 = 7) -> String {
        String(decoding: seal.seal(Array(id.utf8), instance: instance), as: UTF8.self)
    }

    private func read(_ text: String) throws -> (Message, [UInt8]) {
        let bytes = Array(text.utf8)
        return (try Message(bytes.span), bytes)
    }

    private func request(_ method: Method, _ params: String) throws -> (Message, [UInt8]) {
        try read(#"{"jsonrpc":"2.0","id":1,"method":"\#(method.rawValue)","params":\#(params)}"#)
    }

    private func named(_ message: Message, _ bytes: [UInt8]) throws(Refusal) -> TaskIDs? {
        try TaskIDs.named(by: message, bytes.span, seal)
    }

    private func target(_ instance: UInt64, isForOneCall: Bool) -> ModernConversation {
        ModernConversation(Silence(), instance: instance, isForOneCall: isForOneCall)
    }

    private func written(_ edits: Edits, _ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        edits.apply(to: bytes.span, onOneLine: false, into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `are good for whom they were given to, and for that server`() {
        let id = Array(sealed("task \"1\"").utf8)
        #expect(seal.open(id)?.instance == 7)
        #expect(seal.open(id)?.id == Array("task \"1\"".utf8))
        #expect(TaskSeal(sealer, server: "s", principal: Self.bob).open(id) == nil)
        #expect(TaskSeal(sealer, server: "t", principal: Self.alice).open(id) == nil)
        #expect(TaskSeal(Sealer(), server: "s", principal: Self.alice).open(id) == nil)
        #expect(seal.open(Array(id.dropLast())) == nil)
        #expect(seal.open(Array("task \"1\"".utf8)) == nil)
        #expect(seal.open([]) == nil)
        let cursor = CursorSeal(sealer, server: "s", principal: Self.alice, method: .toolsList).seal([1])
        #expect(seal.open(Array(cursor.dropFirst().dropLast())) == nil, "another seal of ours")
    }

    @Test(arguments: [Method.tasksGet, .tasksUpdate, .tasksCancel])
    func `are opened for the server that is asked about a task`(_ method: Method) throws {
        let id = sealed("own \"1\"")
        let (message, bytes) = try request(method, #"{"taskId":"\#(id)","inputResponses":{}}"#)
        let tasks = try #require(try named(message, bytes))
        #expect(tasks.instance == 7)
        var edits = Edits()
        tasks.write(to: target(7, isForOneCall: false), method, &edits)
        let (_, wanted) = try request(method, #"{"taskId":"own \"1\"","inputResponses":{}}"#)
        #expect(written(edits, bytes) == String(decoding: wanted, as: UTF8.self))
        #expect(tasks.client(Array("own \"1\"".utf8)) == Array(id.utf8))
        #expect(tasks.client(Array("another".utf8)) == nil)
    }

    @Test(arguments: [Method.tasksGet, .tasksUpdate, .tasksCancel, .listen])
    func `of others are refused`(_ method: Method) throws {
        for id in ["own", sealed("own") + "A", ""] {
            let params =
                method == .listen
                ? #"{"notifications":{"taskIds":["\#(sealed("own"))","\#(id)"]}}"# : #"{"taskId":"\#(id)"}"#
            let (message, bytes) = try request(method, params)
            let refusal = #expect(throws: Refusal.self) { try named(message, bytes) }
            #expect(refusal?.status == 400)
            #expect(refusal?.failure.code == .invalidParams)
        }
    }

    @Test func `of a listen may be many, but not too many`() throws {
        func listen(_ count: Int) throws -> TaskIDs? {
            let ids = Array(repeating: "\"\(sealed("own"))\"", count: count).joined(separator: ",")
            let (message, bytes) = try request(.listen, #"{"notifications":{"taskIds":[\#(ids)]}}"#)
            return try named(message, bytes)
        }
        #expect(try listen(TaskIDs.limit)?.instance == 7)
        #expect(throws: Refusal.self) { try listen(TaskIDs.limit + 1) }
        #expect(try listen(0) == nil)
    }

    @Test(arguments: [true, false])
    func `of a listen reach the one conversation that it has`(_ isForOneCall: Bool) throws {
        let (a, b, c) = (sealed("a", 7), sealed("b", 8), sealed("c", 7))
        let (message, bytes) = try request(
            .listen,
            #"{"notifications":{"taskIds":["\#(a)","\#(b)","\#(c)"],"toolsListChanged":true}}"#
        )
        let tasks = try #require(try named(message, bytes))
        #expect(tasks.instance == 7)
        var edits = Edits()
        tasks.write(to: target(7, isForOneCall: isForOneCall), .listen, &edits)
        let reached = isForOneCall ? #"["a","c"]"# : #"["a","b","c"]"#
        let (_, wanted) = try request(
            .listen,
            #"{"notifications":{"taskIds":\#(reached),"toolsListChanged":true}}"#
        )
        #expect(written(edits, bytes) == String(decoding: wanted, as: UTF8.self))
        #expect((tasks.client([UInt8(ascii: "b")]) == nil) == isForOneCall)
    }

    @Test func `come back as the client knows them, and those it did not name not at all`() throws {
        let id = sealed("a")
        let (message, bytes) = try request(.listen, #"{"notifications":{"taskIds":["\#(id)"]}}"#)
        let tasks = try #require(try named(message, bytes))
        var edits = Edits()
        tasks.write(to: target(7, isForOneCall: false), .listen, &edits)
        func heard(_ method: Method, _ params: String) throws -> String? {
            let (notice, bytes) = try read(
                #"{"jsonrpc":"2.0","method":"\#(method.rawValue)","params":\#(params)}"#
            )
            var edits = Edits()
            guard TaskIDs.rewrite(notice, bytes.span, tasks, &edits) else { return nil }
            return try JSONValue(Array(written(edits, bytes).utf8).span)["params"].map {
                String(decoding: $0.text(), as: UTF8.self)
            }
        }
        #expect(try heard(.tasksNotice, #"{"taskId":"a","x":1}"#) == #"{"taskId":"\#(id)","x":1}"#)
        #expect(try heard(.tasksNotice, #"{"taskId":"b"}"#) == nil)
        #expect(try heard(.tasksNotice, "{}") == nil)
        #expect(
            try heard(.acknowledged, #"{"notifications":{"taskIds":["b","a"]}}"#)
                == #"{"notifications":{"taskIds":["\#(id)"]}}"#
        )
        #expect(
            try heard(.acknowledged, #"{"notifications":{"taskIds":7}}"#)
                == #"{"notifications":{"taskIds":[]}}"#
        )
        #expect(try heard(.toolsChanged, #"{"taskId":"b"}"#) == #"{"taskId":"b"}"#)
    }

    @Test func `of a listen that names none are told to nobody`() throws {
        for params in [#"{"notifications":{"toolsListChanged":true}}"#, #"{"notifications":{"taskIds":7}}"#] {
            let (message, bytes) = try request(.listen, params)
            #expect(try named(message, bytes) == nil)
        }
        let (notice, bytes) = try read(
            #"{"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":"a"}}"#
        )
        var edits = Edits()
        let isForwarded = TaskIDs.rewrite(notice, bytes.span, nil, &edits)
        #expect(!isForwarded)
    }
}

/// A conversation in which nothing is said.
private final class Silence: Conversation {
    weak var listener: (any ConversationListener)?
    var isIdle: Bool { true }
    var isBusy: Bool { false }
    func call(
        _ message: Message,
        _ bytes: Span<UInt8>,
        from caller: any Caller,
        edits: Edits
    ) throws(Failure) -> Int { 0 }
    func notify(_ message: Message, _ bytes: Span<UInt8>) {}
    func answer(_ number: Int, _ message: Message, _ bytes: Span<UInt8>) -> Bool { false }
    func refuse(_ number: Int, _ failure: Failure) {}
    func end(after milliseconds: UInt64) {}
    func end() {}
    func cancel(_ id: Int, reason: String) {}
}
