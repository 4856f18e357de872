// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import HTTPServer
import HTTPWire
import TestSupport

/// A handler that takes bodies as they come, and answers with how much came.
final class Taking: HTTPHandler {
    private let limit: Int
    /// The length of each part.
    private(set) var parts: [Int] = []
    /// A sum over the bytes of the parts, which tells whether they came in order.
    private(set) var sum: UInt64 = 0
    /// What was there at the end of each body.
    private(set) var rests: [Int] = []
    private(set) var refusals: [Int] = []
    private(set) var vanished = 0

    init(limit: Int) { self.limit = limit }

    var received: Int { parts.reduce(0, +) }

    static func sum(_ bytes: some Sequence<UInt8>, from start: UInt64 = 0) -> UInt64 {
        bytes.reduce(start) { $0 &* 31 &+ UInt64($1) }
    }

    func begin(_ exchange: HTTPExchange) -> BodyDecision { .stream(limit: limit) }

    func receivedPart(_ bytes: Span<UInt8>, _ exchange: HTTPExchange) {
        parts.append(bytes.count)
        for index in bytes.indices { sum = sum &* 31 &+ UInt64(bytes[index]) }
    }

    func received(_ body: Span<UInt8>, _ exchange: HTTPExchange) {
        rests.append(body.count)
        exchange.respond(200, []) { $0.append(decimal: received) }
    }

    func vanished(_ exchange: HTTPExchange) { vanished += 1 }
    func refused(_ refusal: HTTPRefusal) { refusals.append(refusal.status) }
}

extension HTTPServerLimits {
    /// Under which nothing is over because a busy machine takes its time between two steps of a test: with a sanitizer,
    /// and all tests side by side, that can be minutes.
    static var patient: HTTPServerLimits {
        let hour: UInt64 = 3_600_000
        var limits = HTTPServerLimits()
        (limits.head, limits.body, limits.idle, limits.write) = (hour, hour, hour, hour)
        return limits
    }
}

/// A server and a client that writes what it is told, on one loop.
final class Line: ByteStreamDelegate {
    let handler: Taking
    private(set) var answer: [UInt8] = []
    private(set) var isEnded = false
    private let server: HTTPServer
    private let client: ByteStream

    init(_ loop: EventLoop, limit: Int) throws {
        handler = Taking(limit: limit)
        server = try HTTPServer(
            loop: loop,
            host: "127.0.0.1",
            port: 0,
            limits: .patient,
            handler: handler
        )
        client = try ByteStream(adopting: connectLoopback(server.port), kind: .tcp, loop: loop)
        client.delegate = self
        client.startReading()
    }

    var text: String { String(decoding: answer, as: UTF8.self) }

    func send(_ text: String) { client.write(text) }
    func send(_ bytes: [UInt8]) { client.write(bytes.span) }
    func leave() { client.close() }

    func close() {
        client.close()
        server.close()
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: ByteStream) { answer.append(bytes) }
    func streamEnded(_ failure: IOFailure?, on stream: ByteStream) { isEnded = true }
    func streamDrained(on stream: ByteStream) {}
}

/// Runs a test with a line, and closes it.
func withLine(limit: Int, _ body: (EventLoop, LoopBound<Line>) async throws -> Void) async throws {
    try await withLoop { loop in
        let line = try await loop.run { LoopBound(try Line(loop, limit: limit), loop) }
        try await body(loop, line)
        try await loop.run { line.value.close() }
    }
}
