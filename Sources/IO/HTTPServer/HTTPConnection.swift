// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import HTTPWire
import TLS

/// A connection: reads requests one after the other, and writes their responses in the same order.
///
/// A request is read only when the one before it is answered; what comes early is kept, up to a limit. It keeps reading
/// while a response is due, because the end of the stream is how a client's leaving shows.
final class HTTPConnection: ByteStreamDelegate {
    private enum Phase {
        /// Between requests, or inside a head.
        case head
        /// Inside a body; how much of it is to come, or nil in chunks.
        case body(remaining: Int?)
        /// The request was read whole; its response is due.
        case response
        /// The response was given; the client has not taken all of it, and gets no further one before.
        case flushing
        /// A response was sent before its body had come: throws the rest away, then closes.
        case discarding(Int)
        /// Nothing is read any more.
        case closed
    }

    private let stream: ByteStream
    /// Its encryption; nil for plain HTTP.
    private let tls: TLSStream?
    /// Until the connection is closed, the two keep each other alive.
    private let server: HTTPServer
    /// Whether it has one of the last descriptors: it answers one request, and soon.
    let isScarce: Bool
    @exclusivity(unchecked) private var phase = Phase.head
    @exclusivity(unchecked) private var parser: HTTPRequestHeadParser
    private var decoder: HTTPChunkedDecoder
    @exclusivity(unchecked) private var exchange: HTTPExchange?
    @exclusivity(unchecked) private var decision = BodyDecision.refused
    /// What was read and belongs to a request that is not being read yet, or to a head that is not whole.
    @exclusivity(unchecked) private var kept: [UInt8] = []
    /// Bytes that TLS has answered by itself, and of which the client may have taken none.
    private var answered = 0
    /// A body that came in parts.
    @exclusivity(unchecked) private var body: [UInt8] = []
    @exclusivity(unchecked) private var bodyCount = 0
    private var closesAfterResponse = false
    private var isConsuming = false
    private var timer: LoopTimer?
    /// When the current wait is over.
    private var deadline: UInt64 = .max
    /// When the timer fires.
    private var timerTime: UInt64 = .max
    /// Whether the current wait is for a request to begin.
    private var deadlineIsIdle = true
    /// How much the client had taken when that was last looked at.
    private var takenAtLastLook = 0
    /// Whether the client has not taken all that it was given.
    private var isBehind = false

    init(_ stream: ByteStream, _ tls: TLSStream?, server: HTTPServer, isScarce: Bool = false) {
        self.stream = stream
        self.tls = tls
        self.server = server
        self.isScarce = isScarce
        closesAfterResponse = isScarce
        parser = HTTPRequestHeadParser(limits: server.limits.wire)
        decoder = HTTPChunkedDecoder(limits: server.limits.wire)
    }

    func start() {
        stream.delegate = self
        // The timer goes with its connection. A weak reference would make every use of the connection slower.
        timer = LoopTimer(server.loop) { [unowned self] in timeUp() }
        // A handshake has the time of a head: whoever does not speak holds a connection for that long only.
        wait(isScarce || tls != nil ? headLimit : server.limits.idle)
        stream.startReading()
    }

    var pendingBytes: Int { stream.pendingBytes }
    var takenLate: Int { stream.takenLate }
    /// Whether the response that is being given is a stream.
    var isStreaming: Bool { exchange?.isStreaming == true }
    private(set) lazy var peerAddress: String? = stream.peerAddress
    var isSecure: Bool { tls != nil }

    func close() {
        if case .closed = phase { return }
        phase = .closed
        timer?.close()
        // An answer that is broken off is not ended in order.
        if let tls, exchange == nil { tls.endWriting { stream.write($0) } }
        stream.close()
        let exchange = exchange
        self.exchange = nil
        if let exchange, exchange.isOpen {
            server.handler.vanished(exchange)
            exchange.detach()
        }
        server.closed(self)
    }

    /// The server is ending: an idle connection closes, a busy one after its response.
    func drain() {
        closesAfterResponse = true
        if case .head = phase, kept.isEmpty { close() }
    }

    // MARK: Reading

    func streamReceived(_ bytes: Span<UInt8>, on stream: ByteStream) {
        if let tls { decrypt(bytes, tls) } else { take(in: bytes) }
    }

    /// Takes requests out of what a client has encrypted.
    private func decrypt(_ bytes: Span<UInt8>, _ tls: TLSStream) {
        let wasEstablished = tls.isEstablished
        let progress = tls.receive(bytes) { bytes in
            if wasEstablished { answered += bytes.count }
            stream.write(bytes)
        } take: { bytes in
            take(in: bytes)
            if case .closed = phase { return false }
            return true
        }
        if case .closed = phase { return }
        switch progress {
        case .ended: return close()
        case .failed(let failure): return breakOff(failure)
        case .open: break
        }
        // Asked for new keys, TLS answers by itself; a client that never takes these answers is no client.
        if stream.pendingBytes == 0 { answered = 0 }
        if answered > server.limits.pipelined { return close() }
        watchWrites()
        if !wasEstablished, tls.isEstablished, case .head = phase, deadlineIsIdle { wait(server.limits.idle) }
    }

    /// TLS has failed: the client was told by an alert, or speaks plain HTTP and is told so in its language.
    private func breakOff(_ failure: TLSFailure) {
        if case .discarding = phase { return close() }
        let refusal = failure.isPlainHTTP ? HTTPRefusal.plainOnSecurePort : HTTPRefusal(failure)
        server.handler.refused(refusal)
        guard exchange == nil else { return close() }
        if failure.isPlainHTTP {
            closesAfterResponse = true
            let reason = refusal.reason
            compose(refusal.status, Self.textFields, withoutBody: false, rest: Span()) {
                $0.append(reason)
            } write: {
                stream.write($0, $1)
            }
        }
        phase = .discarding(server.limits.discarded)
        stream.endWriting()
        wait(2_000)
    }

    private static let textFields: HTTPResponseFields = [("Content-Type", Array("text/plain".utf8))]

    private func take(in bytes: Span<UInt8>) {
        if kept.isEmpty {
            consume(bytes)
        } else {
            kept.append(bytes)
            resume()
        }
    }

    func streamEnded(_ failure: IOFailure?, on stream: ByteStream) {
        close()
    }

    /// Reads on in what was kept.
    private func resume() {
        guard !isConsuming else { return }
        let bytes = kept
        kept = []
        consume(bytes.span)
    }

    /// Reads as many requests as are there and may be read, and keeps the rest.
    private func consume(_ bytes: Span<UInt8>) {
        isConsuming = true
        var position = 0
        reading: while true {
            do {
                switch phase {
                case .head:
                    guard position < bytes.count, try readHead(bytes, &position) else { break reading }
                case .body(let remaining):
                    guard try readBody(bytes, &position, remaining: remaining) else { break reading }
                case .discarding(let budget):
                    position = bytes.count
                    discard(bytes.count, of: budget)
                    break reading
                case .response, .flushing, .closed:
                    break reading
                }
            } catch {
                position = bytes.count
                refuse(error)
                break reading
            }
        }
        isConsuming = false
        if case .closed = phase { return }
        if position < bytes.count { kept.append(bytes, position..<bytes.count) }
        switch phase {
        case .response, .flushing: if kept.count > server.limits.pipelined { stream.stopReading() }
        default: break
        }
    }

    /// Reads a head; false if it is not whole.
    private func readHead(_ bytes: Span<UInt8>, _ position: inout Int) throws(HTTPRefusal) -> Bool {
        let parsed: Int?
        do {
            parsed = try parser.parse(bytes.extracting(position..<bytes.count))
        } catch {
            throw HTTPRefusal(error)
        }
        guard let length = parsed else {
            if deadlineIsIdle { wait(headLimit) }
            deadlineIsIdle = false
            return false
        }
        deadlineIsIdle = false
        position += length
        let head = parser.takeHead()
        if !head.keepsAlive || server.isDraining { closesAfterResponse = true }
        let exchange = HTTPExchange(head, self)
        self.exchange = exchange
        body.removeAll(keepingCapacity: body.capacity <= 65_536)
        bodyCount = 0
        switch head.bodyFraming {
        case .none: phase = .body(remaining: 0)
        case .length(let length): phase = .body(remaining: length)
        case .chunked:
            decoder = HTTPChunkedDecoder(limits: server.limits.wire)
            phase = .body(remaining: nil)
        }
        decision = server.handler.begin(exchange)
        if case .closed = phase { return false }
        if case .refused = decision {
            abandonBody()
            return true
        }
        if case .length(let length) = head.bodyFraming, length > limit {
            throw HTTPRefusal.bodyTooLarge
        }
        if case .none = head.bodyFraming { return true }
        // Memory that is not touched costs nothing; growing step by step copies a large body several times.
        if case .length(let length) = head.bodyFraming, length > bytes.count - position,
            case .collect = decision
        {
            body.reserveCapacity(length)
        }
        if head.expectsContinue { write(Self.continueHead.span) }
        wait(server.limits.body)
        return true
    }

    /// Milliseconds that a head may take.
    private var headLimit: UInt64 { isScarce ? min(server.limits.head, 250) : server.limits.head }

    private static let continueHead = composed { HTTPResponseHead.writeContinue(to: &$0) }

    private static func composed(_ compose: (inout [UInt8]) -> Void) -> [UInt8] {
        var bytes: [UInt8] = []
        compose(&bytes)
        return bytes
    }

    private var limit: Int {
        switch decision {
        case .collect(let limit), .stream(let limit): limit
        case .refused: 0
        }
    }

    /// Reads of a body what is there; false if more must come.
    private func readBody(
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        remaining: Int?
    ) throws(HTTPRefusal) -> Bool {
        if let remaining {
            let part = position..<min(bytes.count, position + remaining)
            position = part.upperBound
            if part.count == remaining, body.isEmpty, case .collect = decision {
                // The usual case: the body came with its head, and is looked at where it is.
                complete(bytes.extracting(part))
                return true
            }
            take(bytes.extracting(part))
            guard part.count == remaining else {
                phase = .body(remaining: remaining - part.count)
                return false
            }
            completeFromParts()
            return true
        }
        while true {
            let event: HTTPChunkedDecoder.Event
            do {
                event = try decoder.next(bytes, from: &position)
            } catch {
                throw HTTPRefusal(error)
            }
            switch event {
            case .needMore:
                return false
            case .data(let range):
                bodyCount += range.count
                guard bodyCount <= limit else { throw HTTPRefusal.bodyTooLarge }
                bodyCount -= range.count
                take(bytes.extracting(range))
                if case .closed = phase { return false }
            case .end:
                completeFromParts()
                return true
            }
        }
    }

    private func take(_ part: Span<UInt8>) {
        guard !part.isEmpty else { return }
        bodyCount += part.count
        if deadline != .max { deadline += UInt64(part.count) }
        if case .stream = decision, let exchange {
            server.handler.receivedPart(part, exchange)
        } else {
            body.append(part)
        }
    }

    private func completeFromParts() {
        let whole = body
        body = []
        complete(whole.span)
    }

    private func complete(_ whole: Span<UInt8>) {
        phase = .response
        guard let exchange else { return responseEndedLater() }
        deadline = .max
        server.handler.received(whole, exchange)
    }

    // MARK: Ends of requests

    /// The response of the current request has been given.
    func responseEnded(_ ended: HTTPExchange) {
        guard exchange === ended else { return }
        exchange = nil
        switch phase {
        case .response: responseEndedLater()
        case .body: abandonBody()
        case .head, .flushing, .discarding, .closed: break
        }
    }

    /// Goes on to the next request, or closes.
    private func responseEndedLater() {
        guard stream.pendingBytes == 0 else {
            phase = .flushing
            return
        }
        if closesAfterResponse {
            // The client may still be sending: a plain close could take the response from it.
            phase = .discarding(server.limits.discarded)
            tls?.endWriting { stream.write($0) }
            stream.endWriting()
            wait(2_000)
            return
        }
        phase = .head
        deadlineIsIdle = true
        wait(server.limits.idle)
        if !kept.isEmpty, !isConsuming {
            stream.startReading()
            resume()
        }
    }

    /// A response was given while the body was still coming.
    private func abandonBody() {
        guard case .body(let remaining) = phase else { return }
        if exchange?.isOpen == true { return }
        if remaining == 0 {
            phase = .response
            responseEndedLater()
            return
        }
        closesAfterResponse = true
        responseEndedLater()
    }

    private func discard(_ count: Int, of budget: Int) {
        if count >= budget { return close() }
        phase = .discarding(budget - count)
    }

    /// Answers what broke the rules, and closes: what follows on the connection cannot be trusted.
    private func refuse(_ error: HTTPRefusal) {
        server.handler.refused(error)
        closesAfterResponse = true
        let open = exchange
        exchange = nil
        if let open, open.isOpen {
            if open.isUnanswered {
                respond(error.status, [], withoutBody: false) { $0.append(error.reason) }
            }
            server.handler.vanished(open)
            open.detach()
        } else if open == nil {
            respond(error.status, Self.textFields, withoutBody: false) { $0.append(error.reason) }
        }
        responseEndedLater()
    }

    // MARK: Writing

    private func write(_ first: Span<UInt8>, _ second: Span<UInt8>) {
        guard tls != nil else { return stream.write(first, second) }
        write(first)
        if !second.isEmpty { write(second) }
    }

    private func write(_ bytes: Span<UInt8>) {
        guard let tls else { return stream.write(bytes) }
        guard !tls.write(bytes, send: { stream.write($0) }) else { return }
        // Not at once: whoever writes still holds what closing takes away.
        stream.loop.onNextTurn { [weak self] in self?.close() }
    }

    func respond(
        _ status: Int,
        _ fields: HTTPResponseFields,
        withoutBody: Bool,
        rest: Span<UInt8> = Span(),
        body: (inout [UInt8]) -> Void
    ) {
        // A body that was not read whole makes what follows it unreadable.
        if case .body(let remaining) = phase, remaining != 0 { closesAfterResponse = true }
        let all = tls == nil ? fields : fields + server.secureFields
        compose(status, all, withoutBody: withoutBody, rest: rest, body: body) { write($0, $1) }
        watchWrites()
    }

    /// Puts a response together.
    private func compose(
        _ status: Int,
        _ fields: HTTPResponseFields,
        withoutBody: Bool,
        rest: Span<UInt8>,
        body: (inout [UInt8]) -> Void,
        write: (Span<UInt8>, Span<UInt8>) -> Void
    ) {
        var written = status
        server.output.compose(body: body) { length, head in
            do {
                let framing: HTTPResponseHead.Body =
                    status == 204 || status == 304 ? .none : .length(length + rest.count)
                try HTTPResponseHead.write(
                    status: status,
                    fields: fields,
                    body: framing,
                    close: closesAfterResponse,
                    to: &head
                )
            } catch {
                // A value of ours that would split the response (threats: response splitting).
                head.removeAll(keepingCapacity: true)
                written = 500
                Self.writeInternalError(to: &head)
            }
        } write: { bytes in
            if withoutBody || written != status {
                write(Self.headOnly(bytes), Span())
            } else {
                write(bytes, rest)
            }
        }
        if written != status { closesAfterResponse = true }
    }

    private static func writeInternalError(to head: inout [UInt8]) {
        head.append(
            literal: "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
    }

    /// The bytes up to the end of the head.
    @_lifetime(copy bytes)
    private static func headOnly(_ bytes: Span<UInt8>) -> Span<UInt8> {
        var index = 0
        while index + 4 <= bytes.count {
            if bytes[index] == 13, bytes[index + 1] == 10, bytes[index + 2] == 13, bytes[index + 3] == 10 {
                return bytes.extracting(0..<index + 4)
            }
            index += 1
        }
        return bytes
    }

    func startStream(_ status: Int, _ fields: HTTPResponseFields, untilClose: Bool) {
        if untilClose { closesAfterResponse = true }
        var head: [UInt8] = []
        do {
            try HTTPResponseHead.write(
                status: status,
                fields: tls == nil ? fields : fields + server.secureFields,
                body: untilClose ? .untilClose : .chunked,
                close: closesAfterResponse,
                to: &head
            )
        } catch {
            head.removeAll()
            Self.writeInternalError(to: &head)
            closesAfterResponse = true
        }
        send(head.span)
    }

    func send(_ bytes: Span<UInt8>) {
        write(bytes)
        watchWrites()
    }

    func send(chunk: Span<UInt8>) {
        server.output.compose {
            HTTPResponseHead.append(chunk: chunk, to: &$0)
        } write: {
            write($0)
        }
        watchWrites()
    }

    func sendLastChunk() {
        send(Self.lastChunk.span)
    }

    private static let lastChunk = composed { HTTPResponseHead.appendLastChunk(to: &$0) }

    // MARK: Time

    /// Sees to it that a client that takes nothing is noticed, counted from when it first took less than it was given.
    private func watchWrites() {
        guard stream.pendingBytes > 0, !isBehind else { return }
        isBehind = true
        takenAtLastLook = stream.takenLate
        wait(server.limits.write)
    }

    func streamDrained(on stream: ByteStream) {
        isBehind = false
        switch phase {
        case .response: deadline = .max
        case .flushing: responseEndedLater()
        default: break
        }
    }

    private func wait(_ milliseconds: UInt64) {
        deadline = server.loop.now &+ milliseconds
        // A timer that fires earlier is set again then: most waits end before, and cost nothing here.
        guard timerTime > deadline else { return }
        timerTime = deadline
        timer?.schedule(after: milliseconds)
    }

    private func timeUp() {
        timerTime = .max
        let now = server.loop.now
        if deadline > now {
            if deadline != .max { wait(deadline - now) }
            return
        }
        let pending = stream.pendingBytes
        if pending > 0, stream.takenLate > takenAtLastLook {
            takenAtLastLook = stream.takenLate
            return wait(server.limits.write)
        }
        switch phase {
        case .head where pending == 0 && !deadlineIsIdle, .body where pending == 0:
            refuse(.timeout)
        default:
            close()
        }
    }
}
