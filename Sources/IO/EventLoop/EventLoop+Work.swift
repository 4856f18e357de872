// Gatehouse. SPDX-License-Identifier: MIT

import CUV

extension EventLoop {
    /// Runs `work` on the loop, after what was posted before it.
    ///
    /// From any thread; never runs it right away.
    ///
    /// However many are posted before the loop gets to look, it is woken once.
    package func post(_ work: @escaping @Sendable () -> Void) {
        put(.closure(work))
    }

    /// Runs `work` after the present callback has returned.
    ///
    /// Loop thread only.
    package func onNextTurn(_ work: @escaping () -> Void) {
        preconditionCurrent()
        nextTurn.append(work)
    }

    func put(_ work: Mailbox.Work) {
        if mailbox.put(work, onLoop: isCurrent) { wakeUp() }
    }

    /// Does what has gathered, before the loop waits for descriptors.
    ///
    /// Work that makes more work is followed for a few rounds only, so that descriptors get their turn.
    func turn() {
        for _ in 0..<16 {
            if runRound() { continue }
            flushGathering()
            if nextTurn.isEmpty {
                setBusy(false)
                if mailbox.isStopping { uv_stop(uv) }
                return
            }
        }
        flushGathering()
        setBusy(true)
        if mailbox.isStopping { uv_stop(uv) }
    }

    /// A stream has something to write at the end of the turn.
    func beginGathering(_ stream: ByteStream) {
        stream.isGathering = true
        stream.gathered = spareBytes
        spareBytes = []
        gathering.append(stream)
    }

    /// The memory of what was gathered comes back.
    func endGathering(_ bytes: consuming [UInt8]) {
        spareBytes = bytes
    }

    private func flushGathering() {
        guard !gathering.isEmpty else { return }
        var streams: [ByteStream] = []
        swap(&streams, &gathering)
        for stream in streams { stream.flushGathered() }
        streams.removeAll(keepingCapacity: streams.count <= 1024)
        if gathering.isEmpty { swap(&streams, &gathering) }
    }

    /// Whether there was anything to do.
    private func runRound() -> Bool {
        let hasWork = mailbox.take(&spareWork)
        if hasWork {
            var work: [Mailbox.Work] = []
            swap(&work, &spareWork)
            for item in work {
                switch item {
                case .closure(let closure): closure()
                case .job(let job): run(job)
                }
            }
            work.removeAll(keepingCapacity: work.count <= 1024)
            swap(&work, &spareWork)
        }
        guard !nextTurn.isEmpty else { return hasWork }
        var work: [() -> Void] = []
        swap(&work, &spareTurn)
        swap(&work, &nextTurn)
        for item in work { item() }
        work.removeAll(keepingCapacity: work.count <= 1024)
        swap(&work, &spareTurn)
        return true
    }
}

/// The loop as executor of actors and of tasks: one object for both, which makes changing between them cheap.
extension EventLoop: SerialExecutor, TaskExecutor {
    package func enqueue(_ job: consuming ExecutorJob) {
        put(.job(UnownedJob(job)))
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    package func asUnownedTaskExecutor() -> UnownedTaskExecutor {
        UnownedTaskExecutor(ordinary: self)
    }

    package func isIsolatingCurrentContext() -> Bool? { isCurrent }

    package func checkIsolated() { preconditionCurrent() }

    private func run(_ job: UnownedJob) {
        job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }
}
