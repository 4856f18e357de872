// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Egress
import EventLoop
import HTTPClient
import MCPClient
import TestSupport
import Testing

/// Waits for some requests, and notes what comes.
private final class Waiter: ClientTransportDelegate {
    var waiting: Set<Int> = []
    var answered: [Int] = []
    var over: [Int] = []

    func transportReceived(_ message: Span<UInt8>, of request: Int?) {
        // On a stream that is nobody's own, the message names its request.
        let text = message.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
        guard let request = request ?? Int(text.filter(\.isNumber)) else { return }
        waiting.remove(request)
        answered.append(request)
    }
    func transportFailed(_ id: Int, _ error: MCPClientError) { over.append(id) }
    func transportEnded(_ error: MCPClientError) {}
    func transportShowsLife() {}
    func transportDiagnosed(_ bytes: Span<UInt8>) {}
    func transportAwaits(_ id: Int) -> Bool { waiting.contains(id) }
    func transportLostSession() {}
}

/// A transport with what hears it and the server that it reaches.
private final class Wire {
    let waiter = Waiter()
    let server: ScriptedServer
    let http: HTTPClient
    let transport: any ClientTransport

    init(
        _ loop: EventLoop,
        stream: Bool = false,
        noticeTimeout: Int = 30_000,
        _ answer: @escaping (ScriptedServer.Request, ByteStream) -> Void
    ) throws {
        server = try ScriptedServer(loop, answer)
        http = try HTTPClient(loop, egress: .anywhere)
        let destination = HTTPDestination(
            url: server.url,
            fields: [],
            limit: 1 << 20,
            over: http,
            ownsClient: true,
            noticeTimeout: noticeTimeout
        )
        transport = stream ? EventStreamTransport(destination) : HTTPTransport(destination)
        transport.delegate = waiter
        transport.open()
    }

    func send(_ id: Int?, _ method: String) {
        if let id { waiter.waiting.insert(id) }
        let text = #"{"jsonrpc":"2.0","method":"\#(method)"}"#
        transport.send(
            OutgoingMessage(text: Array(text.utf8), id: id, method: method, fields: [], isResumable: true)
        )
    }
}

/// What a scripted server remembers.
private final class Line {
    var stream: ByteStream?
    var answered = 0
}

private let eventStream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

@Suite("What a server leaves open or unanswered")
struct TransportPatienceTests {
    @Test func `a response that is left open after its answer is closed`() async throws {
        try await withLoop { loop in
            let wire = try await loop.run {
                let wire = try Wire(loop) { _, stream in
                    stream.write(eventStream + "id: 1\ndata: {\"id\":1}\n\n: and so on\n\n")
                }
                return LoopBound(wire, loop)
            }
            // As many as may stay open for a moment, and some more.
            try await loop.run { for id in 1...12 { wire.value.send(id, "tools/list") } }
            try await loop.wait("the answers") { wire.value.waiter.answered.count == 12 }
            try await loop.wait("the surplus") {
                wire.value.server.connections.count(where: \.isClosed) >= 4
            }
            try await loop.wait("the rest") {
                wire.value.server.connections.count == 12
                    && wire.value.server.connections.allSatisfy(\.isClosed)
            }
            try await loop.run {
                #expect(Set(wire.value.waiter.over) == Set(1...12))
                // None of them is asked for again.
                #expect(wire.value.server.requests.count == 12)
                wire.value.transport.close([]) {}
            }
        }
    }

    /// The answers come on the stream; the responses to the messages never end.
    @Test func `nor does the response to a message stay open at a server of the oldest kind`() async throws {
        try await withLoop { loop in
            let wire = try await loop.run {
                let line = Line()
                let wire = try Wire(loop, stream: true) { request, stream in
                    if request.line.hasPrefix("GET") {
                        line.stream = stream
                        stream.write(eventStream + "event: endpoint\ndata: /post\n\n")
                    } else if !request.body.contains("never") {
                        line.answered += 1
                        line.stream?.write("event: message\ndata: {\"id\":\(line.answered)}\n\n")
                    }
                }
                return LoopBound(wire, loop)
            }
            try await loop.run {
                for id in 1...12 { wire.value.send(id, "tools/list") }
                wire.value.send(13, "never")
            }
            try await loop.wait("all requests") { wire.value.server.requests.count == 14 }
            try await loop.wait("the answered ones are closed") {
                wire.value.server.connections.count(where: \.isClosed) == 12
            }
            try await loop.run { wire.value.transport.abandon(13) }
            try await loop.wait("and the abandoned one") {
                wire.value.server.connections.count(where: \.isClosed) == 13
            }
            try await loop.run {
                #expect(wire.value.transport.pendingBytes == 0)
                #expect(wire.value.waiter.over.isEmpty)
                wire.value.transport.close([]) {}
            }
        }
    }

    @Test func `a resumed stream that is left open after the answer is closed`() async throws {
        try await withLoop { loop in
            let wire = try await loop.run {
                let wire = try Wire(loop) { request, stream in
                    if request.line.hasPrefix("GET") {
                        stream.write(eventStream + "id: 2\ndata: {\"id\":1}\n\n: and so on\n\n")
                    } else {
                        stream.write(eventStream + "id: 1\nretry: 1\ndata:\n\n")
                        stream.closeAfterWriting()
                    }
                }
                return LoopBound(wire, loop)
            }
            try await loop.run { wire.value.send(1, "tools/list") }
            try await loop.wait("the answer") { wire.value.waiter.answered == [1] }
            try await loop.wait("the end") {
                wire.value.server.connections.count == 2
                    && wire.value.server.connections.allSatisfy(\.isClosed)
            }
            try await loop.run { wire.value.transport.close([]) {} }
        }
    }

    @Test func `a handshake whose end is never answered does not hold back the calls for ever`() async throws
    {
        try await withLoop { loop in
            let wire = try await loop.run {
                let wire = try Wire(loop, noticeTimeout: 50) { _, _ in }
                return LoopBound(wire, loop)
            }
            try await loop.run {
                wire.value.send(nil, "notifications/initialized")
                wire.value.send(1, "tools/list")
            }
            try await loop.wait("the call") {
                wire.value.server.requests.last?.body.contains("tools/list") == true
            }
            try await loop.run { wire.value.transport.close([]) {} }
        }
    }

    @Test func `nor does a notification to a server of the oldest kind`() async throws {
        try await withLoop { loop in
            let wire = try await loop.run {
                let wire = try Wire(loop, stream: true, noticeTimeout: 50) { request, stream in
                    guard request.line.hasPrefix("GET") else { return }
                    stream.write(eventStream + "event: endpoint\ndata: /post\n\n")
                }
                return LoopBound(wire, loop)
            }
            try await loop.run {
                wire.value.send(nil, "notifications/initialized")
                wire.value.send(1, "tools/list")
            }
            try await loop.wait("the call") {
                wire.value.server.requests.last?.body.contains("tools/list") == true
            }
            try await loop.run { wire.value.transport.close([]) {} }
        }
    }
}
