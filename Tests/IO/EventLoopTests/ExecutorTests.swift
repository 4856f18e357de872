// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import TestSupport
import Testing

// These ask for thread identity, so they must hold with optimisation too: run them with `-c release` as well.

private actor Counter {
    let loop: EventLoop
    var count = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(_ loop: EventLoop) { self.loop = loop }

    func add(_ step: Int) -> Bool {
        count += step
        return loop.isCurrent
    }

    /// State first, then a nonisolated callee: the order in which the hop is kept.
    func addAcross() async -> Bool {
        count += 1
        loop.preconditionCurrent()
        await elsewhere()
        return loop.isCurrent
    }

    func waitForCallback() async -> Bool {
        let loop = loop
        await withCheckedContinuation { continuation in
            var timer: LoopTimer?
            timer = LoopTimer(loop) {
                timer?.close()
                timer = nil
                continuation.resume()
            }
            timer?.schedule(after: 1)
        }
        return loop.isCurrent
    }
}

@concurrent private func elsewhere() async {}

@Suite struct `A loop as executor` {
    @Test func `runs actors that name it on its thread`() async throws {
        try await withLoop { loop in
            let counter = Counter(loop)
            for _ in 0..<100 { #expect(await counter.add(1)) }
            #expect(await counter.addAcross())
            #expect(await counter.waitForCallback())
            #expect(await counter.count == 101)
            #expect(!loop.isCurrent)
        }
    }

    @Test func `keeps a task that prefers it, through async calls and child tasks`() async throws {
        try await withLoop { loop in
            let counter = Counter(loop)
            let stayed = await Task(executorPreference: loop) {
                var stayed = [loop.isCurrent]
                await elsewhere()
                stayed.append(loop.isCurrent)
                async let child = loop.isCurrent
                stayed.append(await child)
                stayed.append(await counter.add(1))
                await Task.yield()
                stayed.append(loop.isCurrent)
                return stayed
            }.value
            #expect(stayed == [true, true, true, true, true])
        }
    }

    @Test func `is the isolation of its actors inside plain callbacks`() async throws {
        try await withLoop { loop in
            let counter = Counter(loop)
            try await loop.run {
                counter.preconditionIsolated()
                counter.assumeIsolated { $0.count += 5 }
            }
            #expect(await counter.count == 5)
            #expect(loop.isIsolatingCurrentContext() == false)
        }
    }

    @Test func `serves many tasks and two loops that call each other`() async throws {
        try await withLoop { one in
            try await withLoop { other in
                let counters = [Counter(one), Counter(other)]
                await withTaskGroup { group in
                    for task in 0..<20 {
                        group.addTask(executorPreference: task % 2 == 0 ? one : other) {
                            for step in 0..<50 { _ = await counters[step % 2].add(1) }
                        }
                    }
                }
                #expect(await counters[0].count == 500)
                #expect(await counters[1].count == 500)
            }
        }
    }

    @Test func `traps when something of the loop is used elsewhere`() async {
        await #expect(processExitsWith: .failure) {
            let loop = try EventLoop(name: "test")
            try loop.start()
            loop.preconditionCurrent()
        }
        await #expect(processExitsWith: .failure) {
            let loop = try EventLoop(name: "test")
            try loop.start()
            _ = LoopBound(1, loop).value
        }
    }
}
