// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import HTTPServer
import HTTPWire
import TLS
import TestSupport
import Testing

/// A handler that answers with what came, in two pieces, or with as much as the path asks for.
private final class Echoing: HTTPHandler {
    private(set) var refusals: [HTTPRefusal] = []
    private(set) var vanished = 0
    private(set) var stream: HTTPExchange?

    func begin(_ exchange: HTTPExchange) -> BodyDecision { .collect(limit: 4 << 20) }

    func received(_ body: Span<UInt8>, _ exchange: HTTPExchange) {
        if exchange.head.path.count > 1 {
            stream = exchange
            return exchange.startStream(200, [])
        }
        let half = body.count / 2
        exchange.respond(200, [], rest: body.extracting(half..<body.count)) { $0.append(body, 0..<half) }
    }

    func vanished(_ exchange: HTTPExchange) { vanished += 1 }
    func refused(_ refusal: HTTPRefusal) { refusals.append(refusal) }
}

/// A server that speaks TLS and a client on one loop.
private final class SecureLine: ByteStreamDelegate {
    let handler = Echoing()
    let server: HTTPServer
    let tls: TLSClient
    let client: ByteStream
    private(set) var plain: [UInt8] = []
    private(set) var isEnded = false

    init(_ loop: EventLoop, _ files: Certificates, isSecure: Bool = true, limits: HTTPServerLimits) throws {
        server = try HTTPServer(
            loop: loop,
            host: "127.0.0.1",
            port: 0,
            limits: limits,
            identity: TLSIdentity(TLSSettings(certificate: files.certificate, key: files.key)),
            secureFields: [("Strict-Transport-Security", Array("max-age=60".utf8))],
            handler: handler
        )
        tls = try TLSClient()
        client = try ByteStream(adopting: connectLoopback(server.port), kind: .tcp, loop: loop)
        client.delegate = self
        client.startReading()
        if isSecure { flush() }
    }

    var text: String { String(decoding: tls.received, as: UTF8.self) }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        tls.write(bytes)
        flush()
    }

    func flush() {
        let bytes = tls.takeOutput()
        client.write(bytes.span)
    }

    func close() {
        client.close()
        server.close()
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: ByteStream) {
        var copy: [UInt8] = []
        copy.append(bytes)
        plain += copy
        tls.receive(copy)
        flush()
    }

    func streamEnded(_ failure: IOFailure?, on stream: ByteStream) { isEnded = true }
    func streamDrained(on stream: ByteStream) {}
}

private func withSecureLine(
    isSecure: Bool = true,
    limits: HTTPServerLimits = .patient,
    _ body: (EventLoop, LoopBound<SecureLine>) async throws -> Void
) async throws {
    let files = try Certificates()
    try await withLoop { loop in
        let line = try await loop.run {
            LoopBound(try SecureLine(loop, files, isSecure: isSecure, limits: limits), loop)
        }
        if isSecure { try await loop.wait("the handshake") { line.value.tls.isEstablished } }
        try await body(loop, line)
        try await loop.run { line.value.close() }
    }
}

@Suite struct `A server that speaks TLS` {
    @Test func `answers requests one after the other, and says that browsers should come by TLS`()
        async throws
    {
        try await withSecureLine { loop, line in
            try await loop.run {
                line.value.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
                line.value.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nde")
            }
            try await loop.wait("the second answer") { line.value.text.hasSuffix("\r\n\r\nde") }
            try await loop.run {
                #expect(line.value.text.contains("\r\n\r\nabcHTTP/1.1 200 OK\r\n"))
                #expect(line.value.text.contains("Strict-Transport-Security: max-age=60\r\n"))
                #expect(line.value.handler.refusals.isEmpty)
            }
        }
    }

    @Test func `carries a mebibyte there and back`() async throws {
        let body = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        try await withSecureLine { loop, line in
            try await loop.run {
                line.value.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n")
                line.value.send(body)
            }
            try await loop.wait("the answer") { line.value.tls.received.count > body.count }
            try await loop.run { #expect(line.value.tls.received.suffix(body.count) == body[...]) }
        }
    }

    @Test func `ends in order after a response that was the last`() async throws {
        try await withSecureLine { loop, line in
            try await loop.run { line.value.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") }
            try await loop.wait("the end") { line.value.isEnded }
            try await loop.run { #expect(line.value.tls.isEnded && !line.value.tls.hasFailed) }
        }
    }

    @Test func `lets an answer that is broken off look like one`() async throws {
        try await withSecureLine { loop, line in
            try await loop.run { line.value.send("GET /stream HTTP/1.0\r\nHost: a\r\n\r\n") }
            try await loop.wait("the stream") { line.value.handler.stream != nil }
            try await loop.run { line.value.handler.stream?.abort() }
            try await loop.wait("the end") { line.value.isEnded }
            try await loop.run { #expect(!line.value.tls.isEnded) }
        }
    }

    @Test func `keeps what a slow reader has not taken, and counts it`() async throws {
        let piece = [UInt8](repeating: 7, count: 1 << 20)
        try await withSecureLine { loop, line in
            try await loop.run { line.value.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n") }
            try await loop.wait("the stream") { line.value.text.contains("chunked") }
            try await loop.run {
                line.value.client.stopReading()
                for _ in 0..<24 { line.value.handler.stream?.send(piece.span) }
                let queued = line.value.handler.stream?.queuedBytes ?? 0
                #expect(queued > 1 << 20)
                #expect(line.value.server.pendingBytes == queued)
                line.value.client.startReading()
            }
            try await loop.wait("all of it") { line.value.tls.received.count > 24 << 20 }
            try await loop.wait("nothing waits") { line.value.handler.stream?.queuedBytes == 0 }
        }
    }

    @Test func `tells a client that speaks plain HTTP what to do, and not to come by TLS for ever`()
        async throws
    {
        try await withSecureLine(isSecure: false) { loop, line in
            try await loop.run {
                let request = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
                line.value.client.write(request.span)
            }
            try await loop.wait("the end") { line.value.isEnded }
            try await loop.run {
                let answer = String(decoding: line.value.plain, as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
                #expect(answer.hasSuffix("\r\n\r\nthis port speaks TLS: the address begins with https://"))
                #expect(!answer.contains("Strict-Transport-Security"))
                #expect(line.value.handler.refusals.map(\.status) == [400])
            }
        }
    }

    @Test func `closes on garbage, and says what it was`() async throws {
        try await withSecureLine(isSecure: false) { loop, line in
            try await loop.run {
                let garbage = [UInt8](repeating: 0xA5, count: 600)
                line.value.client.write(garbage.span)
            }
            try await loop.wait("the end") { line.value.isEnded }
            try await loop.run {
                #expect(line.value.handler.refusals.map(\.reason) == ["TLS: wrong version number"])
            }
        }
    }

    @Test func `waits for a handshake as long as for a head`() async throws {
        var limits = HTTPServerLimits()
        limits.head = 50
        try await withSecureLine(isSecure: false, limits: limits) { loop, line in
            try await loop.wait("the end") { line.value.isEnded }
            try await loop.run {
                #expect(line.value.plain.isEmpty)
                #expect(line.value.server.connectionCount == 0)
            }
        }
    }
}
