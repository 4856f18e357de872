// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Configuration
import Diagnostics
import EventLoop
import EventStream
import HTTPServer
import HTTPWire
import Sessions

/// An event stream on an HTTP response (WHATWG HTML, "Server-sent events").
///
/// It begins with the response's head. A client that reads too slowly loses it once more waits than the limit: then it is
/// closed, so that nobody else has to wait.
final class EventOutlet: StreamOutlet {
    private let exchange: HTTPExchange
    private unowned let context: FrontendContext
    private let onOverflow: () -> Void
    /// The type of its events, where it is stated.
    private let type: [UInt8]?
    /// What may wait for the client, if this is all that it is given; else nothing waits behind more than `streamQueue`.
    private var backlog: Backlog?

    /// Milliseconds after which a client that lost the stream should come back.
    private static let retry = 1_000

    init(
        _ exchange: HTTPExchange,
        _ context: FrontendContext,
        fields: HTTPResponseFields,
        type: String? = nil,
        backlog: Backlog? = nil,
        onOverflow: @escaping () -> Void = {}
    ) {
        self.exchange = exchange
        self.context = context
        self.onOverflow = onOverflow
        self.type = type.map { Array($0.utf8) }
        self.backlog = backlog
        exchange.startStream(200, fields)
    }

    var isOpen: Bool { exchange.isOpen }

    func send(event id: EventID?, _ message: Span<UInt8>) {
        send(event: id, type: type, message)
    }

    /// Sends an event of a type of its own.
    func send(event id: EventID? = nil, type: [UInt8]?, _ message: Span<UInt8>) {
        guard exchange.isOpen else { return }
        // One message may be larger than the limit; a second one does not wait behind it.
        guard mayWait else {
            context.log.warning("closed an event stream: the client does not read it")
            exchange.abort()
            return onOverflow()
        }
        var event = context.event
        context.event = []
        event.removeAll(keepingCapacity: event.capacity <= 4 << 20)
        do {
            try EventStreamWriter.append(
                id: id?.text,
                event: type,
                retry: message.isEmpty ? Self.retry : nil,
                data: message,
                to: &event
            )
            exchange.send(event.span)
        } catch {
            // Our ids have no byte that could end their line.
            context.log.error("an event could not be written: \(error)")
        }
        context.event = event
    }

    private var mayWait: Bool {
        let pending = exchange.queuedBytes
        return backlog?.admits(pending: pending, taken: exchange.takenLate, at: context.loop.now)
            ?? (pending <= context.limits.streamQueue)
    }

    /// Shows that the stream is alive.
    ///
    /// Not to a client that has not taken what came before: that one is to be found out.
    func sendHeartbeat() {
        guard exchange.queuedBytes == 0 else { return }
        var comment: [UInt8] = []
        EventStreamWriter.appendHeartbeat(to: &comment)
        exchange.send(comment.span)
    }

    func finish() {
        exchange.finish()
    }
}
