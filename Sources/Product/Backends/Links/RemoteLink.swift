// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Diagnostics
import EventLoop
import HTTPClient
import JSON
import JSONRPC
import MCPClient
import MCPCore

/// A line to a server over HTTP: a POST for each message, and what comes back of it.
///
/// It knows of the messages what the transport needs: ids and headers. In the legacy era it holds one session at the server,
/// from `initialize` to DELETE; when the server has forgotten it (404), what was refused for that reason was not run, so
/// the conversation is asked to greet again and to send it once more. In the modern era nothing lasts, and a call is
/// cancelled by closing its stream. It ends with `stop`, or with the event stream of HTTP+SSE.
final class RemoteLink: ServerLink {
    weak var delegate: (any ServerLinkDelegate)?
    private(set) var traffic = LinkTraffic()
    private(set) var subject: Int?
    private let transport: any ClientTransport
    private let era: Era
    private let source: RemoteSource
    /// The revision of the session, once it is agreed on.
    private var revision: Revision?
    /// The id of an `initialize` whose answer will tell that.
    private var greeting: Int?
    /// Requests that wait in a session that the server may forget, to be sent again then.
    private var sent: [Int: Sent] = [:]
    /// Calls that are to be sent again, or were.
    private var repeated: Set<Int> = []
    /// Which session at the server it is, counted from the first.
    private var session = 0
    /// Requests for lists of tools.
    private var lists: Set<Int> = []
    /// The call that shows whether a server can be reached again that could not.
    private var trial: Int?
    private var isStopping = false
    /// Since when it is there.
    private let started: UInt64
    /// Requests that were sent.
    private var calls = 0

    private struct Sent {
        var text: [UInt8]
        let session: Int
        /// Whether it was sent before, in a session that was forgotten.
        let isAgain: Bool
    }

    init(_ transport: any ClientTransport, _ era: Era, _ source: RemoteSource) {
        self.transport = transport
        self.era = era
        self.source = source
        started = source.context.loop.now
        transport.delegate = self
        source.entered(self)
        transport.open()
    }

    var pendingBytes: Int { transport.pendingBytes }
    /// How many requests are kept to be sent again.
    var keptRequests: Int { sent.count }
    var mustProveItself: Bool { false }
    var diagnosticsTail: String { "" }
    var processID: Int32? { nil }

    func send(_ message: Message, _ bytes: Span<UInt8>, _ edits: Edits) {
        var text: [UInt8] = []
        edits.apply(to: bytes, onOneLine: message.envelope.hasLineBreaks, into: &text)
        send(text)
    }

    func send(_ text: Span<UInt8>) {
        send([UInt8](text, 0..<text.count))
    }

    private func send(_ text: [UInt8]) {
        let bytes = text.span
        guard !isStopping, let message = try? Message(bytes) else { return }
        let id = message.envelope.kind == .request ? bytes.integer(message.envelope.id) : nil
        if let id {
            if let refusal = source.refusal() { return fail(id, refusal) }
            if source.isTrying { trial = id }
        }
        if era == .modern, id == nil {
            // The era has no notifications of clients over HTTP; a call is cancelled by closing its stream.
            if message.method == .cancelled, let call = bytes.integer(message.params.requestID) {
                abandon(call)
            }
            return
        }
        traffic.sentMessages &+= 1
        traffic.sentBytes &+= text.count
        var outgoing = OutgoingMessage(
            text: text,
            id: id,
            method: message.envelope.method.isPresent ? bytes.text(message.envelope.method.slice) : nil,
            fields: fields(message, bytes),
            isResumable: era == .legacy
        )
        if let id {
            calls &+= 1
            note(id, message, text)
        }
        if message.method == .initialize { outgoing.fields = [] }
        transport.send(outgoing)
        if message.method == .cancelled, let call = bytes.integer(message.params.requestID) { abandon(call) }
        if message.method == .initialized, let revision, revision > .v2024_11_05 {
            transport.listen(versionField)
        }
    }

    /// Remembers what is asked, as far as the answer will matter here.
    private func note(_ id: Int, _ message: Message, _ text: [UInt8]) {
        // Where nothing is mirrored, nothing has to be learnt.
        if message.method == .toolsList, transport.mirrorsHeaders { lists.insert(id) }
        guard era == .legacy else { return }
        if message.method == .initialize {
            greeting = id
            revision = nil
        } else {
            // Without a session there is none to be forgotten, and nothing to be kept for that.
            guard transport.hasSession else { return }
            sent[id] = Sent(text: text, session: session, isAgain: repeated.contains(id))
        }
    }

    private func abandon(_ id: Int) {
        transport.abandon(id)
        forget(id)
    }

    /// A call is over, whatever came of it.
    private func forget(_ id: Int) {
        sent[id] = nil
        repeated.remove(id)
        lists.remove(id)
        guard trial == id else { return }
        trial = nil
        // Only if nothing was heard: else it is no try any more.
        source.noteTryGivenUp()
    }

    /// Tells later that a call has failed: whoever sends is not called back at once.
    private func fail(_ id: Int, _ failure: Failure) {
        source.context.loop.onNextTurn { [weak self] in
            guard let self, !self.isStopping else { return }
            self.forget(id)
            self.delegate?.linkLost(call: id, failure)
        }
    }

    func stop() {
        guard !isStopping else { return }
        isStopping = true
        transport.delegate = nil
        if trial.take() != nil { source.noteTryGivenUp() }
        source.leaves(self)
        transport.close(versionField) { [source] in source.left(self) }
    }

    /// What it is at.
    var report: RemoteReport.Line {
        RemoteReport.Line(
            isStopping: isStopping,
            started: started,
            calls: calls,
            greetedAgain: session,
            sentMessages: traffic.sentMessages,
            sentBytes: traffic.sentBytes,
            receivedMessages: traffic.receivedMessages,
            receivedBytes: traffic.receivedBytes,
            pendingBytes: pendingBytes
        )
    }

    // MARK: Headers

    private var versionField: [OutgoingMessage.HTTPHeader] {
        guard let revision, revision >= .v2025_06_18 else { return [] }
        return [.init(name: "mcp-protocol-version", value: revision.rawValue)]
    }

    private func fields(_ message: Message, _ bytes: Span<UInt8>) -> [OutgoingMessage.HTTPHeader] {
        guard era == .modern else { return versionField }
        var fields = [
            OutgoingMessage.HTTPHeader(name: "mcp-protocol-version", value: Revision.modern.rawValue)
        ]
        func add(_ name: String, _ value: JSONString) {
            guard let value = bytes.string(value) else { return }
            let text = String(decoding: value, as: UTF8.self)
            fields.append(.init(name: name, value: RoutingHeaders.encode(text)))
        }
        add("mcp-method", message.envelope.method)
        switch message.method {
        case .toolsCall, .promptsGet: add("mcp-name", message.params.name)
        case .resourcesRead: add("mcp-name", message.params.uri)
        case .tasksGet, .tasksUpdate, .tasksCancel: add("mcp-name", message.params.taskID)
        default: break
        }
        guard message.method == .toolsCall, let name = bytes.string(message.params.name),
            let parameters = source.tools.headerParameters[name]
        else { return fields }
        let arguments = message.params.arguments
        let value = arguments.isPresent ? try? JSONValue(bytes.extracting(arguments.range)) : nil
        fields += parameters.fields(for: value).map { .init(name: $0.name, value: $0.value) }
        return fields
    }
}

// MARK: - What the transport tells

extension RemoteLink: ClientTransportDelegate {
    func transportReceived(_ message: Span<UInt8>, of request: Int?) {
        // A body of its own may have white space around it.
        var start = 0
        while start < message.count, message[start].isWhiteSpace { start += 1 }
        guard start < message.count, !isStopping else { return }
        let bytes = message.extracting(start..<message.count)
        traffic.receivedMessages &+= 1
        traffic.receivedBytes &+= bytes.count
        source.noteReached()
        if greeting != nil { readGreeting(bytes) }
        if !lists.isEmpty { readTools(bytes) }
        subject = request
        delegate?.linkReceived(bytes)
        subject = nil
        if let request, !transportAwaits(request) { forget(request) }
    }

    func transportFailed(_ id: Int, _ error: MCPClientError) {
        let lost = sent[id]
        let isGreeting = greeting == id
        if isGreeting { greeting = nil }
        if RemoteFailures.speaksOfEra(error), isGreeting || era == .modern { source.doubt() }
        if RemoteFailures.isUnreachable(error) {
            source.noteUnreachable()
        } else if RemoteFailures.isAnswer(error) {
            source.noteReached()
        }
        forget(id)
        guard let delegate, delegate.linkAwaits(id) else { return }
        guard let lost, RemoteFailures.isForgotten(error), !lost.isAgain else {
            return tell(delegate, id, error)
        }
        // The first to hear of it gives the session up; the others find the next one, or wait for it.
        let isNews = lost.session == session
        guard !isNews || transport.forgetSession() else { return tell(delegate, id, error) }
        if isNews {
            session += 1
            source.noteForgotten()
            // Those that were given up before they were sent again did not come by here.
            repeated = repeated.filter { delegate.linkAwaits($0) }
        }
        repeated.insert(id)
        delegate.linkForgot(call: id, lost.text, isNews: isNews)
    }

    /// Tells the end of a call: an error that the server has answered goes the way of answers.
    private func tell(_ delegate: any ServerLinkDelegate, _ id: Int, _ error: MCPClientError) {
        guard let answer = RemoteFailures.answer(error) else {
            source.note(error)
            return delegate.linkLost(call: id, RemoteFailures.failure(error))
        }
        var text: [UInt8] = []
        answer.append(id: String(id), to: &text)
        transportReceived(text.span, of: id)
    }

    func transportEnded(_ error: MCPClientError) {
        guard !isStopping else { return }
        if RemoteFailures.isUnreachable(error) { source.noteUnreachable() }
        source.note(error)
        let delegate = delegate
        stop()
        delegate?.linkEnded(RemoteFailures.failure(error))
    }

    func transportShowsLife() { delegate?.linkShowsLife() }
    func transportDiagnosed(_ bytes: Span<UInt8>) {}
    func transportAwaits(_ id: Int) -> Bool { delegate?.linkAwaits(id) ?? false }

    func transportLostSession() {
        // Calls that wait will say so themselves.
        guard sent.isEmpty, !isStopping else { return }
        let delegate = delegate
        stop()
        delegate?.linkEnded(
            Failure(.internalError, "The server has forgotten the session", source: .upstream)
        )
    }

    /// Looks for the revision in the answer to `initialize`.
    private func readGreeting(_ bytes: Span<UInt8>) {
        guard let message = try? Message(bytes), !message.envelope.method.isPresent,
            bytes.integer(message.envelope.id) == greeting
        else { return }
        greeting = nil
        revision = bytes.string(message.result.protocolVersion).flatMap { Revision(bytes: $0) }
    }

    /// Looks for annotations in a list of tools.
    private func readTools(_ bytes: Span<UInt8>) {
        guard let message = try? Message(bytes), !message.envelope.method.isPresent,
            let id = bytes.integer(message.envelope.id), lists.remove(id) != nil
        else { return }
        guard !source.tools.headerParameters.isEmpty || bytes.contains("x-mcp-header"),
            message.result.tools.isPresent
        else { return }
        let list = try? JSONValue(bytes.extracting(message.result.tools.range)).array
        source.learn(list ?? [])
    }
}

extension UInt8 {
    /// Whether JSON passes it over between values (RFC 8259 §2).
    fileprivate var isWhiteSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
}
