// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import Glibc
import Synchronization
import TestSupport
import Testing

@Suite struct `An event loop` {
    @Test func `runs what other threads post, in their order`() async throws {
        try await withLoop { loop in
            let seen = LoopBound(Log(), loop)
            await withTaskGroup { group in
                for producer in 0..<4 {
                    group.addTask {
                        for number in 0..<1000 {
                            loop.post { seen.value.entries[producer, default: []].append(number) }
                        }
                    }
                }
            }
            let entries = try await loop.run { seen.value.entries }
            #expect(
                entries == [0: Array(0..<1000), 1: Array(0..<1000), 2: Array(0..<1000), 3: Array(0..<1000)]
            )
        }
    }

    @Test func `has references that keep nothing and are empty once their object has gone`() {
        final class Owner {
            let reference = LoopReference<Owner>()
            init() { reference.set(self) }
            deinit { reference.clear() }
        }
        var owner: Owner? = Owner()
        let reference = owner?.reference
        #expect(reference?.object === owner)
        owner = nil
        #expect(reference != nil && reference?.object == nil)
    }

    private final class Log {
        var entries: [Int: [Int]] = [:]
    }
}

@Suite struct `Work on a loop` {
    @Test func `for the next turn runs after the present callback`() async throws {
        try await withLoop { loop in
            let log = LoopBound(Log(), loop)
            try await loop.run {
                loop.onNextTurn { log.value.words.append("later") }
                log.value.words.append("now")
            }
            let words = try await loop.run { log.value.words }
            #expect(words == ["now", "later"])
        }
    }

    @Test func `that goes on for ever does not keep timers from running`() async throws {
        try await withLoop { loop in
            let log = LoopBound(Log(), loop)
            try await loop.run {
                log.value.spin(loop)
                log.value.timer = LoopTimer(loop) { log.value.words.append("timer") }
                log.value.timer?.schedule(after: 1)
            }
            try await loop.wait("the timer") { log.value.words == ["timer"] }
            try await loop.run { log.value.isSpinning = false }
        }
    }

    @Test func `is dropped, not run, once the loop has ended`() async throws {
        let loop = try EventLoop(name: "test")
        try loop.start()
        loop.stop()
        loop.join()
        let token = Token()
        weak let observed: Token? = token
        post(to: loop, holding: consume token)
        #expect(observed == nil)
    }

    private func post(to loop: EventLoop, holding token: consuming Token) {
        loop.post { [token] in
            Issue.record("ran after the end")
            _ = token
        }
    }

    private final class Token: Sendable {}

    private final class Log {
        var words: [String] = []
        var timer: LoopTimer?
        var isSpinning = true

        func spin(_ loop: EventLoop) {
            if isSpinning { loop.onNextTurn { self.spin(loop) } }
        }
    }
}

@Suite struct `A timer` {
    @Test func `runs once, or until it is cancelled`() async throws {
        try await withLoop { loop in
            let state = LoopBound(State(), loop)
            try await loop.run {
                state.value.once = LoopTimer(loop) { state.value.onceCount += 1 }
                state.value.once?.schedule(after: 1)
                state.value.again = LoopTimer(loop) {
                    state.value.againCount += 1
                    if state.value.againCount == 3 { state.value.again?.cancel() }
                }
                state.value.again?.repeat(every: 1)
            }
            try await loop.wait("three runs") { state.value.againCount == 3 }
            try await loop.run {
                #expect(state.value.onceCount == 1)
                #expect(state.value.again?.isScheduled == false)
                state.value.again?.schedule(after: 0)
            }
            try await loop.wait("a fourth run") { state.value.againCount == 4 }
        }
    }

    @Test func `ends with the last reference to it, on any thread`() async throws {
        try await withLoop { loop in
            let observed = LoopBound(Weak(), loop)
            let timer = try await loop.run {
                let state = State()
                observed.value.state = state
                let timer = LoopTimer(loop) { state.onceCount += 1 }
                timer.repeat(every: 60000)
                return Box(timer)
            }
            timer.drop()
            try await loop.wait("the handler is released") { observed.value.state == nil }
        }
    }

    private final class State {
        var once: LoopTimer?
        var again: LoopTimer?
        var onceCount = 0
        var againCount = 0
    }

    private final class Weak {
        weak var state: State?
    }

    /// Takes a timer to another thread for the purpose of dropping it there.
    private final class Box: @unchecked Sendable {
        private var timer: LoopTimer?

        init(_ timer: LoopTimer) { self.timer = timer }

        func drop() { timer = nil }
    }
}

@Suite struct `Watchers` {
    @Test func `see a descriptor become readable, and rest when told`() async throws {
        try await withLoop { loop in
            let state = LoopBound(State(), loop)
            try await loop.run {
                var ends: [Int32] = [-1, -1]
                try #require(pipe(&ends) == 0)
                state.value.ends = ends
                state.value.watcher = try DescriptorWatcher(loop, descriptor: ends[0], events: .readable) {
                    events in
                    #expect(events == .readable)
                    state.value.count += 1
                    state.value.watcher?.update([])
                }
                #expect(throws: IOFailure.self) {
                    try DescriptorWatcher(loop, descriptor: ends[0], events: .readable) { _ in }
                }
                write(ends[1], "x", 1)
            }
            try await loop.wait("an event") { state.value.count == 1 }
            try await loop.run { state.value.watcher?.update(.readable) }
            try await loop.wait("another") { state.value.count == 2 }
            try await loop.run {
                state.value.watcher?.close()
                for end in state.value.ends { close(end) }
            }
        }
    }

    @Test func `see signals`() async throws {
        try await withLoop { loop in
            let state = LoopBound(State(), loop)
            let watcher = try await loop.run {
                LoopBound(try SignalWatcher(loop, signal: SIGWINCH) { state.value.count += 1 }, loop)
            }
            kill(getpid(), SIGWINCH)
            try await loop.wait("the signal") { state.value.count == 1 }
            try await loop.run { watcher.value.close() }
        }
    }

    private final class State {
        var ends: [Int32] = []
        var watcher: DescriptorWatcher?
        var count = 0
    }
}
