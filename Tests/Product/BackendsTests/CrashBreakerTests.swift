// Gatehouse. SPDX-License-Identifier: MIT

import Testing

@testable import Backends

@Suite struct CrashBreakerTests {
    private func opened(at now: UInt64) -> CrashBreaker {
        var breaker = CrashBreaker()
        for _ in 0..<CrashBreaker.deaths { breaker.noteDeath(at: now) }
        return breaker
    }

    @Test func `five deaths within ten seconds open it`() {
        var breaker = CrashBreaker()
        for time: UInt64 in [0, 2000, 4000, 6000] { breaker.noteDeath(at: time) }
        #expect(breaker.ask(at: 6000) == .start)
        breaker.noteDeath(at: 9999)
        #expect(breaker.ask(at: 9999) == .refuse(retryAfter: 1000))
        #expect(breaker.openings == 1)
    }

    @Test func `five deaths over a longer time do not`() {
        var breaker = CrashBreaker()
        for time: UInt64 in [0, 3000, 6000, 9000, 10_000, 13_000] { breaker.noteDeath(at: time) }
        #expect(breaker.ask(at: 13_000) == .start)
    }

    @Test func `an answer makes up for earlier deaths`() {
        var breaker = CrashBreaker()
        for time: UInt64 in 0..<4 { breaker.noteDeath(at: time) }
        breaker.noteAnswer()
        breaker.noteDeath(at: 5)
        #expect(!breaker.isOpen)
    }

    @Test func `when its time is over one may try, and the others wait for that one`() {
        var breaker = opened(at: 100)
        #expect(breaker.ask(at: 1099) == .refuse(retryAfter: 1))
        #expect(breaker.ask(at: 1100) == .start)
        #expect(breaker.ask(at: 1100) == .refuse(retryAfter: 1000))
        breaker.noteAnswer()
        #expect(breaker.ask(at: 1101) == .start)
        #expect(breaker.ask(at: 1101) == .start)
    }

    @Test func `a try that was greeted lets all through, until the next dies`() {
        var breaker = opened(at: 0)
        #expect(breaker.ask(at: 1000) == .start)
        breaker.noteGreeting(at: 1500)
        #expect(breaker.ask(at: 1500) == .start && !breaker.isOpen)
        breaker.noteDeath(at: 2000)
        #expect(breaker.ask(at: 2000) == .refuse(retryAfter: 2000))
        #expect(breaker.ask(at: 4000) == .start)
        breaker.noteGreeting(at: 4000)
        breaker.noteAnswer()
        breaker.noteDeath(at: 4001)
        #expect(breaker.ask(at: 4001) == .start, "an answer makes up for everything")
    }

    @Test func `a greeting means nothing while nobody tries`() {
        var breaker = opened(at: 0)
        breaker.noteGreeting(at: 1)
        #expect(breaker.ask(at: 1) == .refuse(retryAfter: 999))
        var fresh = CrashBreaker()
        fresh.noteGreeting(at: 1)
        fresh.noteDeath(at: 2)
        #expect(!fresh.isOpen)
    }

    @Test func `a try that fails opens it for twice as long, up to a minute`() {
        var breaker = opened(at: 0)
        var now: UInt64 = 0
        var pauses: [UInt64] = []
        for _ in 0..<8 {
            guard case .refuse(let wait) = breaker.ask(at: now) else { break }
            pauses.append(wait)
            now += wait
            #expect(breaker.ask(at: now) == .start)
            breaker.noteDeath(at: now)
        }
        #expect(pauses == [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
    }

    @Test func `a try of which nothing is heard lets another one go after a while`() {
        var breaker = opened(at: 0)
        #expect(breaker.ask(at: 1000) == .start)
        #expect(breaker.ask(at: 30_999) == .refuse(retryAfter: 1000))
        #expect(breaker.ask(at: 31_000) == .start)
    }

    @Test func `deaths of those that were started before it opened change nothing`() {
        var breaker = opened(at: 0)
        for _ in 0..<100 { breaker.noteDeath(at: 500) }
        #expect(breaker.ask(at: 999) == .refuse(retryAfter: 1))
        #expect(breaker.openings == 1)
    }

    @Test func `a try that is given up lets another one go, and does not count as a death`() {
        var breaker = opened(at: 100)
        #expect(breaker.ask(at: 1100) == .start)
        breaker.noteTryGivenUp(at: 1200)
        #expect(breaker.isOpen)
        #expect(breaker.ask(at: 1200) == .start)
        #expect(breaker.ask(at: 1200) == .refuse(retryAfter: 1000))
        breaker.noteDeath(at: 1300)
        // Nothing is given up where nobody tries.
        breaker.noteTryGivenUp(at: 1300)
        #expect(breaker.ask(at: 1300) == .refuse(retryAfter: 2000))
    }
}
