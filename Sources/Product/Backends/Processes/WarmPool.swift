// Gatehouse. SPDX-License-Identifier: MIT

/// When processes are started to be kept ready, and when one that failed is made up for.
///
/// One at a time, so that keeping ready is never a storm: after one that failed, or that died while it was kept, the next
/// waits as `RestartPolicy` says.
struct WarmPool {
    private let size: Int
    /// How many are ready.
    private(set) var ready = 0
    private var isStarting = false
    private var restarts: RestartPolicy
    private var notBefore: UInt64 = 0

    /// Starts empty.
    ///
    /// - Parameters:
    ///   - size: How many are to be ready.
    ///   - restarts: How long it waits after failures.
    init(size: Int, restarts: RestartPolicy = RestartPolicy(limit: nil)) {
        self.size = size
        self.restarts = restarts
    }

    /// Asks whether one should be started now; then `noteReady` or `noteFailure` follows.
    mutating func wantsStart(at now: UInt64) -> Bool {
        guard !isStarting, ready < size, now >= notBefore else { return false }
        isStarting = true
        return true
    }

    /// It was not started after all, for want of a place.
    mutating func noteNoRoom() {
        isStarting = false
    }

    /// It is ready.
    mutating func noteReady(at now: UInt64) {
        isStarting = false
        ready += 1
        restarts.noteStart(at: now)
    }

    /// One that was ready is handed out: it was of use.
    mutating func noteTaken() {
        ready -= 1
        restarts.noteAnswer()
    }

    /// One that was ready had to give way, or is ended with the rest.
    mutating func noteEnded() {
        ready -= 1
    }

    /// One could not be started, or died while it was ready.
    mutating func noteFailure(wasReady: Bool, at now: UInt64) {
        if wasReady {
            ready -= 1
        } else {
            isStarting = false
            restarts.noteFailedStart(at: now)
        }
        restarts.noteDeath(at: now)
        if case .start(let delay) = restarts.verdict(at: now) { notBefore = now &+ delay }
    }
}
