// Gatehouse. SPDX-License-Identifier: MIT

import Diagnostics
import EventLoop
import Store
import TestSupport
import Testing

/// What a test and its loop share.
private final class Run: Sendable {
    struct State {
        var store: LoopBound<Store>?
        var results: [StoreFailure?] = []
        var hasClosed = false
    }
    let state = Locked(State())

    var results: [StoreFailure?] { state.withLock { $0.results } }
    var hasClosed: Bool { state.withLock { $0.hasClosed } }

    /// The store; the loop's.
    func store() throws -> Store {
        try #require(state.withLock { $0.store }).value
    }

    func open(_ path: String, on loop: EventLoop, _ limits: StoreLimits = StoreLimits()) async throws {
        try await loop.run {
            let database = try Database(directory: path, schema: schema)
            let log = Log(level: .error, subsystem: .gateway)
            let store = try Store(database, on: loop, limits: limits, log: log)
            let bound = LoopBound(store, loop)
            self.state.withLock { $0.store = bound }
        }
    }

    func note(_ failure: StoreFailure?) {
        state.withLock { $0.results.append(failure) }
    }

    func close(on loop: EventLoop) async throws {
        try await loop.run { try self.store().close { self.state.withLock { $0.hasClosed = true } } }
        try await loop.wait("the store is closed") { self.hasClosed }
        state.withLock { $0.store = nil }
    }
}

@Suite struct StoreTests {
    /// Runs with a store of one's own, which is closed at the end; then what is in the database.
    private func rows(
        _ limits: StoreLimits = StoreLimits(),
        _ body: @escaping (EventLoop, Run) async throws -> Void
    ) async throws -> [Int] {
        let directory = try Directory()
        defer { directory.remove() }
        let run = Run()
        try await withLoop { loop in
            try await run.open(directory.path, on: loop, limits)
            try await body(loop, run)
            try await run.close(on: loop)
        }
        return try ids(Database(directory: directory.path, schema: schema))
    }

    @Test func `writes are gathered into one transaction`() async throws {
        let rows = try await rows { loop, run in
            try await loop.run {
                for id in 0..<100 { try run.store().write([put(id)]) { run.note($0) } }
                #expect(run.results.isEmpty, "nothing is answered in the middle of asking")
            }
            try await loop.wait("all are durable") { run.results.count == 100 }
            #expect(run.results.allSatisfy { $0 == nil })
            let commits = try await loop.run { try run.store().commits }
            #expect(commits == 1)
        }
        #expect(rows == Array(0..<100))
    }

    @Test func `an urgent write takes the others with it`() async throws {
        var limits = StoreLimits()
        limits.delay = 3_600_000
        let rows = try await rows(limits) { loop, run in
            try await loop.run {
                try run.store().write([put(1)]) { run.note($0) }
                try run.store().write([put(2)], isUrgent: true) { run.note($0) }
            }
            try await loop.wait("both are durable") { run.results.count == 2 }
            try await loop.run { try run.store().write([put(3)]) }
        }
        #expect(rows == [1, 2, 3], "closing writes what waits")
    }

    @Test func `flush tells when all that was taken before is written`() async throws {
        var limits = StoreLimits()
        limits.delay = 3_600_000
        _ = try await rows(limits) { loop, run in
            try await loop.run {
                let store = try run.store()
                store.write([put(1)], isUrgent: true)
                store.write([put(2)]) { run.note($0) }
                store.flush { run.note(StoreFailure(.closed, "flushed after \(store.commits)")) }
            }
            try await loop.wait("it is flushed") { run.results.count == 2 }
            #expect(run.results == [nil, StoreFailure(.closed, "flushed after 2")])
        }
    }

    @Test func `what would be too much is refused and so is what comes after the end`() async throws {
        var limits = StoreLimits()
        limits.delay = 3_600_000
        limits.writes = 2
        let rows = try await rows(limits) { loop, run in
            try await loop.run {
                for id in 0..<4 { try run.store().write([put(id)]) { run.note($0) } }
            }
            try await loop.wait("two are refused") { run.results.count == 2 }
            #expect(run.results.allSatisfy { $0?.kind == .overloaded })
            try await loop.run {
                let store = try run.store()
                store.close {}
                store.write([put(9)]) { run.note($0) }
            }
            try await loop.wait("all are answered") { run.results.count == 5 }
            #expect(run.results[2]?.kind == .closed)
        }
        #expect(rows == [0, 1])
    }
}
