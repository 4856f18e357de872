// Gatehouse. SPDX-License-Identifier: MIT

/// When a server that died may be started again.
///
/// Each restart in a row waits twice as long as the one before, and a little longer by chance, so that many that died at once
/// do not come back at once; an answered call or running for a while makes up for all of them. Only what was tried counts:
/// a start that was refused for want of room says nothing about the server.
package struct RestartPolicy: Sendable {
    /// What to do for a call that finds the server dead.
    package enum Verdict: Sendable, Equatable {
        /// Start it after this many milliseconds.
        case start(after: UInt64)
        /// Leave it dead.
        case giveUp
    }

    /// Milliseconds that the first restart waits after the death.
    static let firstDelay: UInt64 = 100
    /// Milliseconds that no restart waits longer than.
    static let longestDelay: UInt64 = 30_000
    /// Milliseconds of running after which earlier deaths no longer count.
    static let stableTime: UInt64 = 60_000

    private let limit: Int?
    private let scatter: @Sendable (UInt64) -> UInt64
    private var restarts = 0
    private var started: UInt64 = 0
    private var died: UInt64 = 0
    /// Whether the server ever died.
    package private(set) var hasDied = false
    /// Whether it is dead, so that the next start is a restart.
    private var isDead = false

    /// Starts with nothing to make up for.
    ///
    /// - Parameters:
    ///   - limit: Restarts in a row; 0 for none at all, nil for as many as it takes.
    ///   - scatter: Lengthens a wait by chance.
    package init(limit: Int?, scatter: @escaping @Sendable (UInt64) -> UInt64 = Self.scattered) {
        self.limit = limit
        self.scatter = scatter
    }

    /// A wait, or up to a quarter more.
    package static let scattered: @Sendable (UInt64) -> UInt64 = { $0 + UInt64.random(in: 0...$0 / 4) }

    /// The server was started; in the place of one that died, that is a restart.
    package mutating func noteStart(at now: UInt64) {
        started = now
        count()
        isDead = false
    }

    /// The server could not be started in the place of one that died.
    package mutating func noteFailedStart(at now: UInt64) {
        guard isDead else { return }
        died = now
        count()
    }

    private mutating func count() {
        if isDead { restarts = min(restarts + 1, 1 << 16) }
    }

    /// The server answered a call, so that it is of use however short it lives.
    package mutating func noteAnswer() {
        restarts = 0
    }

    /// The server died.
    package mutating func noteDeath(at now: UInt64) {
        died = now
        hasDied = true
        isDead = true
        if now - started >= Self.stableTime { restarts = 0 }
    }

    /// Whether it may be restarted, and when.
    package func verdict(at now: UInt64) -> Verdict {
        if let limit, restarts >= limit { return .giveUp }
        let delay = scatter(min(Self.firstDelay << UInt64(min(restarts, 16)), Self.longestDelay))
        let since = now - died
        return .start(after: since >= delay ? 0 : delay - since)
    }
}
