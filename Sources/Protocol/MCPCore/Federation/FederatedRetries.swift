// Gatehouse. SPDX-License-Identifier: MIT

/// When a server of a federation that did not answer is asked again.
///
/// Each failure waits twice as long as the one before, between one second and a minute; an answer forgets them all.
package struct FederatedRetries: Sendable, Equatable {
    private static let shortest: UInt64 = 1_000
    private static let longest: UInt64 = 60_000

    private var delay: UInt64 = 0
    private var next: UInt64?

    /// Starts with nothing to try again.
    package init() {}

    /// It did not work.
    package mutating func failed(at now: UInt64) {
        delay = min(max(delay &* 2, Self.shortest), Self.longest)
        next = now &+ delay
    }

    /// It worked.
    package mutating func succeeded() {
        self = FederatedRetries()
    }

    /// Whether it is time; then it counts as being tried, and is not due until it fails again.
    package mutating func take(at now: UInt64) -> Bool {
        guard let due = next, now >= due else { return false }
        next = nil
        return true
    }
}
