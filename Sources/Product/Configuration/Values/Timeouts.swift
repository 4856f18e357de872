// Gatehouse. SPDX-License-Identifier: MIT

/// Bounds on waiting (`gateway.timeouts`), each with what happens when it is over.
package struct Timeouts: Sendable, Equatable {
    /// From the first byte of a request's head to its last.
    ///
    /// Then: status 408, and the connection closes.
    package var head = Duration.seconds(10)
    /// From the end of the head to the end of the body.
    ///
    /// Then: status 408, and the connection closes.
    package var body = Duration.seconds(60)
    /// A kept connection without a request.
    ///
    /// Then it closes.
    package var idle = Duration.seconds(60)
    /// A client that takes nothing of what waits for it.
    ///
    /// Then the connection closes.
    package var write = Duration.seconds(30)
    /// Silence on an event stream.
    ///
    /// Then a comment is sent, so that nothing between us takes it for dead; zero sends none.
    package var heartbeat = Duration.seconds(15)
    /// A session without a call, a message or an open stream.
    ///
    /// Then it ends, and its child with it.
    package var session = Duration.seconds(3600)
    /// A session's whole life.
    ///
    /// Then it ends, and its child with it; the client starts another.
    package var sessionLifetime = Duration.seconds(86_400)
    /// How long a `requestState` that we sealed is taken back.
    ///
    /// Then the retry is refused.
    package var requestState = Duration.seconds(600)
    /// How long a server of a federation is waited for where all are asked.
    ///
    /// Then the others are answered with, and the client is told when it comes.
    package var federation = Duration.seconds(5)
    /// How long calls in flight may go on after the gateway was told to stop.
    ///
    /// Then they are answered with an error.
    package var shutdownGrace = Duration.seconds(20)

    /// The defaults.
    package init() {}
}

extension Duration {
    /// Whole milliseconds, as the loop's timers take them: rounded up, never negative, bounded by what fits.
    package var wholeMilliseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1000)
        guard !overflow else { return .max }
        let perMillisecond: Int64 = 1_000_000_000_000_000
        let part = UInt64(attoseconds / perMillisecond) + (attoseconds % perMillisecond > 0 ? 1 : 0)
        let (sum, tooMuch) = product.addingReportingOverflow(part)
        return tooMuch ? .max : sum
    }
}
