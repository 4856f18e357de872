// Gatehouse. SPDX-License-Identifier: MIT

import Testing

@testable import Backends

@Suite struct WarmPoolTests {
    @Test func `it is filled one after the other, up to its size`() {
        var pool = WarmPool(size: 2)
        var starts = 0
        while pool.wantsStart(at: 0) {
            #expect(pool.wantsStart(at: 0) == false, "one is being started")
            pool.noteReady(at: 0)
            starts += 1
        }
        #expect(starts == 2 && pool.ready == 2)
    }

    @Test func `an empty one starts nothing`() {
        var pool = WarmPool(size: 0)
        #expect(pool.wantsStart(at: 0) == false)
    }

    @Test func `one that is handed out is replaced at once`() {
        var pool = WarmPool(size: 1, restarts: RestartPolicy(limit: nil) { $0 })
        #expect(pool.wantsStart(at: 0) == true)
        pool.noteReady(at: 0)
        pool.noteTaken()
        #expect(pool.wantsStart(at: 0) == true)
    }

    @Test func `after failures it waits, each time twice as long`() {
        var pool = WarmPool(size: 1, restarts: RestartPolicy(limit: nil) { $0 })
        var waits: [UInt64] = []
        var now: UInt64 = 0
        for _ in 0..<5 {
            let begin = now
            while !pool.wantsStart(at: now) { now += 1 }
            waits.append(now - begin)
            pool.noteFailure(wasReady: false, at: now)
        }
        #expect(waits == [0, 100, 200, 400, 800])
    }

    @Test func `those that die while they are ready are no storm either`() {
        var pool = WarmPool(size: 1, restarts: RestartPolicy(limit: nil) { $0 })
        #expect(pool.wantsStart(at: 0) == true)
        pool.noteReady(at: 0)
        pool.noteFailure(wasReady: true, at: 1)
        #expect(pool.ready == 0)
        #expect(pool.wantsStart(at: 100) == false)
        #expect(pool.wantsStart(at: 101) == true)
    }

    @Test func `want of a place is no failure`() {
        var pool = WarmPool(size: 1, restarts: RestartPolicy(limit: nil) { $0 })
        #expect(pool.wantsStart(at: 0) == true)
        pool.noteNoRoom()
        #expect(pool.wantsStart(at: 0) == true)
    }
}
