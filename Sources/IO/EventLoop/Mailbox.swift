// Gatehouse. SPDX-License-Identifier: MIT

/// What other threads have for a loop, in order.
final class Mailbox: Sendable {
    enum Work {
        case closure(@Sendable () -> Void)
        case job(UnownedJob)
    }

    private struct State {
        var work: [Work] = []
        /// Whether the loop was woken since it last looked.
        var isSignalled = false
        var isStopping = false
        var isClosed = false
    }

    private let state = Locked(State())

    var isStopping: Bool { state.withLock { $0.isStopping } }

    func stop() { state.withLock { $0.isStopping = true } }

    /// Appends work; whether the loop has to be woken for it.
    ///
    /// Once per batch: not again until the loop has taken what is there. A loop never has to wake itself.
    func put(_ work: Work, onLoop: Bool) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.work.append(work)
            guard !onLoop, !state.isSignalled else { return false }
            state.isSignalled = true
            return true
        }
    }

    /// Takes everything, leaving `spare` (empty) as the storage for what comes next.
    func take(_ spare: inout [Work]) -> Bool {
        state.withLock { state in
            state.isSignalled = false
            guard !state.work.isEmpty else { return false }
            swap(&state.work, &spare)
            return true
        }
    }

    var isEmpty: Bool { state.withLock { $0.work.isEmpty } }

    /// Drops everything, now and later.
    func close() {
        let dropped = state.withLock { state in
            state.isClosed = true
            defer { state.work = [] }
            return state.work
        }
        _ = dropped  // Freed outside the lock: what a closure holds may post from its deinit.
    }
}
