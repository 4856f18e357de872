// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Crypto
import FoundationEssentials

/// What a server takes from the world around it, so that tests can put their own in its place.
package struct ServerEnvironment: Sendable {
    /// Monotonic milliseconds.
    package var now: @Sendable () -> Int = ServerEnvironment.monotonic
    /// The time of day, in the form of ISO 8601.
    package var date: @Sendable () -> String = { Date.now.ISO8601Format() }
    /// Sleeps until a moment of `now`; ends early if its task is cancelled.
    package var sleep: @Sendable (_ until: Int) async -> Void = ServerEnvironment.sleep
    /// A name that nobody can guess.
    package var secret: @Sendable () -> String = {
        String(decoding: Base64.encode(SecureRandom.bytes(16), .url), as: UTF8.self)
    }

    /// The world as it is.
    package init() {}

    private static let start = ContinuousClock.now

    private static func monotonic() -> Int {
        let elapsed = ContinuousClock.now - start
        return Int(elapsed.components.seconds) &* 1000
            &+ Int(elapsed.components.attoseconds / 1_000_000_000_000_000)
    }

    private static func sleep(until: Int) async {
        // Cancelled or not: the caller looks at the time.
        try? await Task.sleep(for: .milliseconds(max(0, until &- monotonic())))
    }
}
