// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import Gateway
import HTTPServer
import HTTPWire
import JSONRPC
import Sessions

/// Where what comes of one request goes: the response of a POST, or the only channel of a client.
///
/// Frontends answer through it, so that they need not know how their client came in.
protocol ReplyPort {
    /// Whether the client still waits.
    var isOpen: Bool { get }
    /// Whether nothing was answered yet.
    var isUnanswered: Bool { get }
    /// The head of the request, where it came by HTTP.
    var head: HTTPRequestHead? { get }
    /// Whether events that the client missed are kept for it to come back.
    var canResume: Bool { get }
    /// Gives the answer as the only message.
    ///
    /// - Parameters:
    ///   - status: The HTTP status, where there is one.
    ///   - session: The session that the answer opens or belongs to, if the client is to be told.
    ///   - body: Appends the message.
    func respond(_ status: Int, in session: Session?, _ body: (inout [UInt8]) -> Void)
    /// Gives a server's answer as the only message.
    ///
    /// - Parameters:
    ///   - status: The HTTP status, where there is one.
    ///   - bytes: The answer.
    ///   - edits: What is changed of it for the client.
    func relay(_ status: Int, _ bytes: Span<UInt8>, _ edits: Edits)
    /// Answers with an error; where nobody can be answered under an id, it is told another way or not at all.
    func refuse(_ refusal: Refusal, id: String?)
    /// Says that a message was taken that has no answer.
    func accept()
    /// Begins a stream of messages; the last is the answer.
    ///
    /// - Parameter onOverflow: Hears that the client reads too slowly and lost it.
    /// - Returns: The stream.
    func openStream(onOverflow: @escaping () -> Void) -> any StreamOutlet
    /// All answers were given on a stream that goes on.
    func finish()
    /// Gives up: there will be no answer.
    func abort()
}

extension ReplyPort {
    /// None, but for a response to HTTP.
    var head: HTTPRequestHead? { nil }

    func relay(_ status: Int, _ bytes: Span<UInt8>, _ edits: Edits) {
        respond(status, in: nil) { edits.apply(to: bytes, onOneLine: false, into: &$0) }
    }
}

/// The response of a POST.
struct HTTPReply: ReplyPort {
    var head: HTTPRequestHead? { exchange.head }
    let exchange: HTTPExchange
    let passage: Passage
    let context: FrontendContext

    var isOpen: Bool { exchange.isOpen }
    var isUnanswered: Bool { exchange.isUnanswered }
    var canResume: Bool { true }

    func respond(_ status: Int, in session: Session?, _ body: (inout [UInt8]) -> Void) {
        var fields = Responses.jsonFields(origin: passage.origin)
        if let session { fields.append("Mcp-Session-Id", session.id.text) }
        exchange.respond(status, fields, body: body)
    }

    func relay(_ status: Int, _ bytes: Span<UInt8>, _ edits: Edits) {
        let fields = Responses.jsonFields(origin: passage.origin)
        guard bytes.count > Self.large else {
            return exchange.respond(status, fields) { edits.apply(to: bytes, onOneLine: false, into: &$0) }
        }
        exchange.respond(status, fields, rest: bytes.extracting(edits.end..<bytes.count)) {
            edits.applyBeforeEnd(to: bytes, into: &$0)
        }
    }

    /// Bytes of a message that take longer to copy than to hand to the system apart.
    private static let large = 16_384

    func refuse(_ refusal: Refusal, id: String?) {
        exchange.refuse(refusal, id: id, origin: passage.origin)
    }

    func accept() {
        exchange.respond(202, Responses.jsonFields(origin: passage.origin))
    }

    func openStream(onOverflow: @escaping () -> Void) -> any StreamOutlet {
        EventOutlet(
            exchange,
            context,
            fields: Responses.eventFields(origin: passage.origin),
            onOverflow: onOverflow
        )
    }

    func finish() {}

    func abort() {
        exchange.abort()
    }
}
