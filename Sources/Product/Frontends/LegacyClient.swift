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

/// What a legacy client said at `initialize` that it can do (2025-11-25, lifecycle, "Capability Negotiation").
struct ClientCapabilities {
    private let declared: JSONValue?

    init(_ declared: JSONValue?) {
        self.declared = declared
    }

    /// Whether a server may ask this of the client.
    func allow(_ method: Method) -> Bool {
        switch method {
        case .createMessage: declared?["sampling"] != nil
        case .elicit: declared?["elicitation"] != nil
        case .rootsList: declared?["roots"] != nil
        default: true
        }
    }
}

/// The client of a legacy session, as its server sees it: finds the stream for what the server says outside of calls.
///
/// Each message goes to exactly one stream: that of the only call that waits, else one that the client listens on, else
/// that of the oldest call.
final class LegacyClient: ConversationListener {
    private let context: FrontendContext
    private unowned let session: Session
    /// What its session talks to.
    let conversation: any Conversation
    private let capabilities: ClientCapabilities
    /// Where each request of the server went, for its withdrawal.
    private var asks: [Int: SessionStream] = [:]

    init(
        _ context: FrontendContext,
        _ session: Session,
        _ conversation: any Conversation,
        _ capabilities: ClientCapabilities
    ) {
        self.context = context
        self.session = session
        self.conversation = conversation
        self.capabilities = capabilities
    }

    func received(_ message: Message, _ bytes: Span<UInt8>, suspect: SuspectedCall?) {
        // A list that changed belongs to no call; a log message most likely does.
        let isGeneral = message.method != .logMessage
        if send(message, bytes, Edits(), suspect: suspect, prefersGeneral: isGeneral) == nil {
            context.log.debug("a notification of the server found no stream")
        }
    }

    func asked(_ number: Int, _ message: Message, _ bytes: Span<UInt8>, suspect: SuspectedCall?) {
        guard capabilities.allow(message.method) else {
            let text = "The client did not declare that it can answer this"
            return conversation.refuse(number, Failure(.methodNotFound, text, source: .client))
        }
        var edits = Edits()
        edits.replace(message.envelope.id, with: number)
        if message.params.meta.progressToken.isPresent {
            edits.replace(message.params.meta.progressToken, with: number)
        }
        guard let stream = send(message, bytes, edits, suspect: suspect, prefersGeneral: false) else {
            let text = "The client does not listen"
            return conversation.refuse(number, Failure(.internalError, text, source: .client))
        }
        // As many as may wait at once; those that were answered are forgotten with the next.
        if asks.count > context.limits.inFlight { asks.removeAll() }
        asks[number] = stream
    }

    func withdrew(_ number: Int, _ message: Message, _ bytes: Span<UInt8>) {
        var edits = Edits()
        edits.replace(message.params.requestID, with: number)
        var text: [UInt8] = []
        edits.apply(to: bytes, onOneLine: message.envelope.hasLineBreaks, into: &text)
        let stream = asks.removeValue(forKey: number)
        stream?.send(text.span, at: context.loop.now)
    }

    /// The session is of no more use: its client learns with the next request, by 404, that it needs another.
    func gaveUp() {
        context.loop.onNextTurn { [context, weak session] in
            if let session { context.pipeline.sessions.end(session, .server) }
        }
    }

    func interrupted() {
        asks.removeAll()
        if context.pipeline.registry.find(session.server)?.stateLost == .end { return gaveUp() }
        session.hasLostServer = true
    }

    func greetedAgain() {
        interrupted()
        if session.hasLostServer { regain() }
    }

    /// Another process takes the place of the server: it is told what that one was told, and the client that lists may have
    /// changed.
    func regain() {
        session.hasLostServer = false
        if !conversation.remembersSession { conversation.remind(session.memory.requests) }
        guard let stream = session.listening else {
            session.openingNotices = session.changes
            return
        }
        for text in session.changes { stream.send(text.span, at: context.loop.now) }
    }

    private func send(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ edits: Edits,
        suspect: SuspectedCall?,
        prefersGeneral: Bool
    ) -> SessionStream? {
        let post = suspect?.call.caller as? LegacyPost
        let usesPost = post != nil && suspect?.isOnly == true && !prefersGeneral
        if !usesPost, let stream = session.listening {
            var text: [UInt8] = []
            edits.apply(to: bytes, onOneLine: message.envelope.hasLineBreaks, into: &text)
            stream.send(text.span, at: context.loop.now)
            return stream
        }
        if let stream = post?.send(message, bytes, edits) { return stream }
        guard let stream = session.generalStream else { return nil }
        var text: [UInt8] = []
        edits.apply(to: bytes, onOneLine: message.envelope.hasLineBreaks, into: &text)
        stream.send(text.span, at: context.loop.now)
        return stream
    }
}
