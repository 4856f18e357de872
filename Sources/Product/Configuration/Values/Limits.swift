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
    /// Open sessions of one principal at all servers; nil is no bound of its own.
    ///
    /// The next `initialize` is refused with status 503 and `Retry-After`.
    package var sessionsPerPrincipal: Int?
    /// Running child processes of one principal at all servers; nil is no bound of its own.
    ///
    /// What needs another is refused with status 503 and `Retry-After`.
    package var childrenPerPrincipal: Int?
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
