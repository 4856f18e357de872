// Gatehouse. SPDX-License-Identifier: MIT

import CFaultyDisk
import Diagnostics
import EventLoop
import Glibc
import MCPCore
import Sessions
import Store
import TestSupport
import Testing

private final class Foundation: SessionFoundation {
    var isBusy = false
    func end() {}
}

private let initialize = Array(
    #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}"#
        .utf8
)
private let alice = Principal(issuer: "i", subject: "alice", client: "c", tenant: "t")

/// Runs of a gateway, one after the other, over one database.
private final class Runs: Sendable {
    struct State {
        var now: Int64 = 1_000_000
        var rules = LastingRules(fingerprint: [1], isKept: true, idle: 10_000)
        var lasting: LoopBound<LastingSessions>?
        var hasClosed = false
        var count = 0
    }
    let state = Locked(State())
    let path: String
    let disk: String?

    init(disk: String? = nil) throws {
        var template = Array("/tmp/gatehouse-sessions-XXXXXX".utf8CString)
        path = try #require(
            template.withUnsafeMutableBufferPointer {
                $0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
            }
        )
        self.disk = disk
    }

    deinit {
        for name in ["gatehouse.db", "gatehouse.db-wal", "gatehouse.lock"] { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    /// The sessions of this run; the loop's.
    func lasting() throws -> LastingSessions { try #require(state.withLock { $0.lasting }).value }

    func advance(_ milliseconds: Int64) { state.withLock { $0.now += milliseconds } }

    /// One run of the gateway.
    func run(
        _ loop: EventLoop,
        capacity: Int = 10,
        _ body: @escaping @Sendable (LastingSessions) throws -> Void
    ) async throws {
        try await begin(loop, capacity: capacity)
        try await loop.run { try body(try self.lasting()) }
        try await end(loop)
    }

    func begin(_ loop: EventLoop, capacity: Int = 10) async throws {
        try await loop.run {
            let lasting = try LastingSessions(
                try Database(directory: self.path, schema: LastingSessions.schema, disk: self.disk),
                on: loop,
                capacity: capacity,
                lifetime: 100_000,
                clock: { self.state.withLock { $0.now } },
                log: Log(level: .error, subsystem: .gateway),
                rules: { $0 == "gone" ? nil : self.state.withLock { $0.rules } }
            )
            let bound = LoopBound(lasting, loop)
            self.state.withLock { $0.lasting = bound }
        }
    }

    func end(_ loop: EventLoop) async throws {
        try await loop.run { try self.lasting().close { self.state.withLock { $0.hasClosed = true } } }
        try await loop.wait("the database is closed") { self.state.withLock { $0.hasClosed } }
        state.withLock {
            $0.lasting = nil
            $0.hasClosed = false
        }
    }
}

/// Opens a session; the loop's.
private func open(
    _ lasting: LastingSessions,
    owner: Principal = alice,
    server: String = "s",
    now: UInt64 = 0
) -> Session {
    let session = Session(
        owner: owner,
        server: server,
        revision: .v2025_11_25,
        foundation: Foundation(),
        log: EventLog(bytes: 1000, events: 10, age: 1000),
        streamLimit: 4,
        now: now
    )
    lasting.keep(session, initialize: initialize, isOpenedByGET: false)
    return session
}

@Suite struct LastingSessionsTests {
    @Test func `a session sleeps after a restart and only its owner finds it at its server`() async throws {
        let runs = try Runs()
        try await withLoop { loop in
            let id = Locked(SessionID.random())
            try await runs.run(loop) { lasting in
                let session = open(lasting)
                id.withLock { $0 = session.id }
                #expect(lasting.find(session.id, owner: alice, server: "s") == nil, "it is awake")
            }
            try await runs.run(loop) { lasting in
                let id = id.withLock { $0 }
                #expect(lasting.sleepingCount == 1)
                #expect(lasting.find(.random(), owner: alice, server: "s") == nil)
                #expect(lasting.find(id, owner: .anonymous, server: "s") == nil)
                for (issuer, subject, client, tenant) in [
                    ("x", "alice", "c", "t"), ("i", "bob", "c", "t"), ("i", "alice", "x", "t"),
                    ("i", "alice", "c", "x"),
                ] {
                    let other = Principal(issuer: issuer, subject: subject, client: client, tenant: tenant)
                    #expect(lasting.find(id, owner: other, server: "s") == nil)
                }
                #expect(lasting.find(id, owner: alice, server: "other") == nil)
                let record = try #require(lasting.find(id, owner: alice, server: "s"))
                #expect(record.initialize == initialize)
                #expect(record.key != id.text)
            }
        }
    }

    @Test func `what has ended, what was deleted asleep and what was too old does not come back`()
        async throws
    {
        let runs = try Runs()
        try await withLoop { loop in
            let ids = Locked<[SessionID]>([])
            try await runs.run(loop) { lasting in
                let sessions = (0..<3).map { _ in open(lasting) }
                lasting.ended(sessions[0])
                ids.withLock { $0 = sessions.map(\.id) }
            }
            let known = ids.withLock { $0 }
            try await runs.run(loop) { lasting in
                #expect(lasting.sleepingCount == 2)
                lasting.forget(try #require(lasting.find(known[1], owner: alice, server: "s")))
                #expect(lasting.find(known[1], owner: alice, server: "s") == nil)
            }
            runs.advance(10_001)
            try await runs.run(loop) { lasting in #expect(lasting.sleepingCount == 0) }
            runs.advance(-10_001)
            try await runs.run(loop) { lasting in #expect(lasting.sleepingCount == 0, "the row is gone too") }
        }
    }

    @Test func `a clock that was put back makes no session too old`() async throws {
        let runs = try Runs()
        try await withLoop { loop in
            try await runs.run(loop) { lasting in _ = open(lasting) }
            runs.advance(-200_000_000)
            try await runs.run(loop) { lasting in #expect(lasting.sleepingCount == 1) }
        }
    }

    @Test(arguments: ["fingerprint", "isKept", "gone"])
    func `a server that is another now gets no session of before`(_ what: String) async throws {
        let runs = try Runs()
        try await withLoop { loop in
            let id = Locked(SessionID.random())
            let server = what == "gone" ? "gone" : "s"
            try await runs.run(loop) { lasting in
                let session = open(lasting)
                id.withLock { $0 = session.id }
            }
            runs.state.withLock {
                if what == "fingerprint" { $0.rules.fingerprint = [2] }
                if what == "isKept" { $0.rules.isKept = false }
            }
            try await runs.run(loop) { lasting in
                #expect(lasting.find(id.withLock { $0 }, owner: alice, server: server) == nil)
            }
        }
    }

    @Test func `a restored session stays in the database and ages on`() async throws {
        let runs = try Runs()
        try await withLoop { loop in
            let id = Locked(SessionID.random())
            try await runs.run(loop) { lasting in
                let session = open(lasting)
                id.withLock { $0 = session.id }
            }
            for _ in 0..<3 {
                runs.advance(6_000)
                try await runs.run(loop) { lasting in
                    let id = id.withLock { $0 }
                    let record = try #require(lasting.find(id, owner: alice, server: "s"))
                    #expect(Int64(lasting.age(of: record)) == record.used - record.created + 6_000)
                    let session = Session(
                        restored: id,
                        owner: alice,
                        server: "s",
                        revision: record.revision,
                        foundation: Foundation(),
                        log: EventLog(bytes: 1000, events: 10, age: 1000),
                        streamLimit: 4,
                        now: 500,
                        age: lasting.age(of: record)
                    )
                    lasting.wake(session, record)
                    #expect(session.age(at: 600) == lasting.age(of: record) + 100)
                    #expect(lasting.find(id, owner: alice, server: "s") == nil)
                }
            }
        }
    }

    @Test func `no more rows are kept than sessions may be open, and those that nobody used go first`()
        async throws
    {
        let runs = try Runs()
        try await withLoop { loop in
            try await runs.run(loop, capacity: 4) { lasting in
                for _ in 0..<4 {
                    _ = open(lasting)
                    runs.advance(1)
                }
            }
            try await runs.run(loop, capacity: 4) { lasting in
                #expect(lasting.sleepingCount == 4)
                for left in [3, 2] {
                    _ = open(lasting)
                    #expect(lasting.sleepingCount == left)
                }
            }
            try await runs.run(loop, capacity: 3) { lasting in #expect(lasting.sleepingCount == 3) }
        }
    }

    @Test func `another configuration's bounds and rules count from then on`() async throws {
        let runs = try Runs()
        try await withLoop { loop in
            try await runs.run(loop, capacity: 4) { lasting in
                for _ in 0..<4 {
                    _ = open(lasting)
                    runs.advance(1)
                }
            }
            try await runs.run(loop, capacity: 4) { lasting in
                let rules = runs.state.withLock { $0.rules }
                lasting.change(capacity: 3, lifetime: 100_000) { _ in rules }
                #expect(lasting.sleepingCount == 3)
                _ = open(lasting)
                #expect(lasting.sleepingCount == 2, "there are three in all")
                lasting.change(capacity: 3, lifetime: 2) { _ in rules }
                runs.advance(10)
                lasting.tick([], now: 0)
                #expect(lasting.sleepingCount == 0, "all are older than any may be now")
            }
        }
    }

    @Test func `sessions that end while the gateway stops stay in the database`() async throws {
        let runs = try Runs()
        try await withLoop { loop in
            try await runs.run(loop) { lasting in
                let sessions = [open(lasting), open(lasting)]
                lasting.suspend(sessions, now: 0)
                for session in sessions { lasting.ended(session) }
            }
            try await runs.run(loop) { lasting in #expect(lasting.sleepingCount == 2) }
        }
    }

    @Test func `a restored session's streams share no numbers with those of before`() throws {
        let log = EventLog(bytes: 1000, events: 10, age: 1000)
        let make = { (restored: SessionID?) in
            Session(
                restored: restored,
                owner: alice,
                server: "s",
                revision: .v2025_11_25,
                foundation: Foundation(),
                log: log,
                streamLimit: 4,
                now: 0
            )
        }
        let first = make(nil)
        let general = try #require(first.openStream(general: true)).number
        let answer = try #require(first.openStream(general: false)).number
        #expect(!first.isFormerGeneral(EventID(stream: general + 2, event: 0)), "it was never sent")
        let again = make(first.id)
        #expect(again.id == first.id)
        #expect(again.isFormerGeneral(EventID(stream: general, event: 5)))
        #expect(!again.isFormerGeneral(EventID(stream: answer, event: 5)))
        let new = try #require(again.openStream(general: true)).number
        #expect(new > 256 && new % 2 == 0)
        #expect(!again.isFormerGeneral(EventID(stream: new, event: 5)))
        #expect(try #require(make(first.id).openStream(general: true)).number != new)
    }
}

/// One disk for all of them, so that these run one by one.
@Suite(.serialized) struct LastingSessionsFaultTests {
    init() { faulty_disk_register() }

    @Test(arguments: [3, 100])
    func `what a full disk did not take is written when there is space`(_ capacity: Int) async throws {
        let runs = try Runs(disk: "faulty-1")
        faulty_disk_fail(1, 0, 0, 0)
        try await withLoop { loop in
            try await runs.begin(loop, capacity: capacity)
            let ended = Locked(0)
            let ids = Locked<[SessionID]>([])
            try await loop.run {
                let lasting = try runs.lasting()
                faulty_disk_fail(1, 1, .max, 13)
                let sessions = (0..<30).map { _ in open(lasting) }
                for session in sessions.dropLast(2) { lasting.ended(session) { ended.withLock { $0 += 1 } } }
                ids.withLock { $0 = sessions.suffix(2).map(\.id) }
            }
            try await loop.wait("all are told") { ended.withLock { $0 } == 28 }
            faulty_disk_fail(1, 0, 0, 0)
            try await loop.run { try runs.lasting().tick([], now: 0) }
            try await runs.end(loop)
            try await runs.run(loop, capacity: capacity) { lasting in
                #expect(lasting.sleepingCount == 2)
                for id in ids.withLock({ $0 }) { #expect(lasting.find(id, owner: alice, server: "s") != nil) }
            }
        }
    }
}
