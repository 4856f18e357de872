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

/// An `initialize` that waits for the server's answer.
///
/// Only a good one makes a session; everything else leaves nothing.
final class InitializePost: Caller {
    private let context: FrontendContext
    private let passage: Passage
    private let backend: any Backend
    private let conversation: any Conversation
    private let capabilities: ClientCapabilities
    private let port: any ReplyPort
    /// What is to be closed when the call ends.
    private var open: OpenCall?
    /// What is kept free for the session that comes of it.
    private let place: SessionPlace
    /// Whether the client sent no `initialize`, and is told only the session's id.
    private let isSilent: Bool
    /// The request as the server gets it, if sessions outlive the gateway.
    var request: [UInt8] = []

    /// For a client's `initialize`.
    convenience init(
        _ context: FrontendContext,
        _ passage: Passage,
        _ backend: any Backend,
        _ conversation: any Conversation,
        _ capabilities: ClientCapabilities,
        _ open: OpenCall,
        answering port: any ReplyPort
    ) {
        self.init(context, passage, backend, conversation, capabilities, open, port, isSilent: false)
    }

    /// For a session that is opened by GET.
    convenience init(
        _ context: FrontendContext,
        _ passage: Passage,
        _ backend: any Backend,
        _ conversation: any Conversation,
        _ capabilities: ClientCapabilities,
        _ open: OpenCall,
        opening port: any ReplyPort
    ) {
        self.init(context, passage, backend, conversation, capabilities, open, port, isSilent: true)
    }

    private init(
        _ context: FrontendContext,
        _ passage: Passage,
        _ backend: any Backend,
        _ conversation: any Conversation,
        _ capabilities: ClientCapabilities,
        _ open: OpenCall,
        _ port: any ReplyPort,
        isSilent: Bool
    ) {
        self.open = open
        self.context = context
        self.passage = passage
        self.backend = backend
        self.conversation = conversation
        self.capabilities = capabilities
        self.port = port
        self.isSilent = isSilent
        place = context.pipeline.sessions.reserve(server: backend.name, owner: passage.principal)
    }

    /// The client did not wait: there is no session.
    func vanished() {
        close(.cancelled, id: "")
        conversation.end()
    }

    /// The call was not taken on.
    func refused(_ failure: Failure, id: String) {
        close(.failed(failure), id: id)
    }

    private func close(_ end: CallEnd, id: String) {
        guard let open else { return }
        self.open = nil
        place.leave()
        context.pipeline.records.close(open, end, id: id)
    }

    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call) {
        guard message.envelope.kind == .result else {
            close(.error(code: message.errorCode ?? ErrorCode.internalError.value), id: call.clientID)
            conversation.end()
            return forward(message, bytes, call, session: nil)
        }
        guard let revision = bytes.string(message.result.protocolVersion).flatMap(Revision.init(bytes:)),
            revision.era == .legacy
        else {
            let failure = Failure(
                .internalError,
                "The server chose a revision that is unknown here",
                source: .upstream
            )
            return failed(failure, call)
        }
        guard context.pipeline.registry.has(backend) else {
            let text = "The server's configuration has changed meanwhile; try again"
            return failed(Failure(.internalError, text, source: .gateway), call)
        }
        let session = Session(
            owner: passage.principal,
            server: backend.name,
            revision: revision,
            foundation: conversation,
            log: port.canResume ? context.eventLog : EventLog(bytes: 0, events: 0, age: 0),
            streamLimit: context.limits.streams,
            now: context.loop.now
        )
        session.isAtCommonPath = passage.resource.isCommonPath
        place.leave()
        context.pipeline.sessions.insert(session)
        open?.session = session
        close(.ok, id: call.clientID)
        let client = LegacyClient(context, session, conversation, capabilities)
        conversation.listener = client
        session.companion = client
        let result = try? JSONValue(bytes.extracting(message.envelope.result.range))
        session.changes = SessionReplay.changes(of: result?["capabilities"])
        if port.canResume {
            context.lasting?.keep(session, initialize: request, isOpenedByGET: isSilent)
        }
        if isSilent { greet(message, bytes, session) }
        forward(message, bytes, call, session: session)
    }

    /// Finishes the handshake in the client's place.
    private func greet(_ message: Message, _ bytes: Span<UInt8>, _ session: Session) {
        session.initializeResult = [UInt8](bytes, message.envelope.result.range)
        session.memory.isInitialized = true
        let text = Array(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.utf8)
        if let notification = try? Message(text.span) { conversation.notify(notification, text.span) }
    }

    private func forward(_ message: Message, _ bytes: Span<UInt8>, _ call: Call, session: Session?) {
        if isSilent { return port.respond(session == nil ? 503 : 200, in: session) { _ in } }
        var edits = Edits()
        edits.replace(message.envelope.id, with: call.clientID)
        port.respond(200, in: session) { edits.apply(to: bytes, onOneLine: false, into: &$0) }
    }

    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call) {
        // Progress of a handshake has nowhere to go: the response becomes JSON with the session's id.
    }

    func failed(_ failure: Failure, _ call: Call) {
        close(.failed(failure), id: call.clientID)
        conversation.end()
        if isSilent {
            return port.respond(503, in: nil) { $0.append(#"{"error":"MCP server connection failed"}"#) }
        }
        let refusal =
            failure.code == .invalidParams
            ? Refusal(400, failure) : Refusal(503, failure, fields: Refusal.fields(failure))
        port.refuse(refusal, id: call.clientID)
    }

    func cancelled(_ call: Call) {
        close(.cancelled, id: call.clientID)
        conversation.end()
        port.abort()
    }

    func stopping(_ call: Call) {}

    func stillWaiting(_ call: Call, now: UInt64) {}
}
