// Gatehouse. SPDX-License-Identifier: MIT

/// Keeps a server whose processes die as soon as they are started from being started for everybody who asks.
///
/// One for each server, beside the `RestartPolicy` of each of its conversations. It is closed while the server works. After
/// five processes died within ten seconds without having answered a call, it is open: who needs a new process is told so at
/// once. When its time is over it lets one try, and is closed again once that process has answered; if it dies, the breaker
/// opens for twice as long. An answer to `initialize` alone closes it on trial: the next death opens it again.
package struct CrashBreaker: Sendable {
    /// What to do for one who needs a process.
    package enum Verdict: Sendable, Equatable {
        /// Start it.
        case start
        /// Start none; it may be worth asking again after so many milliseconds.
        case refuse(retryAfter: UInt64)
    }

    private enum State: Equatable {
        case closed
        /// Open until this time.
        case open(until: UInt64)
        /// One process is being tried since this time.
        case trying(since: UInt64)
    }

    /// How many deaths open it.
    static let deaths = 5
    /// Within how many milliseconds.
    static let window: UInt64 = 10_000
    /// For how many milliseconds it is open the first time.
    static let firstPause: UInt64 = 1_000
    /// For how many milliseconds it is open at most.
    static let longestPause: UInt64 = 60_000
    /// Milliseconds after which a try that came to nothing lets another one go.
    static let patience: UInt64 = 30_000

    private var state = State.closed
    /// When processes of no use died lately, at most as many as open it.
    private var recent: [UInt64] = []
    private var pause = firstPause
    /// How often it has opened.
    package private(set) var openings = 0

    /// Starts closed.
    package init() {}

    /// Whether it lets nobody through but one who tries.
    package var isOpen: Bool { state != .closed }

    /// Asks whether a process may be started; who is let through is expected to start one.
    package mutating func ask(at now: UInt64) -> Verdict {
        switch state {
        case .closed: return .start
        case .open(let until) where now < until: return .refuse(retryAfter: until - now)
        case .trying(let since) where now < since &+ Self.patience:
            return .refuse(retryAfter: Self.firstPause)
        case .open, .trying:
            state = .trying(since: now)
            return .start
        }
    }

    /// A process has answered a call: the server works.
    package mutating func noteAnswer() {
        guard state != .closed || !recent.isEmpty else { return }
        self = CrashBreaker(openings: openings)
    }

    /// The process that is tried has answered `initialize`: nobody has to wait until its client calls something.
    package mutating func noteGreeting(at now: UInt64) {
        guard case .trying = state else { return }
        state = .closed
        pause = min(pause * 2, Self.longestPause)
        recent = Array(repeating: now, count: Self.deaths - 1)
    }

    /// A process died, or could not be started, without having answered a call.
    package mutating func noteDeath(at now: UInt64) {
        switch state {
        case .closed:
            recent.removeAll { now - $0 >= Self.window }
            recent.append(now)
            if recent.count >= Self.deaths { open(at: now) }
        case .trying:
            pause = min(pause * 2, Self.longestPause)
            open(at: now)
        case .open:
            // One that was started before it opened; that says nothing new.
            break
        }
    }

    /// The try that was let through has been given up, and has shown nothing: another one may go at once.
    package mutating func noteTryGivenUp(at now: UInt64) {
        if case .trying = state { state = .open(until: now) }
    }

    private init(openings: Int) {
        self.openings = openings
    }

    private mutating func open(at now: UInt64) {
        state = .open(until: now &+ pause)
        recent = []
        openings += 1
    }
}
