// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop

/// What the conversations of a federation have in common.
package struct FederationSettings {
    /// What stands between a server's name and a tool's where both are needed.
    package var separator = "_"
    /// Milliseconds that a server is waited for where all are asked.
    ///
    /// One that takes longer is left out, and what it says then is told as a change.
    package var memberDeadline: UInt64 = 5_000
    /// Milliseconds that a caller has to come back with what it was asked for.
    package var patience: UInt64 = 300_000
    /// Calls of one session that may wait.
    package var inFlight = 128
    /// Calls of one principal without a session that may wait.
    package var connections = 10_000
    /// Milliseconds after which what is known about a principal without a session is forgotten.
    package var idleLimit: UInt64 = 1_800_000
    /// Where it is said what happens; nil says nothing.
    package var log: ((String) -> Void)?

    /// The usual ones.
    package init() {}
}

/// Something that several servers are asked at once: over when all have answered, or when their time is.
final class Fanout {
    private var open: Int
    private var isOverdue = false
    private let isEnough: () -> Bool
    private var timer: LoopTimer?
    private var completion: (() -> Void)?

    /// Asks so many; with none of them it is over with `begin`.
    ///
    /// - Parameters:
    ///   - count: How many are asked.
    ///   - loop: Where this lives.
    ///   - deadline: Milliseconds after which those that are missing are not waited for,
    ///   - isEnough: if what came is enough; else until it is, or all have settled.
    ///   - completion: Hears that it is over.
    init(
        asking count: Int,
        on loop: EventLoop,
        deadline: UInt64,
        isEnough: @escaping () -> Bool,
        _ completion: @escaping () -> Void
    ) {
        open = count
        self.isEnough = isEnough
        self.completion = completion
        guard count > 0 else { return }
        timer = LoopTimer(loop) { [weak self] in
            self?.isOverdue = true
            self?.finishIfEnough()
        }
        timer?.schedule(after: deadline)
    }

    /// Is over at once if nobody was asked.
    func begin() {
        if open == 0 { finish() }
    }

    /// One of them has answered, or will not.
    func settle() {
        open -= 1
        if open == 0 { finish() } else { finishIfEnough() }
    }

    private func finishIfEnough() {
        if isOverdue, isEnough() { finish() }
    }

    /// Nobody waits for it any more.
    func abandon() {
        completion = nil
        timer?.close()
    }

    private func finish() {
        timer?.close()
        completion.take()?()
    }
}
