// Gatehouse. SPDX-License-Identifier: MIT

/// When a server that died may be started again.
///
/// Each restart in a row waits twice as long as the one before; an answered call or running for a while makes up for all of
/// them.
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
    private var restarts = 0
    private var started: UInt64 = 0
    private var died: UInt64 = 0
    /// Whether the server ever died.
    package private(set) var hasDied = false

    /// Starts with nothing to make up for.
    ///
    /// - Parameter limit: Restarts in a row; 0 for none at all, nil for as many as it takes.
    package init(limit: Int?) {
        self.limit = limit
    }

    /// The server was started.
    package mutating func noteStart(at now: UInt64) {
        started = now
    }

    /// The server answered a call, so that it is of use however short it lives.
    package mutating func noteAnswer() {
        restarts = 0
    }

    /// The server died.
    package mutating func noteDeath(at now: UInt64) {
        died = now
        hasDied = true
        if now - started >= Self.stableTime { restarts = 0 }
    }

    /// Asks for a restart, which counts as one.
    package mutating func restart(at now: UInt64) -> Verdict {
        if let limit, restarts >= limit { return .giveUp }
        let delay = min(Self.firstDelay << UInt64(min(restarts, 16)), Self.longestDelay)
        restarts = min(restarts + 1, 1 << 16)
        let since = now - died
        return .start(after: since >= delay ? 0 : delay - since)
    }
}
