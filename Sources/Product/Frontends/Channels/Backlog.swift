// Gatehouse. SPDX-License-Identifier: MIT

/// How much may wait for a client that is given everything on one channel.
///
/// Answers of some size, asked for side by side, come together: past the limit only a client that takes nothing for a second
/// is given up, and one for which more than the ceiling waits. Pure; time is a parameter.
struct Backlog {
    /// Milliseconds without progress past the limit.
    private static let patience: UInt64 = 1_000

    /// Bytes that may wait, whether the client reads or not.
    let limit: Int
    private let ceiling: Int
    private var taken = 0
    /// When it was last seen to take something, or to have little waiting.
    private var seen: UInt64 = 0

    /// Starts with nothing waiting.
    ///
    /// - Parameters:
    ///   - limit: Bytes that may wait, whether the client reads or not.
    ///   - ceiling: Bytes that may wait for one that reads, one message more not counted.
    init(limit: Int, ceiling: Int) {
        self.limit = limit
        self.ceiling = max(limit, ceiling)
    }

    /// Whether another message may be given to the client.
    ///
    /// - Parameters:
    ///   - pending: Bytes that wait for it.
    ///   - taken: A count that grows while it takes some.
    ///   - now: Milliseconds of the loop's clock.
    /// - Returns: Whether it may wait, too; else the client is given up.
    mutating func admits(pending: Int, taken: Int, at now: UInt64) -> Bool {
        if pending <= limit || taken != self.taken {
            self.taken = taken
            seen = now
        }
        return pending <= ceiling && now &- seen < Self.patience
    }
}
