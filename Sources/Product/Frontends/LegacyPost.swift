// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Bytes
import Configuration
import EventLoop
import Gateway
import JSON
import JSONRPC
import MCPCore
import Sessions

/// A POST of a legacy session that waits for the answers to its requests: one, or as many as its array had.
///
/// A single answer that comes first is the response's JSON; anything else makes the response an event stream of the
/// session. A client that goes away does not cancel: what is sent on a stream waits for it to come back.
final class LegacyPost: Caller {
    private let context: FrontendContext
    private let port: any ReplyPort
    private let session: Session
    private let started: UInt64
    private let isBatch: Bool
    private var remaining: Int
    /// What is to be closed when its call ends: the only one, or those of an array by the client's ids.
    private var open: OpenCall?
    private var openInBatch: [(id: String, call: OpenCall)] = []
    private var stream: SessionStream?
    /// Whether the stream is for these answers alone, and ends with them.
    private let endsStream: Bool
    private var outlet: (any StreamOutlet)?

    /// Waits for the answers of some requests.
    ///
    /// - Parameters:
    ///   - context: What frontends share.
    ///   - port: Where they go.
    ///   - session: The session.
    ///   - count: How many are due.
    init(_ context: FrontendContext, _ port: any ReplyPort, _ session: Session, expecting count: Int) {
        self.context = context
        self.port = port
        self.session = session
        // A client that has one channel is told everything there.
        stream = session.channel
        endsStream = stream == nil
        remaining = count
        isBatch = count > 1
        started = context.loop.now
    }

    /// Sends a request to the server, or answers it here.
    func send(_ message: Message, _ bytes: Span<UInt8>, to conversation: any Conversation) {
        let id = bytes.text(message.envelope.id)
        if message.method == .ping {
            return answer(Array(#"{"jsonrpc":"2.0","id":\#(id),"result":{}}"#.utf8))
        }
        if let failure = ModernRules.token(message.params.meta.progressToken, bytes, named: "progressToken") {
            return refuse(Refusal(400, failure), id: id)
        }
        var edits = Edits()
        if message.method.isPaginated, message.params.cursorValue.isPresent {
            guard let cursor = bytes.string(message.params.cursor),
                let inner = seal(message.method).open(cursor)
            else {
                return refuse(Refusal(200, .invalidParams, "Invalid cursor"), id: id)
            }
            edits.replace(message.params.cursor.quoted, with: inner)
        }
        let records = context.pipeline.records
        let call = records.open(
            message,
            bytes,
            server: session.server,
            era: .legacy,
            session: session,
            head: port.head
        )
        call.trace?.write(message, bytes, &edits)
        if isBatch { openInBatch.append((id, call)) } else { open = call }
        do {
            _ = try conversation.call(message, bytes, from: self, edits: edits)
        } catch {
            close(.failed(error), id: id)
            // What the server or the federation says of the request itself is an answer to it.
            refuse(error.code == .internalError ? Refusal(error) : Refusal(200, error), id: id)
        }
    }

    private func close(_ end: CallEnd, id: String) {
        if let index = openInBatch.firstIndex(where: { $0.id.hasSameBytes(as: id) }) {
            open = openInBatch.remove(at: index).call
        }
        guard let open else { return }
        self.open = nil
        context.pipeline.records.close(open, end, id: id)
    }

    /// The client's connection is gone.
    func vanished() {
        if let outlet { stream?.detach(outlet) }
    }

    private func seal(_ method: Method) -> CursorSeal {
        CursorSeal(context.sealer, server: session.server, principal: session.owner, method: method)
    }

    var isPresent: Bool { outlet?.isOpen ?? port.isUnanswered }

    // MARK: What comes of the calls

    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call) {
        var edits = Edits()
        edits.replace(message.envelope.id, with: call.clientID)
        if call.method.isPaginated, let cursor = bytes.string(message.result.nextCursor) {
            edits.replace(message.result.nextCursor.quoted, with: seal(call.method).seal(cursor))
        }
        close(Self.end(message), id: call.clientID)
        if call.method == .toolsList, message.result.tools.isPresent {
            let tools = bytes.extracting(message.result.tools.range)
            context.pipeline.records.learnTools(tools, of: session.server)
        }
        session.lastUsed = context.loop.now
        remaining -= 1
        if stream == nil, !isBatch {
            return port.relay(200, bytes, edits)
        }
        send(message, bytes, edits)
        finishIfDone()
    }

    private static func end(_ message: Message) -> CallEnd {
        if message.envelope.kind == .error {
            return .error(code: message.errorCode ?? ErrorCode.internalError.value)
        }
        return message.result.isError ? .toolError : .ok
    }

    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call) {
        var edits = Edits()
        if message.params.progressToken.isPresent, let token = call.progressToken {
            edits.replace(message.params.progressToken, with: token)
        }
        send(message, bytes, edits)
    }

    /// Sends something about the session on this stream.
    ///
    /// - Returns: The stream that it went to; nil if there is none any more.
    @discardableResult
    func send(_ message: Message, _ bytes: Span<UInt8>, _ edits: Edits) -> SessionStream? {
        guard let stream = openStream() else { return nil }
        var text: [UInt8] = []
        edits.apply(to: bytes, onOneLine: message.envelope.hasLineBreaks, into: &text)
        stream.send(text.span, at: context.loop.now)
        return stream
    }

    func failed(_ failure: Failure, _ call: Call) {
        close(.failed(failure), id: call.clientID)
        remaining -= 1
        respond(failure.retryAfter == nil ? Refusal(200, failure) : Refusal(failure), id: call.clientID)
    }

    func cancelled(_ call: Call) {
        close(.cancelled, id: call.clientID)
        remaining -= 1
        // No answer comes; the stream just ends.
        _ = openStream()
        finishIfDone()
    }

    func stopping(_ call: Call) {}

    func stillWaiting(_ call: Call, now: UInt64) {
        guard now - started >= context.timeouts.heartbeat.wholeMilliseconds / 2, port.isOpen else {
            return
        }
        // The stream has heartbeats of its own from then on.
        _ = openStream()
    }

    // MARK: Writing

    /// Refuses a request that was not sent.
    private func refuse(_ refusal: Refusal, id: String) {
        remaining -= 1
        respond(refusal, id: id)
    }

    private func respond(_ refusal: Refusal, id: String) {
        guard stream != nil || isBatch else { return port.refuse(refusal, id: id) }
        var text: [UInt8] = []
        refusal.failure.append(id: id, to: &text)
        openStream()?.send(text.span, at: context.loop.now)
        finishIfDone()
    }

    /// Answers with a message of ours.
    private func answer(_ text: [UInt8]) {
        remaining -= 1
        guard stream != nil || isBatch else {
            return port.respond(200, in: nil) { $0.append(contentsOf: text) }
        }
        openStream()?.send(text.span, at: context.loop.now)
        finishIfDone()
    }

    /// The event stream, begun if it was not; nil if the client went away before.
    private func openStream() -> SessionStream? {
        if let stream { return stream }
        guard port.isUnanswered, let opened = session.openStream(general: false) else { return nil }
        stream = opened
        let outlet = port.openStream { [weak self] in self?.vanished() }
        self.outlet = outlet
        opened.open(outlet, at: context.loop.now)
        return opened
    }

    private func finishIfDone() {
        guard remaining <= 0 else { return }
        if endsStream { stream?.finish() } else { port.finish() }
    }
}
