// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Testing

@Suite struct RestartPolicyTests {
    @Test func `each restart in a row waits twice as long`() {
        var policy = RestartPolicy(limit: 4)
        var waits: [UInt64] = []
        for _ in 0..<4 {
            policy.noteStart(at: 1000)
            policy.noteDeath(at: 1000)
            if case .start(let wait) = policy.restart(at: 1000) { waits.append(wait) }
        }
        #expect(waits == [100, 200, 400, 800])
        #expect(policy.restart(at: 1000) == .giveUp)
    }

    @Test func `time that has passed since the death counts`() {
        var policy = RestartPolicy(limit: 3)
        policy.noteStart(at: 0)
        policy.noteDeath(at: 10)
        #expect(policy.restart(at: 70) == .start(after: 40))
        policy.noteStart(at: 110)
        policy.noteDeath(at: 110)
        #expect(policy.restart(at: 5000) == .start(after: 0))
    }

    @Test func `running for a while makes up for earlier deaths`() {
        var policy = RestartPolicy(limit: 1)
        policy.noteStart(at: 0)
        policy.noteDeath(at: 1)
        #expect(policy.restart(at: 1) == .start(after: 100))
        policy.noteStart(at: 101)
        policy.noteDeath(at: 60_101)
        #expect(policy.restart(at: 60_101) == .start(after: 100))
        policy.noteStart(at: 60_201)
        policy.noteDeath(at: 60_202)
        #expect(policy.restart(at: 60_202) == .giveUp)
    }

    @Test func `an answered call makes up for earlier deaths`() {
        var policy = RestartPolicy(limit: 1)
        policy.noteDeath(at: 0)
        #expect(policy.restart(at: 0) == .start(after: 100))
        policy.noteAnswer()
        policy.noteDeath(at: 200)
        #expect(policy.restart(at: 200) == .start(after: 100))
        policy.noteDeath(at: 400)
        #expect(policy.restart(at: 400) == .giveUp)
    }

    @Test func `without a limit nothing is given up`() {
        var policy = RestartPolicy(limit: nil)
        for _ in 0..<1000 { #expect(policy.restart(at: 0) != .giveUp) }
    }

    @Test func `a server that may not restart does not`() {
        var policy = RestartPolicy(limit: 0)
        #expect(!policy.hasDied)
        policy.noteDeath(at: 1)
        #expect(policy.hasDied)
        #expect(policy.restart(at: 100_000) == .giveUp)
    }

    @Test func `no wait is longer than half a minute`() {
        var policy = RestartPolicy(limit: 100)
        var longest: UInt64 = 0
        for _ in 0..<100 {
            policy.noteDeath(at: 0)
            if case .start(let wait) = policy.restart(at: 0) { longest = max(longest, wait) }
        }
        #expect(longest == 30_000)
    }
}
