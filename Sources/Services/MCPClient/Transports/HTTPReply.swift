// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventStream
import HTTPClient
import JSON
import JSONRPC

/// Reads the response to one POST: a single message, or an event stream of them.
///
/// It ends with the response; one that the server leaves open after the answer is closed by the transport. A request that was not answered by then goes on where the stream can be resumed; else it is
/// told to have failed, with the most that the response says about why.
final class HTTPReply: HTTPResponseDelegate {
    var transfer: HTTPTransfer?
    private weak var transport: HTTPTransport?
    private let id: Int?
    private let opensSession: Bool
    private let isResumable: Bool
    private let fields: [OutgoingMessage.HTTPHeader]
    private let limit: Int
    private var response: HTTPResponse?
    private var events: EventStreamParser?
    private var body: [UInt8] = []
    /// Whether its request has been answered, and the response goes on.
    private var isLingering = false
    /// Bytes of the message that the server has not begun to answer.
    private var pending = 0

    /// How much of a response is kept that is no message.
    private static let excerpt = 65_536

    init(_ transport: HTTPTransport, to message: OutgoingMessage) {
        self.transport = transport
        id = message.id
        limit = transport.limit
        opensSession = message.method == "initialize"
        isResumable = message.isResumable && !opensSession
        fields = message.fields
    }

    /// Counts the message until the server begins to answer it.
    func count(_ size: Int) {
        pending = size
        transport?.notePending(size)
    }

    private func settle() {
        transport?.notePending(-pending)
        pending = 0
    }

    /// Ends it, since nobody waits for more.
    func finish() {
        guard transfer != nil else { return }
        give(up: .cancelled)
    }

    /// Ends it without a word.
    func cancel() {
        settle()
        stopLingering()
        transfer?.cancel()
        transfer = nil
    }

    func responseBegan(_ response: HTTPResponse, of transfer: HTTPTransfer) {
        settle()
        self.response = response
        if opensSession, let session = response.value("mcp-session-id") { transport?.open(session: session) }
        guard isSuccess, response.mediaType == "text/event-stream" else { return }
        events = EventStreamParser(limits: EventStreamLimits(line: limit + 1024, data: limit))
    }

    func responseReceived(_ bytes: Span<UInt8>, of transfer: HTTPTransfer) {
        guard events == nil else { return readEvents(bytes) }
        guard bytes.count <= (isSuccess ? limit : Self.excerpt) - body.count else {
            return give(up: .malformed("the server sent a message that is larger than the limit"))
        }
        body.append(bytes)
    }

    func responseEnded(_ failure: HTTPClientFailure?, of transfer: HTTPTransfer) {
        settle()
        stopLingering()
        self.transfer = nil
        if let id, isResumable, let events, !events.lastEventID.isEmpty, transport?.awaits(id) == true {
            transport?.resume(id, fields, after: events.lastEventID, retry: events.retry)
            return
        }
        if let failure { return over(MCPClientError(failure)) }
        guard events == nil else { return over(.ended("the stream ended before the answer")) }
        guard isSuccess else { return over(refusal) }
        if !body.isEmpty, response?.mediaType == "application/json" {
            transport?.received(body.span, of: id)
            return over(.malformed("the server's response has no answer in it"))
        }
        let type = response?.mediaType.map { "of type \($0)" } ?? "without a type"
        over(
            .malformed(
                "the server answered with something \(body.isEmpty ? "empty" : type), not with a message"
            )
        )
    }

    private var isSuccess: Bool { (200..<300).contains(response?.status ?? 0) }

    private func readEvents(_ bytes: Span<UInt8>) {
        var position = 0
        do throws(EventStreamError) {
            while let event = try events?.next(bytes, from: &position) {
                // An event without data only marks a place in the stream.
                if event.type.equals("message"), !event.data.isEmpty {
                    transport?.received(event.data.span, of: id)
                }
            }
        } catch {
            return give(up: .malformed("the server's event stream breaks a limit"))
        }
        guard let id, transfer != nil, !isLingering, transport?.awaits(id) == false else { return }
        isLingering = true
        transport?.lingers(self)
    }

    private func stopLingering() {
        guard isLingering else { return }
        isLingering = false
        transport?.leaves(self)
    }

    private func give(up error: MCPClientError) {
        cancel()
        over(error)
    }

    private func over(_ error: MCPClientError) {
        transport?.ended(id, error, of: self)
    }

    /// Why the server refused, from the status and, where there is one, the error in the body.
    private var refusal: MCPClientError {
        let status = response?.status ?? 0
        if let value = try? JSONValue(body.span), let error = value["error"],
            let failure = Failure(upstream: error)
        {
            return .refused(failure, status: status)
        }
        let isText = response?.mediaType.map { $0.hasPrefix("text/plain") || $0.hasSuffix("json") } ?? false
        let text = isText ? String(decoding: body.prefix(200), as: UTF8.self) : ""
        return .http(status: status, detail: text)
    }
}
