// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import EventStream
import HTTPClient

/// An event stream of a legacy session that is read by GET, and opened again when it breaks off (2025-11-25, transports,
/// "Resumability and Redelivery").
///
/// It is either the session's own stream or the rest of the answer to a request. It waits as long as the server told by
/// `retry:`, resumes after the last event that had an id, and ends when it is closed, when the request is answered, when
/// the server refuses, or after too many attempts that brought nothing.
final class HTTPEventSource: HTTPResponseDelegate {
    /// Milliseconds before it is opened again, where the server said nothing, and the most that is waited.
    private static let pause: UInt64 = 1000
    private static let longestPause: UInt64 = 300_000
    /// Whatever the server says: asking at once and for ever would take the loop from all others.
    private static let shortestPause: UInt64 = 100

    /// The request whose answer it brings; nil for the session's own stream.
    let request: Int?
    private weak var transport: HTTPTransport?
    let fields: [OutgoingMessage.HTTPHeader]
    /// Whether the server has ever opened it.
    private(set) var hasBeenOpen = false
    private let limit: Int
    private var lastEventID: [UInt8]
    private var retry: UInt64?
    private var backoff = Backoff(first: 1000)
    private var events: EventStreamParser?
    private var status = 0
    private var hasBrought = false
    private var transfer: HTTPTransfer?
    private var timer: LoopTimer?

    init(
        _ transport: HTTPTransport,
        for request: Int?,
        _ fields: [OutgoingMessage.HTTPHeader],
        after lastEventID: [UInt8] = [],
        retry: Int? = nil
    ) {
        self.transport = transport
        self.request = request
        self.fields = fields
        self.lastEventID = lastEventID
        limit = transport.limit
        note(retry)
        timer = LoopTimer(transport.loop) { [weak self] in self?.open() }
    }

    /// Opens it at once, as for a stream that was never open.
    func open() {
        guard let transport else { return }
        status = 0
        events = nil
        hasBrought = false
        do throws(HTTPClientFailure) {
            transfer = try transport.get(fields, after: lastEventID, delegate: self)
        } catch {
            finish(MCPClientError(error))
        }
    }

    /// Opens it after the server's pause, as for one that broke off.
    func reopen() {
        timer?.schedule(after: min(Self.longestPause, retry ?? Self.pause))
    }

    func close() {
        timer?.close()
        timer = nil
        transfer?.cancel()
        transfer = nil
    }

    func responseBegan(_ response: HTTPResponse, of transfer: HTTPTransfer) {
        status = response.status
        guard status == 200, response.mediaType == "text/event-stream" else { return }
        hasBeenOpen = true
        let limits = EventStreamLimits(line: limit + 1024, data: limit)
        events = EventStreamParser(limits: limits, lastEventID: lastEventID)
    }

    func responseReceived(_ bytes: Span<UInt8>, of transfer: HTTPTransfer) {
        guard events != nil else { return }
        var position = 0
        do throws(EventStreamError) {
            while let event = try events?.next(bytes, from: &position) {
                hasBrought = true
                if event.type.equals("message"), !event.data.isEmpty {
                    transport?.received(event.data.span, of: request)
                }
            }
            // The server may leave it open after the answer.
            if let request, self.transfer != nil, transport?.awaits(request) == false { finish(.cancelled) }
        } catch {
            transfer.cancel()
            finish(.malformed("the server's event stream breaks a limit"))
        }
    }

    func responseEnded(_ failure: HTTPClientFailure?, of transfer: HTTPTransfer) {
        self.transfer = nil
        if let events {
            if !events.lastEventID.isEmpty { lastEventID = events.lastEventID }
            note(events.retry)
        } else if status != 0, !(500..<600).contains(status) {
            return finish(.http(status: status, detail: ""))
        }
        if let request, transport?.awaits(request) != true { return finish(.cancelled) }
        if hasBrought { backoff.succeeded() }
        guard let pause = backoff.failed() else {
            return finish(.ended("the stream ended before the answer, and could not be resumed"))
        }
        let wanted = max(retry ?? Self.pause, Self.shortestPause)
        timer?.schedule(after: min(Self.longestPause, hasBrought ? wanted : max(wanted, pause)))
    }

    private func note(_ retry: Int?) {
        if let retry, retry >= 0 { self.retry = UInt64(retry) }
    }

    private func finish(_ error: MCPClientError) {
        close()
        transport?.sourceEnded(self, error)
    }
}
