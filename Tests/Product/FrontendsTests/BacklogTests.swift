// Gatehouse. SPDX-License-Identifier: MIT

import Testing

@testable import Frontends

@Suite struct BacklogTests {
    @Test func `up to the limit it may wait for ever`() {
        var backlog = Backlog(limit: 10, ceiling: 100)
        for now: UInt64 in [0, 5_000, 1_000_000] {
            let isIn = backlog.admits(pending: 10, taken: 0, at: now)
            #expect(isIn)
        }
    }

    @Test func `past the limit a client that takes something stays, one that does not is given up`() {
        var backlog = Backlog(limit: 10, ceiling: 100)
        let steps: [(pending: Int, taken: Int, now: UInt64, isIn: Bool)] = [
            (10, 0, 7_000, true), (50, 0, 7_001, true), (60, 0, 7_999, true), (60, 1, 8_500, true),
            (60, 1, 9_499, true), (60, 1, 9_500, false), (60, 2, 9_501, true), (5, 2, 20_000, true),
            (50, 2, 20_999, true), (50, 2, 21_000, false),
        ]
        for step in steps {
            let isIn = backlog.admits(pending: step.pending, taken: step.taken, at: step.now)
            #expect(isIn == step.isIn, "at \(step.now)")
        }
    }

    @Test func `past the ceiling nobody stays`() {
        var backlog = Backlog(limit: 10, ceiling: 100)
        let last = backlog.admits(pending: 100, taken: 5, at: 0)
        let further = backlog.admits(pending: 101, taken: 6, at: 0)
        #expect(last && !further)
        var narrow = Backlog(limit: 10, ceiling: 0)
        let isIn = narrow.admits(pending: 10, taken: 0, at: 0)
        #expect(isIn)
    }
}
