// Gatehouse. SPDX-License-Identifier: MIT

import Glibc

/// A value behind a POSIX lock.
///
/// The standard library's `Mutex` hands itself over in the kernel when threads meet at it, which costs system calls, and
/// thread sanitizers do not see the hand-over and report races that are none. Here threads do meet.
package struct Locked<Value>: ~Copyable, @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let value = UnsafeMutablePointer<Value>.allocate(capacity: 1)

    package init(_ initial: Value) {
        pthread_mutex_init(lock, nil)
        value.initialize(to: initial)
    }

    deinit {
        pthread_mutex_destroy(lock)
        lock.deallocate()
        value.deinitialize(count: 1)
        value.deallocate()
    }

    /// Lends the value to one caller at a time.
    ///
    /// The body must not wait, and not lock again.
    package func withLock<R, E: Error>(_ body: (inout Value) throws(E) -> R) throws(E) -> R {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body(&value.pointee)
    }
}
