// Gatehouse. SPDX-License-Identifier: MIT

import MCPCore
import Sessions
import Testing

/// A conversation that only remembers that it ended.
private final class Foundation: SessionFoundation {
    var hasEnded = false
    var isBusy = false
    func end() { hasEnded = true }
}

/// A client that listens.
private final class Outlet: StreamOutlet {
    var isOpen = true
    var events: [String] = []

    func send(event id: EventID?, _ message: Span<UInt8>) {
        let text = message.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
        events.append("\(id.map { String(decoding: $0.text, as: UTF8.self) } ?? "-") \(text)")
    }

    func sendHeartbeat() {}

    func finish() { isOpen = false }
}

@Suite struct SessionsTests {
    private func session(
        _ foundation: some SessionFoundation = Foundation(),
        owner: Principal = .anonymous,
        revision: Revision = .v2025_11_25,
        log: EventLog = EventLog(bytes: 1000, events: 10, age: 100),
        streams: Int = 2,
        now: UInt64 = 0
    ) -> Session {
        Session(
            owner: owner,
            server: "s",
            revision: revision,
            foundation: foundation,
            log: log,
            streamLimit: streams,
            now: now
        )
    }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func `ids are 128 bits that do not repeat and read back`() {
        let ids = (0..<10_000).map { _ in SessionID.random() }
        #expect(Set(ids).count == 10_000)
        let texts = ids.map { String(decoding: $0.text, as: UTF8.self) }
        #expect(texts.allSatisfy { $0.utf8.count == 32 })
        #expect(Set(texts.map { $0.prefix(5) }).count > 9_000)
        #expect(SessionID(ids[7].text[...]) == ids[7])
    }

    @Test(arguments: [
        "", "0", "zz2b35322b8337265d208333cfffd2dc", "BE35322B8337265D208333CFFFD2DC8E",
        "be35322b8337265d208333cfffd2dc8e0",
    ])
    func `what cannot be an id is none`(_ text: String) {
        #expect(SessionID(bytes(text)[...]) == nil)
    }

    @Test func `a session is found by its owner on its server and by nobody else`() {
        let table = SessionTable(capacity: 4, lifetime: 1000)
        let alice = Principal(issuer: "i", subject: "a", client: "c", tenant: "t")
        let session = session(owner: alice)
        table.insert(session)
        #expect(table.find(session.id, owner: alice, server: "s") === session)
        #expect(table.find(session.id, owner: alice, server: "other") == nil)
        for other in [
            Principal(issuer: "j", subject: "a", client: "c", tenant: "t"),
            Principal(issuer: "i", subject: "b", client: "c", tenant: "t"),
            Principal(issuer: "i", subject: "a", client: "d", tenant: "t"),
            Principal(issuer: "i", subject: "a", client: "c", tenant: "u"),
            Principal(issuer: "ia", subject: "", client: "c", tenant: "t"), .anonymous,
        ] {
            #expect(table.find(session.id, owner: other, server: "s") == nil)
        }
    }

    @Test func `strings that look alike are different principals`() {
        let one = Principal(issuer: "", subject: "e\u{301}", client: "", tenant: "")
        let other = Principal(issuer: "", subject: "\u{e9}", client: "", tenant: "")
        #expect(one != other)
        #expect(Set([one, other]).count == 2)
    }

    @Test func `idle and old sessions end, with what they stand on`() {
        let table = SessionTable(capacity: 4, lifetime: 1000)
        let foundations = (0..<3).map { _ in Foundation() }
        let sessions = foundations.map { session($0) }
        for session in sessions { table.insert(session) }
        sessions[1].lastUsed = 90
        let listening = sessions[2].openStream(general: true)
        listening?.open(Outlet(), at: 0)
        #expect(table.sweep(at: 150, idle: { _ in 100 }) == 1)
        #expect(foundations.map(\.hasEnded) == [true, false, false])
        foundations[1].isBusy = true
        #expect(table.sweep(at: 900, idle: { _ in 100 }) == 0, "a call waits, and a client listens")
        #expect(table.sweep(at: 1001, idle: { _ in 5000 }) == 2)
        #expect(foundations.map(\.hasEnded) == [true, true, true])
        #expect(table.count == 0)
    }

    @Test func `a stream begins with an event that has no data, where the revision knows it`() {
        for (revision, expected) in [(Revision.v2025_11_25, ["1-0 ", "1-1 x"]), (.v2025_06_18, ["1-0 x"])] {
            let session = session(revision: revision)
            let stream = session.openStream(general: false)
            let outlet = Outlet()
            stream?.open(outlet, at: 0)
            stream?.send(bytes("x").span, at: 0)
            #expect(outlet.events == expected)
        }
    }

    @Test func `a stream goes on where its client left it`() throws {
        let session = session()
        let stream = try #require(session.openStream(general: false))
        let first = Outlet()
        stream.open(first, at: 0)
        stream.send(bytes("a").span, at: 1)
        stream.detach(first)
        stream.send(bytes("b").span, at: 2)
        stream.finish()
        let (found, missed) = try #require(session.missed(after: EventID(stream: 1, event: 1), at: 3))
        #expect(found === stream)
        #expect(missed.map { String(decoding: $0.1, as: UTF8.self) } == ["b"])
        let second = Outlet()
        found.resume(second)
        #expect(!second.isOpen, "the stream has sent all that it will")
        #expect(first.events == ["1-0 ", "1-1 a"])
    }

    @Test func `only a stream's own events are replayed`() throws {
        let session = session()
        let one = try #require(session.openStream(general: false))
        let two = try #require(session.openStream(general: true))
        one.send(bytes("zero").span, at: 0)
        one.send(bytes("one").span, at: 0)
        two.send(bytes("two").span, at: 0)
        let missed = try #require(session.missed(after: EventID(stream: 1, event: 0), at: 0)).1
        #expect(missed.map { String(decoding: $0.1, as: UTF8.self) } == ["one"])
        #expect(session.missed(after: EventID(stream: 9, event: 0), at: 0) == nil)
        #expect(session.missed(after: EventID(stream: 1, event: 2), at: 0) == nil, "it was never sent")
    }

    @Test(arguments: ["bytes", "events", "age"])
    func `what was forgotten cannot be resumed`(_ bound: String) {
        var log =
            switch bound {
            case "bytes": EventLog(bytes: 3, events: 10, age: 100)
            case "events": EventLog(bytes: 100, events: 3, age: 100)
            default: EventLog(bytes: 100, events: 10, age: 2)
            }
        for event in 0..<5 {
            log.append(EventID(stream: 1, event: event), bytes("x").span, at: UInt64(event))
        }
        let forgotten = log.messages(after: EventID(stream: 1, event: 0), at: 4)
        #expect(forgotten == nil)
        let kept = log.messages(after: EventID(stream: 1, event: 2), at: 4)
        #expect(kept?.map(\.0.event) == [3, 4])
        let none = log.messages(after: EventID(stream: 1, event: 4), at: 4)
        #expect(none?.isEmpty == true)
    }

    @Test(arguments: ["", "1", "1-", "-1", "1-2-3", "a-b", "1-99999999999999999999", "1 -2", "1-2\0"])
    func `what cannot be an event's id is none`(_ text: String) {
        #expect(EventID(bytes(text)[...]) == nil)
    }

    @Test func `as many general streams are open as may`() throws {
        let session = session(streams: 2)
        let outlets = [Outlet(), Outlet()]
        for outlet in outlets { try #require(session.openStream(general: true)).open(outlet, at: 0) }
        #expect(session.openStream(general: true) == nil)
        #expect(session.listening?.number == 4)
        session.streams[4]?.detach(outlets[1])
        #expect(session.listening?.number == 2)
        #expect(session.openStream(general: true) != nil)
    }

    @Test func `sessions that are being opened count for their owner and their server`() {
        let table = SessionTable(capacity: 5, principalCapacity: 3, lifetime: 1000)
        let alice = Principal(issuer: "i", subject: "a", client: "c", tenant: "t")
        func mayOpen(_ owner: Principal, _ server: String = "s", limit: Int? = nil) -> Bool {
            table.hasRoom(for: owner, server: server, limit: limit)
        }
        table.insert(session(owner: alice))
        var places = [table.reserve(server: "s", owner: alice)]
        #expect(mayOpen(alice, limit: 3) && !mayOpen(alice, limit: 2) && mayOpen(alice, "t", limit: 1))
        places.append(table.reserve(server: "t", owner: alice))
        #expect(!mayOpen(alice) && !mayOpen(alice, "t", limit: 1) && mayOpen(.anonymous, limit: 1))
        #expect(table.count(server: "s") == 2 && table.count(server: "t") == 1)
        places += [
            table.reserve(server: "s", owner: .anonymous), table.reserve(server: "s", owner: .anonymous),
        ]
        #expect(!table.hasRoom, "no more of all than may be")
        places[0].leave()
        places[0].leave()
        #expect(table.hasRoom && mayOpen(alice) && table.count(server: "s") == 3)
        places = []
        #expect(table.count(server: "s") == 1 && table.count(server: "t") == 0)
    }
}
