// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Bytes
import Configuration
import Diagnostics
import EventLoop
import Gateway
import JSON
import JSONRPC
import MCPCore
import Sessions

/// A client with one channel for everything that it is told: an event stream of 2024-11-05, or standard output.
///
/// It has at most one session of the legacy era, which begins with an answered `initialize` and ends with the channel, or
/// the channel with it. Where the transport has the modern era too, each message belongs to the era that it says. The
/// channel ends with `close`, when its client has gone, or by itself when its session ends; `onEnd` is told of that.
final class ClientChannel {
    private let context: FrontendContext
    private var passage: Passage
    private let legacy: LegacyFrontend
    /// Nil where the transport knows no modern era.
    private let modern: ModernFrontend?
    /// What carries the messages to the client.
    private let outlet: any StreamOutlet
    /// Hears that the channel has ended, unless it was told to.
    private let onEnd: () -> Void
    private var session: Session?
    /// The `initialize` that waits for its answer.
    private var greeting: Visit?
    /// What came behind it.
    private var held: [[UInt8]] = []
    private var heldBytes = 0
    /// Modern requests that wait, by the client's id as written.
    private var modernReplies: [String: ChannelReply] = [:]
    /// How many requests wait for an answer.
    private(set) var openReplies = 0
    /// Hears that no request waits any more.
    private var onIdle: (() -> Void)?
    private(set) var isClosed = false
    /// What is kept free for the session that is to come.
    private var place: SessionPlace?
    private let created: UInt64

    /// Opens it.
    ///
    /// - Parameters:
    ///   - context: What frontends share.
    ///   - passage: Who the client is, and which server it wants.
    ///   - legacy: What takes messages of the legacy era.
    ///   - modern: What takes messages of the modern era, if the transport has them.
    ///   - outlet: Where messages to the client go.
    ///   - onEnd: Hears that the session ended, and the channel with it.
    init(
        _ context: FrontendContext,
        _ passage: Passage,
        legacy: LegacyFrontend,
        modern: ModernFrontend?,
        outlet: any StreamOutlet,
        onEnd: @escaping () -> Void
    ) {
        self.context = context
        self.passage = passage
        self.legacy = legacy
        self.modern = modern
        self.outlet = outlet
        self.onEnd = onEnd
        created = context.loop.now
        settle()
    }

    // MARK: From the client

    /// Takes a JSON text of the client.
    ///
    /// - Throws: What is wrong with it, where it has no id to answer under.
    func receive(_ bytes: Span<UInt8>) throws(Refusal) {
        guard !isClosed else { return }
        var first = 0
        while first < bytes.count, bytes[first] <= 0x20 { first += 1 }
        if first < bytes.count, bytes[first] == UInt8(ascii: "[") { return try receiveBatch(bytes) }
        let message: Message
        do {
            message = try Message(bytes)
        } catch {
            let code: ErrorCode = error.kind == .duplicateName ? .invalidRequest : .parse
            let title = code == .parse ? "Parse error" : "Invalid request"
            throw Refusal(400, code, "\(title): \(error.description)")
        }
        switch Era.of(message, header: nil) {
        case .modern: try receiveModern(message, bytes)
        case .legacy: try receiveLegacy(message, bytes)
        }
    }

    private func receiveLegacy(_ message: Message, _ bytes: Span<UInt8>) throws(Refusal) {
        if message.method == .cancelled, cancelModern(message, bytes) { return }
        let id = message.envelope.kind == .request ? message.id(in: bytes) : nil
        guard !isGreeting else {
            return try hold(bytes) ? () : refuse(.busy("Too much was sent at once"), id, nil)
        }
        let reply = ChannelReply(self, outlet)
        let visit = Visit(passage)
        if id != nil, message.method == .initialize, session == nil {
            reply.opensSession = true
            // The session takes the place that was kept for it.
            place?.leave()
            place = nil
            greeting = visit
        }
        session?.lastUsed = context.loop.now
        legacy.take(message, bytes, reply, visit, in: session)
        if let fault = reply.fault { throw fault }
    }

    private func receiveBatch(_ bytes: Span<UInt8>) throws(Refusal) {
        guard !isGreeting else {
            return try hold(bytes) ? () : refuse(.busy("Too much was sent at once"), nil, nil)
        }
        try legacy.take(batch: bytes, ChannelReply(self, outlet), Visit(passage), in: session)
    }

    private func receiveModern(_ message: Message, _ bytes: Span<UInt8>) throws(Refusal) {
        if message.method == .cancelled, cancelModern(message, bytes) { return }
        let reply = ChannelReply(self, outlet)
        let isRequest = message.envelope.kind == .request && message.envelope.defect == nil
        let id = isRequest ? bytes.text(message.envelope.id) : ""
        guard let modern else {
            // No error of the modern era, which would say that it is spoken here.
            let text = "This transport is of revision 2024-11-05: begin with initialize"
            return try refuse(Refusal(400, .invalidRequest, text), isRequest ? id : nil, reply)
        }
        let visit = Visit(passage)
        reply.visit = visit
        if isRequest {
            guard modernReplies[id] == nil else {
                throw Refusal(400, .invalidRequest, "Invalid request: a request with this id waits already")
            }
            guard modernReplies.count < context.limits.inFlight else {
                return try refuse(.busy("Too many calls wait for an answer"), id, reply)
            }
            reply.id = id
            modernReplies[id] = reply
        }
        modern.post(message, bytes, head: nil, reply, visit)
        if let fault = reply.fault { throw fault }
    }

    private func refuse(_ refusal: Refusal, _ id: String?, _ reply: ChannelReply?) throws(Refusal) {
        guard let id else { throw refusal }
        context.pipeline.records.noteRefusal(refusal.status, refusal.failure.message)
        (reply ?? ChannelReply(self, outlet)).refuse(refusal, id: id)
    }

    /// Gives a modern call up, about which nothing more is said then (2026-07-28, stdio, "Cancellation").
    private func cancelModern(_ message: Message, _ bytes: Span<UInt8>) -> Bool {
        guard message.params.requestID.isPresent,
            let reply = modernReplies[bytes.text(message.params.requestID)]
        else { return false }
        reply.withdraw()
        return true
    }

    /// Whether messages of the legacy era have to wait behind an `initialize`.
    private var isGreeting: Bool { greeting != nil || !held.isEmpty }

    /// Keeps what a client sends behind its `initialize` without waiting for the answer; false if that is too much.
    private func hold(_ bytes: Span<UInt8>) -> Bool {
        guard held.count < context.limits.inFlight, heldBytes + bytes.count <= context.limits.body else {
            return false
        }
        heldBytes += bytes.count
        held.append([UInt8](bytes))
        return true
    }

    // MARK: What comes of it

    /// A request waits for its answer.
    func began() {
        openReplies += 1
    }

    /// A request was answered, or never will be.
    func ended(_ id: String?) {
        openReplies -= 1
        if let id { modernReplies[id] = nil }
        if openReplies == 0 { idle() }
    }

    /// An `initialize` was answered: with a session, or not.
    func answered(opening session: Session?) {
        if let session, self.session == nil {
            self.session = session
            let stream = session.openStream(general: true)
            session.channel = stream
            stream?.open(SessionOutlet(self, outlet), at: context.loop.now)
        }
        guard greeting != nil else { return }
        greeting = nil
        settle()
        context.loop.onNextTurn { [weak self] in self?.release() }
    }

    /// Takes what was kept.
    private func release() {
        let held = held
        self.held = []
        heldBytes = 0
        for bytes in held {
            do {
                try receive(bytes.span)
            } catch {
                tell(error)
            }
        }
    }

    /// Says what is wrong with a message that has no id.
    func tell(_ refusal: Refusal) {
        context.pipeline.records.noteRefusal(refusal.status, refusal.failure.message)
        var text: [UInt8] = []
        refusal.failure.append(id: "null", to: &text)
        outlet.send(event: nil, text.span)
    }

    /// Goes on with what the stations say now that another configuration is used.
    ///
    /// - Returns: Whether it can: a session that stands on another server cannot move.
    func adopt(_ next: Passage) -> Bool {
        guard let old = passage.backend, next.backend !== old else { return true }
        // A session goes on with its server as long as that is there, whatever others come to now. What is being opened at one
        // that is gone fails by itself.
        let isThere = context.pipeline.registry.has(old)
        guard session == nil || isThere else { return false }
        if session == nil, greeting == nil || !isThere { passage = next }
        return true
    }

    // MARK: Its end

    /// The client has gone: its session ends, and nobody waits for an answer any more.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        held = []
        place?.leave()
        place = nil
        greeting?.onVanish?()
        greeting = nil
        for reply in Array(modernReplies.values) { reply.withdraw() }
        if let session {
            self.session = nil
            context.pipeline.sessions.end(session, .client)
        }
        idle()
    }

    /// The session has ended by itself.
    fileprivate func sessionEnded() {
        guard !isClosed, session != nil else { return }
        session = nil
        close()
        onEnd()
    }

    /// Calls back when no request waits for an answer, or at once.
    func whenIdle(_ completion: @escaping () -> Void) {
        onIdle = completion
        idle()
    }

    private func idle() {
        guard onIdle != nil else { return }
        // The answer that was the last is still being written, and what was kept behind it is still to come.
        context.loop.onNextTurn { [weak self] in self?.finishIdling() }
    }

    private func finishIdling() {
        guard isClosed || openReplies == 0 && held.isEmpty, let completion = onIdle.take() else { return }
        completion()
    }

    /// Whether it was opened long ago and has no session yet.
    func isLate(at now: UInt64) -> Bool {
        session == nil && greeting == nil && openReplies == 0
            && now &- created > context.timeouts.idle.wholeMilliseconds
    }

    /// Keeps a place for the session while there is none.
    private func settle() {
        guard !isClosed, session == nil, greeting == nil, place == nil, modern == nil,
            let backend = passage.backend
        else { return }
        place = context.pipeline.sessions.reserve(server: backend.name, owner: passage.principal)
    }
}

/// What a session says on the channel of its client.
private final class SessionOutlet: StreamOutlet {
    private weak var channel: ClientChannel?
    private let outlet: any StreamOutlet

    init(_ channel: ClientChannel, _ outlet: any StreamOutlet) {
        self.channel = channel
        self.outlet = outlet
    }

    var isOpen: Bool { outlet.isOpen }

    func send(event id: EventID?, _ message: Span<UInt8>) {
        // Nothing is resumed here, so that the event that would open the stream says nothing.
        if !message.isEmpty { outlet.send(event: nil, message) }
    }

    func sendHeartbeat() { outlet.sendHeartbeat() }

    func finish() { channel?.sessionEnded() }
}
