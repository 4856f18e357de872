// Gatehouse. SPDX-License-Identifier: MIT

/// How long to wait before something broken is tried again: twice as long each time, within bounds.
package struct Backoff: Sendable {
    /// Milliseconds before the second attempt.
    private let first: UInt64
    private let longest: UInt64
    private let limit: Int
    /// How many attempts in a row have failed.
    package private(set) var failures = 0

    /// Starts without a failure.
    ///
    /// After `limit` failures in a row there is no other attempt.
    package init(first: UInt64 = 500, longest: UInt64 = 30_000, limit: Int = 10) {
        self.first = first
        self.longest = longest
        self.limit = limit
    }

    /// Notes a failure; milliseconds until the next attempt, or nil if there have been enough.
    package mutating func failed() -> UInt64? {
        failures += 1
        guard failures <= limit else { return nil }
        return min(longest, first << UInt64(min(failures - 1, 16)))
    }

    /// Notes that it works.
    package mutating func succeeded() { failures = 0 }
}
