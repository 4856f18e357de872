// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Egress
import EventLoop
import EventStream
import FoundationEssentials
import HTTPClient

/// A server of the oldest kind: all that it says comes on one event stream, which also names the URL that takes messages
/// (2024-11-05, transports, "HTTP with SSE").
///
/// It starts with the GET; what is sent before the server has named that URL is kept in order. Each message is a POST of its
/// own, and they may overtake each other; only a notification, which has no answer to wait for, is there before what is sent
/// after it. A server that leaves the response to a POST open when the answer has come has a moment to end it. It ends with the
/// stream, which cannot be resumed.
package final class EventStreamTransport: ClientTransport {
    package weak var delegate: (any ClientTransportDelegate)?
    package var mirrorsHeaders: Bool { false }

    private let server: HTTPDestination
    private var stream: Stream?
    /// Where messages go, once the server has told.
    private var endpoint: String?
    /// What waits for that, or for a notification to be there.
    private var early: [OutgoingMessage] = []
    private var notice: Post?
    private var posts: [ObjectIdentifier: Post] = [:]
    /// Those of them whose answers have come, the oldest first.
    private var lingering: [Post] = []
    private var lingerTimer: LoopTimer?
    private var isClosing = false
    private var hasEnded = false

    /// How many messages wait at most.
    private static let earlyLimit = 100

    /// Makes a transport; nothing is sent before it is opened.
    package init(_ server: HTTPDestination) {
        self.server = server
    }

    /// Bytes of messages that were not taken yet.
    package var pendingBytes: Int {
        early.reduce(0) { $0 + $1.text.count } + posts.values.reduce(0) { $0 + $1.size }
    }

    package func open() {
        let stream = Stream(self, limit: server.limit)
        self.stream = stream
        var request = HTTPRequest(method: "GET", url: server.url, fields: server.fields)
        request.fields.append(HTTPField("accept", "text/event-stream"))
        do throws(HTTPClientFailure) {
            stream.transfer = try server.http.start(request, delegate: stream)
        } catch {
            let failure = MCPClientError(error)
            server.http.loop.onNextTurn { self.ended(failure) }
        }
    }

    package func send(_ message: OutgoingMessage) {
        guard !isClosing, !hasEnded else { return }
        guard let endpoint, notice == nil else {
            if early.count < Self.earlyLimit { return early.append(message) }
            return fail(message.id, .ended("the server does not take messages"))
        }
        var request = HTTPRequest(method: "POST", url: endpoint, fields: server.fields, body: message.text)
        request.fields += message.fields.map { HTTPField($0.name, $0.value) }
        request.fields.append(HTTPField("content-type", "application/json"))
        // Others wait for it: a server that never answers it must not hold them for ever.
        if message.id == nil { request.totalTimeout = server.noticeTimeout }
        let post = Post(self, message)
        do throws(HTTPClientFailure) {
            post.transfer = try server.http.start(request, delegate: post)
            posts[ObjectIdentifier(post)] = post
            if message.id == nil { notice = post }
        } catch {
            fail(message.id, MCPClientError(error))
        }
    }

    package func abandon(_ id: Int) {
        early.removeAll { $0.id == id }
        for post in Array(posts.values) where post.id == id { drop(post) }
    }

    /// Closes a POST that nobody needs any more.
    private func drop(_ post: Post) {
        post.transfer?.cancel()
        posts[ObjectIdentifier(post)] = nil
        lingering.removeAll { $0 === post }
    }

    /// A message has come: the POSTs that nobody waits for any more have a moment to end.
    private func letLinger() {
        for post in posts.values {
            guard let id = post.id, delegate?.transportAwaits(id) == false,
                !lingering.contains(where: { $0 === post })
            else { continue }
            lingering.append(post)
        }
        while lingering.count > HTTPDestination.lingerLimit, let oldest = lingering.first { drop(oldest) }
        guard !lingering.isEmpty else { return }
        let timer = lingerTimer ?? LoopTimer(server.http.loop) { [weak self] in self?.endLingering() }
        lingerTimer = timer
        if !timer.isScheduled { timer.schedule(after: HTTPDestination.lingerTime) }
    }

    private func endLingering() {
        for post in lingering { drop(post) }
    }

    package func close(_ fields: [OutgoingMessage.HTTPHeader], completion: @escaping () -> Void) {
        guard !isClosing else { return server.http.loop.onNextTurn(completion) }
        isClosing = true
        stream?.transfer?.cancel()
        for post in posts.values { post.transfer?.cancel() }
        if server.ownsClient { server.http.close() }
        posts = [:]
        lingering = []
        lingerTimer?.close()
        stream = nil
        server.http.loop.onNextTurn(completion)
    }

    private func fail(_ id: Int?, _ error: MCPClientError) {
        guard let id else { return }
        server.http.loop.onNextTurn { [weak self] in self?.delegate?.transportFailed(id, error) }
    }

    fileprivate func ended(_ error: MCPClientError) {
        guard !hasEnded, !isClosing else { return }
        hasEnded = true
        delegate?.transportEnded(error)
    }

    fileprivate func delivered(_ post: Post, _ error: MCPClientError?) {
        posts[ObjectIdentifier(post)] = nil
        lingering.removeAll { $0 === post }
        if notice === post {
            notice = nil
            sendEarly()
        }
        if let error, let id = post.id { delegate?.transportFailed(id, error) }
    }

    fileprivate func received(_ event: ServerSentEvent) {
        if event.type.equals("message") {
            delegate?.transportReceived(event.data.span, of: nil)
            if !isClosing, !posts.isEmpty { letLinger() }
        } else if event.type.equals("endpoint"), endpoint == nil {
            let reference = String(decoding: event.data, as: UTF8.self)
            guard let endpoint = Self.resolve(reference, from: server.url) else {
                stream?.transfer?.cancel()
                return ended(.malformed("the server wants messages at another origin, or at no proper URL"))
            }
            self.endpoint = endpoint
            sendEarly()
        }
    }

    private func sendEarly() {
        let waiting = early
        early = []
        for message in waiting { send(message) }
    }

    /// The URL for messages; nil if it is not of the stream's origin, where secrets in the headers must not go.
    static func resolve(_ reference: String, from base: String) -> String? {
        guard let base = URL(string: base), let url = URL(string: reference, relativeTo: base)?.absoluteURL,
            url.scheme?.lowercased() == base.scheme?.lowercased(),
            url.host?.lowercased() == base.host?.lowercased(), url.port == base.port
        else { return nil }
        return url.absoluteString
    }
}

/// The stream itself.
private final class Stream: HTTPResponseDelegate {
    var transfer: HTTPTransfer?
    private weak var transport: EventStreamTransport?
    private var events: EventStreamParser
    private var status = 0
    private var isStream = false

    init(_ transport: EventStreamTransport, limit: Int) {
        self.transport = transport
        events = EventStreamParser(limits: EventStreamLimits(line: limit + 1024, data: limit))
    }

    func responseBegan(_ response: HTTPResponse, of transfer: HTTPTransfer) {
        status = response.status
        isStream = status == 200 && response.mediaType == "text/event-stream"
        if !isStream {
            transfer.cancel()
            transport?.ended(.http(status: status, detail: ""))
        }
    }

    func responseReceived(_ bytes: Span<UInt8>, of transfer: HTTPTransfer) {
        guard isStream else { return }
        var position = 0
        do throws(EventStreamError) {
            while let event = try events.next(bytes, from: &position) { transport?.received(event) }
        } catch {
            transfer.cancel()
            transport?.ended(.malformed("the server's event stream breaks a limit"))
        }
    }

    func responseEnded(_ failure: HTTPClientFailure?, of transfer: HTTPTransfer) {
        transport?.ended(failure.map { MCPClientError($0) } ?? .ended("the server ended its event stream"))
    }
}

/// One message on its way.
private final class Post: HTTPResponseDelegate {
    let id: Int?
    let size: Int
    var transfer: HTTPTransfer?
    private weak var transport: EventStreamTransport?
    private var status = 0

    init(_ transport: EventStreamTransport, _ message: OutgoingMessage) {
        self.transport = transport
        id = message.id
        size = message.text.count
    }

    func responseBegan(_ response: HTTPResponse, of transfer: HTTPTransfer) { status = response.status }
    func responseReceived(_ bytes: Span<UInt8>, of transfer: HTTPTransfer) {}

    func responseEnded(_ failure: HTTPClientFailure?, of transfer: HTTPTransfer) {
        self.transfer = nil
        let isTaken = (200..<300).contains(status)
        let error = failure.map { MCPClientError($0) } ?? (isTaken ? nil : .http(status: status, detail: ""))
        transport?.delivered(self, error)
    }
}
