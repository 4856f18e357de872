// Gatehouse. SPDX-License-Identifier: MIT

/// Bounds on counts and bytes for the whole gateway (`gateway.limits`), each with what happens at its edge.
package struct Limits: Sendable, Equatable {
    /// Open sessions of all servers.
    ///
    /// The next `initialize` is refused with status 503 and `Retry-After`.
    package var sessions = 1000
    /// Running child processes of all servers.
    ///
    /// What needs another is refused with status 503 and `Retry-After`.
    package var children = 1000
    /// Open connections.
    ///
    /// The next is closed when it is accepted.
    package var connections = 20_000
    /// Bytes of a request's body, counted while it arrives.
    ///
    /// Past it: status 413, and the connection closes.
    package var body = 4_194_304
    /// Unanswered calls of one session.
    ///
    /// The next is refused with a JSON-RPC error.
    package var inFlight = 256
    /// Event streams that are open in one session.
    ///
    /// The next is refused with status 429.
    package var streams = 32
    /// Bytes of one message from a child.
    ///
    /// Past it the child is stopped and its calls are answered with an error.
    package var line = 16_777_216
    /// Bytes that wait for a child to read them.
    ///
    /// While there are more, requests for that child are refused with status 503.
    package var childQueue = 16_777_216
    /// Bytes that wait on one event stream for a client that reads slowly.
    ///
    /// Past it the stream is closed; what can be replayed waits for the client to come back.
    package var streamQueue = 1_048_576
    /// Bytes of events that are kept per session for streams that resume.
    ///
    /// Past it the oldest are forgotten.
    package var replayBytes = 1_048_576
    /// Number of such events.
    ///
    /// Past it the oldest are forgotten.
    package var replayEvents = 1000
    /// For how long such events are kept.
    ///
    /// Past it they are forgotten, and resuming from one of them is refused.
    package var replayTime = Duration.seconds(300)
    /// Bytes of a request's line and fields together.
    ///
    /// Past it: status 431, and the connection closes.
    package var head = 65_536
    /// Bytes of a request's target.
    ///
    /// Past it: status 414, and the connection closes.
    package var target = 8192
    /// Bytes of one field, name and value.
    ///
    /// Past it: status 431, and the connection closes.
    package var field = 16_384
    /// Number of fields of a request.
    ///
    /// Past it: status 431, and the connection closes.
    package var fields = 128

    /// The defaults.
    package init() {}
}

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
    /// How long calls in flight may go on after the gateway was told to stop.
    ///
    /// Then they are answered with an error.
    package var shutdownGrace = Duration.seconds(10)

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
