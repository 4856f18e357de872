// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPCore
import Sessions
import Store
import Testing

private let alice = Principal(issuer: "i", subject: "a", client: "c", tenant: "t")
private let initialize = """
    {"jsonrpc":"2.0","id":7,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}
    """

private func makeRecord(_ initialize: String = initialize, isOpenedByGET: Bool = false) -> SessionRecord? {
    SessionRecord(
        key: SessionID.random().key,
        owner: alice,
        server: "s",
        fingerprint: [1, 2],
        revision: .v2025_06_18,
        initialize: Array(initialize.utf8),
        isOpenedByGET: isOpenedByGET,
        now: 1000
    )
}

/// Lets a record take note of a message.
private func note(_ text: String, _ record: inout SessionRecord) throws -> Bool {
    let bytes = Array(text.utf8)
    let message = try Message(bytes.span)
    return record.memory.note(message, bytes.span)
}

private func subscribe(_ uri: String, _ verb: String = "subscribe") -> String {
    #"{"jsonrpc":"2.0","id":1,"method":"resources/\#(verb)","params":{"uri":"\#(uri)"}}"#
}

@Suite struct SessionRecordTests {
    @Test func `what a client says that the server must be told again is noted`() throws {
        var record = try #require(makeRecord())
        #expect(try note(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, &record))
        #expect(record.memory.isInitialized)
        let level = #"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"error"}}"#
        #expect(try note(level, &record))
        #expect(record.memory.level == "error")
        for uri in ["a", "b", "a", "c"] { #expect(try note(subscribe(uri), &record)) }
        #expect(try note(subscribe("b", "unsubscribe"), &record))
        #expect(record.memory.subscriptions == ["a", "c"])
        let before = record
        let nothing = try note(#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#, &record)
        #expect(!nothing)
        #expect(try note(#"{"jsonrpc":"2.0","id":2,"method":"logging/setLevel"}"#, &record))
        #expect(record == before, "what has no level changes none")
    }

    @Test func `the place of the first request in a trace is not kept`() throws {
        let traced = initialize.replacing(
            #""capabilities":{}"#,
            with: #""capabilities":{},"_meta":{"traceparent":"00-0af7-b7ad-01"}"#
        )
        let record = try #require(makeRecord(traced))
        let text = String(decoding: record.initialize, as: UTF8.self)
        #expect(text == initialize.replacing("{}", with: #"{},"_meta":{}"#))
    }

    @Test func `subscriptions are bounded in number and in bytes`() throws {
        var many = try #require(makeRecord())
        for number in 0..<400 { _ = try note(subscribe("r:\(number)"), &many) }
        #expect(many.memory.subscriptions.count == 256)
        _ = try note(subscribe("r:3", "unsubscribe"), &many)
        _ = try note(subscribe("r:999"), &many)
        #expect(many.memory.subscriptions.last == "r:999")
        var long = try #require(makeRecord())
        for number in 0..<4 {
            _ = try note(subscribe("\(number)" + String(repeating: "x", count: 6000)), &long)
        }
        #expect(long.memory.subscriptions.count == 2)
    }

    @Test func `a handshake that is too long is not kept`() {
        let long = String(repeating: " ", count: SessionRecord.initializeLimit)
        #expect(makeRecord(initialize + long) == nil)
        #expect(makeRecord() != nil)
    }
}

@Suite struct SessionReplayTests {
    private func replay(_ record: SessionRecord, _ result: JSONValue) -> [String]? {
        guard let replay = SessionReplay(record, answered: result) else { return nil }
        return (replay.notifications + replay.requests + [Array("|".utf8)] + replay.notices).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    private func result(_ revision: String, _ capabilities: JSONValue = .object([])) -> JSONValue {
        ["protocolVersion": .string(revision), "capabilities": capabilities]
    }

    @Test func `another revision or none is not the server that it was`() throws {
        let record = try #require(makeRecord())
        #expect(replay(record, result("2025-03-26")) == nil)
        #expect(replay(record, result("2026-07-28")) == nil)
        #expect(replay(record, .object([])) == nil)
        #expect(replay(record, ["protocolVersion": 1]) == nil)
        #expect(replay(record, result("2025-06-18")) == ["|"])
    }

    @Test func `an initialized session is initialized again, and told what it was told`() throws {
        var record = try #require(makeRecord())
        _ = try note(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, &record)
        let level = #"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"info"}}"#
        _ = try note(level, &record)
        _ = try note(subscribe(#"a\"b"#), &record)
        #expect(
            replay(record, result("2025-06-18")) == [
                #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
                #"{"jsonrpc":"2.0","id":0,"method":"logging/setLevel","params":{"level":"info"}}"#,
                #"{"jsonrpc":"2.0","id":0,"method":"resources/subscribe","params":{"uri":"a\"b"}}"#, "|",
            ]
        )
    }

    @Test func `only changes that the server announces are told`() throws {
        let record = try #require(makeRecord())
        let capabilities: JSONValue = [
            "tools": ["listChanged": true], "prompts": ["listChanged": false],
            "resources": ["subscribe": true],
        ]
        let told = replay(record, result("2025-06-18", capabilities))
        #expect(told == ["|", #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#])
        let all: JSONValue = ["listChanged": true]
        let everything: JSONValue = ["resources": all, "prompts": all, "tools": all]
        #expect(replay(record, result("2025-06-18", everything))?.count == 4)
    }
}
