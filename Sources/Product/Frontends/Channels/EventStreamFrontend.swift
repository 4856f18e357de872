// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Bytes
import Configuration
import Gateway
import HTTPServer
import HTTPWire
import JSONRPC
import MCPCore
import Sessions

/// HTTP+SSE, the transport of clients of 2024-11-05 (transports, "HTTP with SSE").
///
/// A GET opens a channel: an event stream whose first event says where messages go. Each POST there is answered with 202;
/// what comes of it is an event of the stream, like everything that the server says. The session ends with the stream:
/// that revision knows no way to come back.
final class EventStreamFrontend {
    private let context: FrontendContext
    private let legacy: LegacyFrontend

    init(_ context: FrontendContext, _ legacy: LegacyFrontend) {
        self.context = context
        self.legacy = legacy
    }

    /// Opens a channel.
    func open(_ exchange: HTTPExchange, _ visit: Visit) {
        let passage = visit.passage
        guard let backend = passage.backend else { return }
        do throws(Refusal) {
            try legacy.checkRoom(backend, for: visit.passage.principal)
        } catch {
            context.pipeline.records.noteRefusal(error.status, error.failure.message)
            return exchange.refuse(error, id: nil, origin: passage.origin)
        }
        let channel = EventChannel(context, legacy, exchange, passage, backend)
        visit.onVanish = { [weak channel] in channel?.close() }
        channel.begin(at: Self.messagePath(of: exchange.head.path, behind: context.pathPrefix))
    }

    /// Takes a message for the channel that its request names.
    func post(_ body: Span<UInt8>, _ exchange: HTTPExchange, _ visit: Visit) {
        guard let channel = visit.passage.channel as? EventChannel else { return }
        do throws(Refusal) {
            try channel.receive(body)
            exchange.respond(202, Responses.jsonFields(origin: visit.passage.origin))
        } catch {
            context.pipeline.records.noteRefusal(error.status, error.failure.message)
            exchange.refuse(error, id: nil, origin: visit.passage.origin)
        }
    }

    /// Refuses what cannot open a channel, or names none.
    static func check(_ head: HTTPRequestHead, _ passage: Passage) throws(Refusal) {
        if head.method == .post {
            try Negotiation.checkBody(head)
            guard passage.channel != nil else {
                throw Refusal(404, .sessionNotFound, "Session not found: there is no open stream of this id")
            }
        } else if head.method == .get, head.count(.accept) > 0, !Negotiation(head).acceptsEvents {
            throw Refusal(406, .invalidRequest, "Not Acceptable: this path answers with text/event-stream")
        }
    }

    /// Where messages go, as a client has to write it: beside the path that it asked for.
    static func messagePath(of path: ArraySlice<UInt8>, behind prefix: String) -> [UInt8] {
        var path = path
        if path.last == UInt8(ascii: "/") { path.removeLast() }
        let parent = path.prefix(upTo: path.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex)
        return Array(prefix.utf8) + parent + Array("/message".utf8)
    }
}

/// An event stream and the session that its client has on it.
private final class EventChannel: Channel {
    let owner: Principal
    let server: String
    private let context: FrontendContext
    private let id = SessionID.random()
    private let exchange: HTTPExchange
    private let outlet: EventOutlet
    private var client: ClientChannel?

    init(
        _ context: FrontendContext,
        _ legacy: LegacyFrontend,
        _ exchange: HTTPExchange,
        _ passage: Passage,
        _ backend: any Backend
    ) {
        self.context = context
        self.exchange = exchange
        owner = passage.principal
        server = backend.name
        let overflow = Overflow()
        outlet = EventOutlet(
            exchange,
            context,
            fields: Responses.eventFields(origin: passage.origin),
            type: "message",
            backlog: Backlog(
                limit: context.limits.streamQueue,
                ceiling: context.limits.streamQueue &+ context.limits.line
            )
        ) { overflow.channel?.close() }
        client = ClientChannel(context, passage, legacy: legacy, modern: nil, outlet: outlet) {
            [weak self] in self?.close()
        }
        overflow.channel = self
    }

    func begin(at path: [UInt8]) {
        context.pipeline.channels.insert(self, id)
        let endpoint = path + Array("?sessionId=".utf8) + id.text
        outlet.send(type: Array("endpoint".utf8), endpoint.span)
    }

    func receive(_ bytes: Span<UInt8>) throws(Refusal) {
        try client?.receive(bytes)
    }

    func isLate(at now: UInt64) -> Bool { client?.isLate(at: now) ?? true }

    func close() {
        context.pipeline.channels.remove(id)
        let client = client
        self.client = nil
        client?.close()
        exchange.finish()
    }

    func drain() {
        client?.whenIdle { [weak self] in self?.close() }
    }

    /// Lets the outlet be made before its channel.
    private final class Overflow {
        weak var channel: EventChannel?
    }
}
