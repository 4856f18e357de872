// Gatehouse. SPDX-License-Identifier: MIT

package import Diagnostics
package import EventLoop

/// Bounds on what waits to be written.
package struct StoreLimits: Sendable {
    /// Writes that wait; the next is refused.
    package var writes = 16_384
    /// Bytes that they hold together; what would be more is refused.
    package var bytes = 16 << 20
    /// Milliseconds for which writes are gathered into one transaction.
    package var delay: UInt64 = 100

    /// The defaults.
    package init() {}
}

/// Writes to a database from a loop that must not wait: a thread of its own does.
///
/// It starts with an open database. What is to be written waits here and is committed together, at most every 100 ms, or
/// at once if somebody asks; the next batch waits until the last is done. A disk that fails or is full is no end: the
/// writes of that batch fail, which their owners are told, and later ones are tried again. It ends with `close`, after all
/// that waits was written.
///
/// One loop's.
package final class Store {
    /// Hears whether a write is durable: nil, or why not.
    package typealias Completion = (StoreFailure?) -> Void

    private struct Write {
        let changes: [StoreChange]
        let size: Int
        let completion: Completion?
    }

    private let loop: EventLoop
    private let thread: EventLoop
    private let database: LoopBound<Database>
    private let limits: StoreLimits
    private let log: Log
    private var queue: [Write] = []
    private var queuedBytes = 0
    private var timer: LoopTimer?
    private var isWriting = false
    /// Whether what waits is to be written without waiting for more.
    private var isUrgent = false
    /// Those who wait for batches to be done: up to which, counted from the first.
    private var flushes: [(batch: Int, completion: () -> Void)] = []
    private var submitted = 0
    private var hasClosed = false
    /// Whether the last batch failed.
    package private(set) var isFailing = false
    /// Batches that were committed.
    package private(set) var commits = 0
    /// Batches that failed.
    package private(set) var failures = 0
    /// Writes that wait.
    package var waiting: Int { queue.count }

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - database: The database; from now on it is the thread's.
    ///   - loop: Where changes come from and completions go.
    ///   - limits: What may wait.
    ///   - log: Where it is said, once each, that writing fails and that it works again.
    /// - Throws: Why there is no thread.
    package init(
        _ database: Database,
        on loop: EventLoop,
        limits: StoreLimits = StoreLimits(),
        log: Log
    ) throws(IOFailure) {
        self.loop = loop
        self.limits = limits
        self.log = log.of(.store)
        thread = try EventLoop(name: "gatehouse-store")
        self.database = LoopBound(database, thread)
        try thread.start()
        timer = LoopTimer(loop) { [weak self] in self?.submit() }
    }

    deinit {
        if !hasClosed { thread.stop() }
    }

    /// Takes changes that are carried out together or not at all.
    ///
    /// - Parameters:
    ///   - changes: The changes. They must be such that they may be carried out again.
    ///   - isUrgent: Whether they are committed as soon as possible, rather than with others.
    ///   - completion: Is told on the loop, later, whether they are durable.
    package func write(_ changes: [StoreChange], isUrgent: Bool = false, _ completion: Completion? = nil) {
        let size = changes.reduce(0) { $0 + $1.size }
        if let refusal = refusal(of: size) {
            if let completion { loop.onNextTurn { completion(refusal) } }
            return
        }
        queue.append(Write(changes: changes, size: size, completion: completion))
        queuedBytes += size
        if isUrgent { self.isUrgent = true }
        schedule()
    }

    private func refusal(of size: Int) -> StoreFailure? {
        if hasClosed { return StoreFailure(.closed, "the database is closed") }
        guard queue.count < limits.writes, queuedBytes + size <= limits.bytes else {
            return StoreFailure(.overloaded, "too much waits to be written")
        }
        return nil
    }

    /// Writes what waits at once; calls back when all that was taken before is durable or has failed.
    package func flush(_ completion: @escaping () -> Void) {
        guard isWriting || !queue.isEmpty else { return loop.onNextTurn(completion) }
        flushes.append((submitted + (queue.isEmpty ? 0 : 1), completion))
        isUrgent = !queue.isEmpty
        schedule()
    }

    /// Writes what waits, closes the database and ends the thread; calls back when that is done.
    package func close(_ completion: @escaping () -> Void) {
        guard !hasClosed else { return loop.onNextTurn(completion) }
        hasClosed = true
        flush { [self] in
            timer?.close()
            let done = LoopBound(completion, loop)
            thread.post { [database, thread, loop] in
                database.value.close()
                loop.post {
                    thread.stop()
                    thread.join()
                    done.value()
                }
            }
        }
    }

    private func schedule() {
        guard !isWriting, let timer else { return }
        if isUrgent {
            timer.cancel()
            submit()
        } else if !timer.isScheduled {
            timer.schedule(after: limits.delay)
        }
    }

    /// Hands a batch to the thread.
    private func submit() {
        guard !isWriting, !queue.isEmpty else { return }
        isWriting = true
        isUrgent = false
        submitted += 1
        let batch = queue
        queue = []
        queuedBytes = 0
        let changes = batch.map(\.changes)
        let held = LoopBound((self, batch), loop)
        thread.post { [database, loop] in
            let results = database.value.apply(changes)
            loop.post {
                let (store, batch) = held.value
                store.finished(batch, results)
            }
        }
    }

    private func finished(_ batch: [Write], _ results: [StoreFailure?]) {
        isWriting = false
        note(results)
        let done = flushes.filter { $0.batch <= submitted }
        flushes.removeAll { $0.batch <= submitted }
        for (write, result) in zip(batch, results) { write.completion?(result) }
        for flush in done { flush.completion() }
        if !queue.isEmpty { schedule() }
    }

    /// Counts, and says so when writing begins to fail and when it works again.
    private func note(_ results: [StoreFailure?]) {
        for case let mistake? in results where mistake.kind == .rejected {
            log.error("a change was refused: \(mistake.description)")
        }
        let failure = results.compactMap { $0 }.first { $0.kind != .rejected }
        if let failure {
            failures += 1
            if !isFailing {
                log.error("nothing can be written: \(failure.description); a crash would forget what is new")
            }
        } else {
            commits += 1
            if isFailing { log.info("writing works again") }
        }
        isFailing = failure != nil
    }
}
