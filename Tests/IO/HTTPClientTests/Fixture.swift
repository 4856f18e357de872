// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import HTTPClient
import Testing

/// A running loop for the length of a test.
@discardableResult
func withLoop<R: Sendable>(_ body: (EventLoop) async throws -> R) async throws -> R {
    let loop = try EventLoop(name: "test")
    loop.start()
    let result: Result<R, any Error>
    do { result = .success(try await body(loop)) } catch { result = .failure(error) }
    loop.stop()
    loop.join()
    return try result.get()
}

extension EventLoop {
    /// Runs something on the loop and waits for it.
    @discardableResult
    func run<R: Sendable>(_ work: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            post { continuation.resume(with: Result { try work() }) }
        }
    }

    /// Waits, turn by turn of a short timer, until a condition holds on the loop; gives up after many.
    func wait(_ what: Comment, until condition: @escaping @Sendable () -> Bool) async throws {
        let met = await withCheckedContinuation { continuation in
            post {
                var left = 4000
                var timer: LoopTimer?
                timer = LoopTimer(self) {
                    left -= 1
                    let met = condition()
                    guard met || left == 0 else { return }
                    timer?.close()
                    timer = nil
                    continuation.resume(returning: met)
                }
                timer?.repeat(every: 5)
            }
        }
        try #require(met, what)
    }
}

/// A server that notes what it is sent, and answers each request by a script.
final class ScriptedServer: ByteStreamDelegate {
    struct Request {
        var line: String
        var fields: [HTTPField]
        var body: String
    }

    private(set) var requests: [Request] = []
    private(set) var connections: [ByteStream] = []
    private var partial: [ObjectIdentifier: [UInt8]] = [:]
    private var listener: TCPListener?
    private let answer: (Request, ByteStream) -> Void

    init(_ loop: EventLoop, _ answer: @escaping (Request, ByteStream) -> Void) throws {
        self.answer = answer
        listener = try TCPListener(loop, host: "127.0.0.1", port: 0) { [weak self] stream in
            guard let self else { return stream.close() }
            self.connections.append(stream)
            stream.delegate = self
            stream.startReading()
        }
    }

    /// One that answers every request with the same text.
    convenience init(_ loop: EventLoop, text: String) throws {
        try self.init(loop) { _, stream in stream.write(text) }
    }

    var url: String { "http://127.0.0.1:\(listener?.port ?? 0)/path" }

    func streamReceived(_ bytes: Span<UInt8>, on stream: ByteStream) {
        partial[ObjectIdentifier(stream), default: []].append(bytes)
        while let request = takeRequest(stream) {
            requests.append(request)
            answer(request, stream)
        }
    }

    func streamEnded(_ failure: IOFailure?, on stream: ByteStream) { stream.close() }
    func streamDrained(on stream: ByteStream) {}

    private func takeRequest(_ stream: ByteStream) -> Request? {
        let text = String(decoding: partial[ObjectIdentifier(stream)] ?? [], as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        var lines = text[..<end.lowerBound].split(separator: "\r\n").map(String.init)
        let line = lines.removeFirst()
        let fields = lines.map { line in
            let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
            return HTTPField(parts[0].lowercased(), parts.count > 1 ? String(parts[1].dropFirst()) : "")
        }
        let length = fields.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
        let rest = Array(text[end.upperBound...].utf8)
        guard rest.count >= length else { return nil }
        partial[ObjectIdentifier(stream)] = Array(rest[length...])
        return Request(line: line, fields: fields, body: String(decoding: rest[..<length], as: UTF8.self))
    }
}

extension ByteStream {
    func write(_ text: String) { write(Array(text.utf8).span) }
}

extension ScriptedServer.Request {
    func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }
}

/// Notes what a response brings.
final class Recorder: HTTPResponseDelegate {
    var response: HTTPResponse?
    var heads = 0
    var body: [UInt8] = []
    var parts = 0
    var ends: [HTTPClientFailure?] = []
    var onHead: (HTTPTransfer) -> Void = { _ in }
    var onPart: (HTTPTransfer) -> Void = { _ in }

    var text: String { String(decoding: body, as: UTF8.self) }
    var kind: HTTPClientFailure.Kind? { ends.first??.kind }

    func responseBegan(_ response: HTTPResponse, of transfer: HTTPTransfer) {
        self.response = response
        heads += 1
        onHead(transfer)
    }

    func responseReceived(_ bytes: Span<UInt8>, of transfer: HTTPTransfer) {
        body.append(bytes)
        parts += 1
        onPart(transfer)
    }

    func responseEnded(_ failure: HTTPClientFailure?, of transfer: HTTPTransfer) { ends.append(failure) }
}

/// A client, a server and a recorder on one loop.
final class Bench {
    let server: ScriptedServer
    let client: HTTPClient
    let recorder = Recorder()
    var transfer: HTTPTransfer?

    init(_ server: ScriptedServer, _ loop: EventLoop) throws {
        self.server = server
        client = try HTTPClient(loop)
    }

    func start(_ method: String = "GET", _ adjust: (inout HTTPRequest) -> Void = { _ in }) throws {
        var request = HTTPRequest(method: method, url: server.url)
        adjust(&request)
        transfer = try client.start(request, delegate: recorder)
    }

    /// Runs one request against a server with a fixed answer, to its end.
    static func exchange(
        _ answer: String,
        method: String = "GET",
        _ adjust: @escaping @Sendable (inout HTTPRequest) -> Void = { _ in },
        check: @escaping @Sendable (Bench) -> Void
    ) async throws {
        try await withLoop { loop in
            let bench = try await loop.run {
                let bench = try Bench(ScriptedServer(loop, text: answer), loop)
                try bench.start(method, adjust)
                return LoopBound(bench, loop)
            }
            try await loop.wait("the end") { !bench.value.recorder.ends.isEmpty }
            try await loop.run {
                check(bench.value)
                bench.value.client.close()
            }
        }
    }
}
