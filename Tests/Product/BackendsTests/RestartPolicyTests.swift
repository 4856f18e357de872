// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Testing

@Suite struct RestartPolicyTests {
    @Test func `each restart in a row waits twice as long`() {
        var policy = RestartPolicy(limit: 4) { $0 }
        var waits: [UInt64] = []
        for _ in 0..<4 {
            policy.noteStart(at: 1000)
            policy.noteDeath(at: 1000)
            if case .start(let wait) = policy.verdict(at: 1000) { waits.append(wait) }
        }
        #expect(waits == [100, 200, 400, 800])
        policy.noteStart(at: 1000)
        policy.noteDeath(at: 1000)
        #expect(policy.verdict(at: 1000) == .giveUp)
    }

    @Test func `time that has passed since the death counts`() {
        var policy = RestartPolicy(limit: 3) { $0 }
        policy.noteStart(at: 0)
        policy.noteDeath(at: 10)
        #expect(policy.verdict(at: 70) == .start(after: 40))
        policy.noteStart(at: 110)
        policy.noteDeath(at: 110)
        #expect(policy.verdict(at: 5000) == .start(after: 0))
    }

    @Test func `running for a while makes up for earlier deaths`() {
        var policy = RestartPolicy(limit: 1) { $0 }
        policy.noteStart(at: 0)
        policy.noteDeath(at: 1)
        #expect(policy.verdict(at: 1) == .start(after: 100))
        policy.noteStart(at: 101)
        policy.noteDeath(at: 60_101)
        #expect(policy.verdict(at: 60_101) == .start(after: 100))
        policy.noteStart(at: 60_201)
        policy.noteDeath(at: 60_202)
        #expect(policy.verdict(at: 60_202) == .giveUp)
    }

    @Test func `an answered call makes up for earlier deaths`() {
        var policy = RestartPolicy(limit: 1) { $0 }
        policy.noteDeath(at: 0)
        #expect(policy.verdict(at: 0) == .start(after: 100))
        policy.noteStart(at: 100)
        policy.noteAnswer()
        policy.noteDeath(at: 200)
        #expect(policy.verdict(at: 200) == .start(after: 100))
        policy.noteStart(at: 300)
        policy.noteDeath(at: 400)
        #expect(policy.verdict(at: 400) == .giveUp)
    }

    @Test func `without a limit nothing is given up`() {
        var policy = RestartPolicy(limit: nil) { $0 }
        policy.noteDeath(at: 0)
        for _ in 0..<1000 {
            #expect(policy.verdict(at: 0) != .giveUp)
            policy.noteStart(at: 0)
        }
    }

    @Test func `a start that was never tried does not count, one that failed does`() {
        var policy = RestartPolicy(limit: 2) { $0 }
        policy.noteFailedStart(at: 0)
        #expect(!policy.hasDied)
        policy.noteDeath(at: 0)
        // Refused again and again, for want of room.
        for _ in 0..<10 { #expect(policy.verdict(at: 0) == .start(after: 100)) }
        policy.noteFailedStart(at: 500)
        #expect(policy.verdict(at: 500) == .start(after: 200))
        policy.noteFailedStart(at: 700)
        #expect(policy.verdict(at: 700) == .giveUp)
    }

    @Test func `waits are longer by chance, by a quarter at most`() {
        var policy = RestartPolicy(limit: nil)
        policy.noteDeath(at: 0)
        var waits: Set<UInt64> = []
        for _ in 0..<1000 {
            if case .start(let wait) = policy.verdict(at: 0) { waits.insert(wait) }
        }
        #expect(waits.isSubset(of: 100...125) && waits.count > 1)
    }

    @Test func `a server that may not restart does not`() {
        var policy = RestartPolicy(limit: 0) { $0 }
        #expect(!policy.hasDied)
        policy.noteDeath(at: 1)
        #expect(policy.hasDied)
        #expect(policy.verdict(at: 100_000) == .giveUp)
    }

    @Test func `no wait is longer than half a minute`() {
        var policy = RestartPolicy(limit: 100) { $0 }
        var longest: UInt64 = 0
        for _ in 0..<100 {
            policy.noteDeath(at: 0)
            if case .start(let wait) = policy.verdict(at: 0) { longest = max(longest, wait) }
            policy.noteStart(at: 0)
        }
        #expect(longest == 30_000)
    }
}
