// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import HTTPWire

/// One request and its response.
///
/// It starts when the head was read. It ends when the response is complete or the client has gone; from then on
/// everything sent to it is dropped, so that late answers need not know.
package final class HTTPExchange {
    /// The request's head.
    package let head: HTTPRequestHead
    /// Whatever the handler wants to find again.
    @exclusivity(unchecked) package var context: AnyObject?
    @exclusivity(unchecked) private var connection: HTTPConnection?
    @exclusivity(unchecked) private var stage = Stage.waiting

    private enum Stage {
        /// Nothing of the response was sent.
        case waiting
        /// The head was sent, the body goes on in chunks.
        case streaming
        /// The head was sent, the body goes on until the connection closes (HTTP/1.0).
        case streamingUntilClose
        /// The response is complete, or cannot be given.
        case ended
    }

    init(_ head: HTTPRequestHead, _ connection: HTTPConnection) {
        self.head = head
        self.connection = connection
    }

    /// Whether a response may still be given or continued.
    package var isOpen: Bool { stage != .ended }
    /// Whether nothing of the response was sent.
    package var isUnanswered: Bool { stage == .waiting }
    /// Whether the response has begun as a stream.
    package var isStreaming: Bool { stage == .streaming || stage == .streamingUntilClose }
    /// Bytes that wait for the client to take them.
    package var queuedBytes: Int { connection?.pendingBytes ?? 0 }
    /// Bytes that the client has taken since it fell behind; while it grows, the client reads.
    package var takenLate: Int { connection?.takenLate ?? 0 }
    /// Whether its connection has one of the process's last descriptors, so that only what is vital should be answered.
    package var isScarce: Bool { connection?.isScarce == true }
    /// Whether it came by TLS.
    package var isSecure: Bool { connection?.isSecure == true }
    /// The address of the peer that the connection comes from.
    package var peerAddress: String? { connection?.peerAddress }

    /// Gives the whole response.
    ///
    /// - Parameters:
    ///   - status: The status code.
    ///   - fields: Fields beside `Content-Length` and `Connection`.
    ///   - body: Appends the body.
    package func respond(
        _ status: Int,
        _ fields: HTTPResponseFields,
        body: (inout [UInt8]) -> Void = { _ in }
    ) {
        respond(status, fields, rest: Span(), body: body)
    }

    /// Gives the whole response, of which a large part is there already and need not be copied.
    ///
    /// - Parameters:
    ///   - status: The status code.
    ///   - fields: Fields beside `Content-Length` and `Connection`.
    ///   - rest: What follows upon what `body` appends.
    ///   - body: Appends the beginning of the body.
    package func respond(
        _ status: Int,
        _ fields: HTTPResponseFields,
        rest: Span<UInt8>,
        body: (inout [UInt8]) -> Void
    ) {
        guard stage == .waiting, let connection else { return }
        stage = .ended
        let withoutBody = head.method == .head || status == 204
        connection.respond(status, fields, withoutBody: withoutBody, rest: rest, body: body)
        end()
    }

    /// Begins a response whose body has no known end.
    package func startStream(_ status: Int, _ fields: HTTPResponseFields) {
        guard stage == .waiting, let connection else { return }
        let untilClose = head.version.minor == 0
        stage = untilClose ? .streamingUntilClose : .streaming
        connection.startStream(status, fields, untilClose: untilClose)
    }

    /// Sends a part of the body.
    package func send(_ bytes: Span<UInt8>) {
        guard let connection, !bytes.isEmpty else { return }
        switch stage {
        case .streaming: connection.send(chunk: bytes)
        case .streamingUntilClose: connection.send(bytes)
        case .waiting, .ended: break
        }
    }

    /// Ends a streamed body.
    ///
    /// The connection can be used again.
    package func finish() {
        guard isStreaming else { return }
        if stage == .streaming { connection?.sendLastChunk() }
        stage = .ended
        end()
    }

    /// Breaks the response off: the client sees that it is not whole.
    package func abort() {
        guard stage != .ended else { return }
        stage = .ended
        let connection = connection
        self.connection = nil
        context = nil
        connection?.close()
    }

    /// The connection is gone.
    func detach() {
        stage = .ended
        connection = nil
        context = nil
    }

    private func end() {
        let connection = connection
        self.connection = nil
        context = nil
        connection?.responseEnded(self)
    }
}
