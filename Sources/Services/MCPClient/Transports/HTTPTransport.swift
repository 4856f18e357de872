// Gatehouse. SPDX-License-Identifier: MIT

import Egress
import EventLoop
import HTTPClient

/// A server behind a URL: a POST for each message (2025-11-25 and 2026-07-28, transports, "Streamable HTTP").
///
/// In the legacy era it keeps the session that the server opened, listens on the session's own stream, resumes streams
/// that break off, and ends the session with DELETE when it is closed. A server that leaves a response open after the answer
/// has a moment to end it, so that the connection can be used again; then it is closed. Several may share an HTTP client, and with it
/// connections; what belongs to a session travels in fields only.
package final class HTTPTransport: ClientTransport {
    package weak var delegate: (any ClientTransportDelegate)?
    package var mirrorsHeaders: Bool { true }

    private let server: HTTPDestination
    var limit: Int { server.limit }
    var loop: EventLoop { server.http.loop }
    private var session: String?
    private var replies: [Int: HTTPReply] = [:]
    /// What brings the rest of answers that broke off.
    private var resumed: [Int: HTTPEventSource] = [:]
    /// Bytes of messages that were sent, and of which the server has not begun to answer any.
    private var unanswered = 0
    /// The session's own stream.
    private var stream: HTTPEventSource?
    /// The fields for that stream, once it was given up because nothing came of it.
    private var deafness: [OutgoingMessage.HTTPHeader]?
    private var isClosing = false
    /// The end of the handshake while it is on its way, and what was sent meanwhile: another connection could overtake it.
    private var shaking: HTTPReply?
    private var held: [OutgoingMessage] = []
    /// The fields for the session's own stream, where it waits for the end of the handshake.
    private var heldStream: [OutgoingMessage.HTTPHeader]?
    /// Messages on their way that have no answer.
    private var notices = 0
    /// Waits for them before the end.
    private var onDelivered: (() -> Void)?
    private var patience: LoopTimer?

    /// Replies that have brought their answers and are open all the same, the oldest first.
    private var lingering: [HTTPReply] = []
    private var lingerTimer: LoopTimer?

    /// Milliseconds that the end of a session may take.
    private static let farewell = 2000

    /// Makes a transport; nothing is sent before it is opened.
    package init(_ server: HTTPDestination) {
        self.server = server
    }

    package var hasSession: Bool { session != nil }

    package func open() {}

    package func send(_ message: OutgoingMessage) {
        guard !isClosing else { return }
        guard shaking == nil else { return held.append(message) }
        var request = HTTPRequest(method: "POST", url: server.url, body: message.text)
        request.fields = fields(message.fields)
        request.fields.append(HTTPField("content-type", "application/json"))
        request.fields.append(HTTPField("accept", "application/json, text/event-stream"))
        // Others wait for it: a server that never answers it must not hold them for ever.
        if message.id == nil { request.totalTimeout = server.noticeTimeout }
        let reply = HTTPReply(self, to: message)
        if message.method == "notifications/initialized" { shaking = reply }
        do throws(HTTPClientFailure) {
            reply.transfer = try server.http.start(request, delegate: reply)
            reply.count(message.text.count)
            if let id = message.id { replies[id] = reply } else { notices += 1 }
        } catch {
            let failure = MCPClientError(error)
            shaking = nil
            loop.onNextTurn { [weak self] in
                if let id = message.id { self?.delegate?.transportFailed(id, failure) }
            }
        }
    }

    package func abandon(_ id: Int) {
        held.removeAll { $0.id == id }
        replies.removeValue(forKey: id)?.cancel()
        resumed.removeValue(forKey: id)?.close()
    }

    package func listen(_ fields: [OutgoingMessage.HTTPHeader]) {
        guard !isClosing else { return }
        guard shaking == nil else { return heldStream = fields }
        stream?.close()
        deafness = nil
        stream = HTTPEventSource(self, for: nil, fields)
        stream?.open()
    }

    package func forgetSession() -> Bool {
        guard session != nil else { return false }
        session = nil
        stream?.close()
        stream = nil
        deafness = nil
        return true
    }

    package func close(_ fields: [OutgoingMessage.HTTPHeader], completion: @escaping () -> Void) {
        guard !isClosing else { return loop.onNextTurn(completion) }
        isClosing = true
        for reply in replies.values { reply.cancel() }
        for source in resumed.values { source.close() }
        stream?.close()
        lingerTimer?.close()
        lingering = []
        replies = [:]
        resumed = [:]
        stream = nil
        guard notices > 0 else { return leave(fields, completion) }
        onDelivered = { self.leave(fields, completion) }
        patience = LoopTimer(loop) { self.delivered() }
        patience?.schedule(after: UInt64(Self.farewell))
    }

    private func delivered() {
        patience?.close()
        patience = nil
        onDelivered.take()?()
    }

    /// Ends the session, if there is one, and the connections.
    private func leave(_ fields: [OutgoingMessage.HTTPHeader], _ completion: @escaping () -> Void) {
        var request = HTTPRequest(method: "DELETE", url: server.url, fields: self.fields(fields))
        request.totalTimeout = Self.farewell
        let last = Farewell { [server] in
            if server.ownsClient { server.http.close() }
            completion()
        }
        // What the server says to it changes nothing: it may also refuse (405).
        let isOnItsWay = session != nil && (try? server.http.start(request, delegate: last)) != nil
        if !isOnItsWay { loop.onNextTurn { last.over() } }
    }

    package var pendingBytes: Int { unanswered + held.reduce(0) { $0 + $1.text.count } }

    /// A message has been sent, or, with a negative number, the server has begun to answer it.
    func notePending(_ count: Int) { unanswered += count }

    private func fields(_ fields: [OutgoingMessage.HTTPHeader]) -> [HTTPField] {
        var all = server.fields + fields.map { HTTPField($0.name, $0.value) }
        if let session { all.append(HTTPField("mcp-session-id", session)) }
        return all
    }

    // MARK: What replies bring

    /// Takes the session that the answer to `initialize` opened.
    func open(session id: String) {
        // Visible ASCII, so that it can be sent back as it is.
        guard !id.utf8.isEmpty, id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return }
        session = id
    }

    func received(_ message: Span<UInt8>, of request: Int?) {
        delegate?.transportReceived(message, of: request)
        // The server is there after all: its stream is worth another try.
        if let fields = deafness.take() { listen(fields) }
    }

    func awaits(_ id: Int) -> Bool { delegate?.transportAwaits(id) == true }

    /// A reply has brought its answer, and the server has not ended it.
    func lingers(_ reply: HTTPReply) {
        guard !isClosing else { return }
        lingering.append(reply)
        if lingering.count > HTTPDestination.lingerLimit { lingering.removeFirst().finish() }
        if lingerTimer == nil { lingerTimer = LoopTimer(loop) { [weak self] in self?.endLingering() } }
        if lingerTimer?.isScheduled == false { lingerTimer?.schedule(after: HTTPDestination.lingerTime) }
    }

    /// Ends what was there when the timer was set, and what came since: nothing is lost with it.
    private func endLingering() {
        let replies = lingering
        lingering = []
        for reply in replies { reply.finish() }
    }

    /// A reply is over that may have lingered.
    func leaves(_ reply: HTTPReply) { lingering.removeAll { $0 === reply } }

    /// A reply is over; the error is for a request that is still unanswered.
    func ended(_ id: Int?, _ error: MCPClientError, of reply: HTTPReply) {
        guard let id else {
            notices -= 1
            if reply === shaking {
                shaking = nil
                let waiting = held
                held = []
                for message in waiting { send(message) }
                if let fields = heldStream.take() { listen(fields) }
            }
            if notices == 0 { delivered() }
            return
        }
        replies[id] = nil
        delegate?.transportFailed(id, error)
    }

    // MARK: Streams that break off

    /// A reply broke off before its answer, after an event that had an id.
    func resume(_ id: Int, _ fields: [OutgoingMessage.HTTPHeader], after event: [UInt8], retry: Int?) {
        replies[id] = nil
        guard !isClosing else { return }
        let source = HTTPEventSource(self, for: id, fields, after: event, retry: retry)
        resumed[id] = source
        source.reopen()
    }

    /// Sends a GET for an event stream.
    func get(
        _ fields: [OutgoingMessage.HTTPHeader],
        after event: [UInt8],
        delegate: HTTPEventSource
    ) throws(HTTPClientFailure) -> HTTPTransfer {
        var request = HTTPRequest(method: "GET", url: server.url, fields: self.fields(fields))
        request.fields.append(HTTPField("accept", "text/event-stream"))
        if !event.isEmpty {
            request.fields.append(HTTPField("last-event-id", String(decoding: event, as: UTF8.self)))
        }
        return try server.http.start(request, delegate: delegate)
    }

    /// A stream is not opened again; the error is for the request whose answer it should have brought.
    func sourceEnded(_ source: HTTPEventSource, _ error: MCPClientError) {
        if let id = source.request {
            guard resumed[id] === source else { return }
            resumed[id] = nil
            if awaits(id) { delegate?.transportFailed(id, error) }
        } else if stream === source {
            stream = nil
            // A server without such a stream says so (405, and some 404), and all goes on without it.
            if case .http(let status, _) = error {
                if status == 404, source.hasBeenOpen, session != nil { delegate?.transportLostSession() }
            } else {
                deafness = source.fields
            }
        }
    }
}

extension MCPClientError {
    init(_ failure: HTTPClientFailure) {
        self =
            switch failure.kind {
            case .badRequest, .forbidden, .unreachable: .unreachable(failure.description)
            case .timedOut: .timedOut
            case .broken: .ended("the connection broke: \(failure.description)")
            }
    }
}

/// Waits for the end of the last request.
private final class Farewell: HTTPResponseDelegate {
    private var completion: (() -> Void)?

    init(_ completion: @escaping () -> Void) { self.completion = completion }

    func over() { completion.take()?() }

    func responseBegan(_ response: HTTPResponse, of transfer: HTTPTransfer) {}
    func responseReceived(_ bytes: Span<UInt8>, of transfer: HTTPTransfer) {}
    func responseEnded(_ failure: HTTPClientFailure?, of transfer: HTTPTransfer) { over() }
}
