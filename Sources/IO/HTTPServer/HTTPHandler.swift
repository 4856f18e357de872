// Gatehouse. SPDX-License-Identifier: MIT

package import HTTPWire

/// What happens to a request's body, decided when its head is known.
package enum BodyDecision: Sendable {
    /// It is gathered, up to this many bytes, and given to `received` whole. More is refused with 413.
    case collect(limit: Int)
    /// It is given to `receivedPart` as it comes, up to this many bytes, then `received` with nothing.
    case stream(limit: Int)
    /// The response was given already; what comes of the body is thrown away.
    case refused
}

/// Who answers requests.
///
/// All calls are made on the loop, one request of a connection at a time.
///
/// For each request: `begin`, then `received` unless it was refused. The response may be given during these calls or
/// later. `vanished` comes at most once, and only before the response has ended.
package protocol HTTPHandler: AnyObject {
    /// A head has come; nothing of the body has been read yet, and no `100 Continue` was sent.
    func begin(_ exchange: HTTPExchange) -> BodyDecision
    /// A part of a streamed body has come.
    func receivedPart(_ bytes: Span<UInt8>, _ exchange: HTTPExchange)
    /// The body has come whole. The bytes are only there during the call.
    func received(_ body: Span<UInt8>, _ exchange: HTTPExchange)
    /// The client has gone away before the response ended. Nothing more can be sent.
    func vanished(_ exchange: HTTPExchange)
    /// A request was refused before its head could be understood, or its body broke the rules.
    func refused(_ refusal: HTTPRefusal)
}

extension HTTPHandler {
    /// Handlers that collect bodies get no parts.
    package func receivedPart(_ bytes: Span<UInt8>, _ exchange: HTTPExchange) {}
    /// Refusals are nobody's business unless the handler counts them.
    package func refused(_ refusal: HTTPRefusal) {}
}

/// Why a request was refused before a handler could answer it.
package struct HTTPRefusal: Error, Sendable, Equatable {
    /// The status that answers it.
    package let status: Int
    /// The reason in words, which hold nothing of what the peer sent.
    package let reason: String

    /// The request breaks the rules of the wire.
    init(_ error: HTTPWireError) {
        status = error.status
        reason = error.reason
    }

    init(_ status: Int, _ reason: String) {
        self.status = status
        self.reason = reason
    }

    /// The head or the body took too long.
    static let timeout = HTTPRefusal(408, "the request took too long")
    /// The body is larger than the limit.
    static let bodyTooLarge = HTTPRefusal(413, "the body is too large")
}

/// Bounds on a connection.
package struct HTTPServerLimits: Sendable {
    /// Bounds of the wire: head, fields, chunks.
    package var wire = HTTPLimits()
    /// Open connections; a further one is closed when it is accepted.
    package var connections = 20_000
    /// Milliseconds from the first byte of a head to its last; then 408.
    package var head: UInt64 = 10_000
    /// Milliseconds for a body, to which every byte that comes adds one; then 408.
    package var body: UInt64 = 60_000
    /// Milliseconds a connection may stay open without a request.
    package var idle: UInt64 = 60_000
    /// Milliseconds a client may take nothing of what waits for it; then the connection is closed.
    package var write: UInt64 = 30_000
    /// Bytes of later requests that are kept while one is answered; then reading stops.
    package var pipelined = 65_536
    /// Bytes of an unwanted body that are thrown away before the connection is closed.
    package var discarded = 65_536

    /// The defaults.
    package init() {}
}
