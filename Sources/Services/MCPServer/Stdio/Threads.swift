// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import Glibc

/// Threads for what blocks: reading and writing pipes of any kind.
enum Threads {
    /// Runs something on a thread of its own, which ends with it.
    static func start(_ body: @escaping @Sendable () -> Void) {
        let context = Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, runBody, context.toOpaque())
        precondition(result == 0, "no thread for a pipe")
        pthread_detach(thread)
    }

    fileprivate final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}

/// A free function, because a closure written in isolated code would carry that isolation to the new thread and trap.
private func runBody(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<Threads.Body>.fromOpaque(context).takeRetainedValue().run()
    return nil
}

/// Something that tasks wait for until it is there; what comes later than the first is dropped.
final class Latch<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [CheckedContinuation<Value, Never>] = []
    }

    private let state = Locked(State())

    func open(_ value: Value) {
        let waiters = state.withLock { state in
            guard state.value == nil else { return [CheckedContinuation<Value, Never>]() }
            state.value = value
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: value) }
    }

    func wait() async -> Value {
        await withCheckedContinuation { continuation in
            let value = state.withLock { state in
                if state.value == nil { state.waiters.append(continuation) }
                return state.value
            }
            if let value { continuation.resume(returning: value) }
        }
    }
}

/// Bytes on their way from any thread to one that waits for them, up to a limit.
// Sendable, unchecked: what it holds is reached under its lock only.
final class ByteMailbox: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let filled = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let limit: Int
    private var bytes: [UInt8] = []
    private var isClosed = false

    init(limit: Int) {
        self.limit = limit
        pthread_mutex_init(lock, nil)
        pthread_cond_init(filled, nil)
    }

    deinit {
        pthread_cond_destroy(filled)
        pthread_mutex_destroy(lock)
        filled.deallocate()
        lock.deallocate()
    }

    /// Puts bytes in; false if it is closed, which it also is once the limit is reached.
    func put(_ more: [UInt8]) -> Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        guard !isClosed else { return false }
        guard bytes.count + more.count <= limit else {
            isClosed = true
            bytes = []
            pthread_cond_signal(filled)
            return false
        }
        bytes += more
        pthread_cond_signal(filled)
        return true
    }

    /// Waits for bytes and takes all of them; nil once it is closed and empty.
    func take() -> [UInt8]? {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while bytes.isEmpty {
            if isClosed { return nil }
            pthread_cond_wait(filled, lock)
        }
        var taken: [UInt8] = []
        swap(&taken, &bytes)
        return taken
    }

    /// Takes nothing more in, and forgets what is in it if that is wanted.
    func close(dropping: Bool) {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        isClosed = true
        if dropping { bytes = [] }
        pthread_cond_signal(filled)
    }
}
