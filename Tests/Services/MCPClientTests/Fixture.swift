// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import HTTPClient
import JSON
import MCPClient
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

/// A client on the loop, and what it was told.
final class Bench {
    let client: MCPClient
    var server: ScriptedServer?
    var connected: Result<ServerDescription, MCPClientError>?
    var results: [Result<JSONValue, MCPClientError>] = []
    var progress: [JSONValue] = []
    var events: [String] = []
    var told: [String] = []
    var questions: [ServerQuestion] = []
    var isClosed = false

    init(_ target: ServerTarget, era: EraPreference, _ loop: EventLoop) {
        var options = MCPClient.Options(identity: ClientIdentity(name: "test", version: "1"))
        options.era = era
        options.identity.capabilities = [
            "elicitation": ["form": [:], "url": [:]], "roots": [:],
            "extensions": .object([.init(TaskWatch.extension, [:])]),
        ]
        client = MCPClient(target, options: options, on: loop)
        client.onEvent = { [weak self] event in
            switch event {
            case .notification(let method, _): self?.events.append(method)
            case .task(let id, let status, _): self?.events.append("task \(id) \(status)")
            case .warning(let text): self?.events.append("warning: \(text)")
            case .diagnostics(let bytes): self?.events.append(String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    var error: MCPClientError? {
        guard case .failure(let error) = connected else { return nil }
        return error
    }

    func request(_ method: String, _ params: JSONValue = .null) {
        client.request(method, params, onProgress: { self.progress.append($0) }) { self.results.append($0) }
    }

    /// The texts of the results; an error's description for an error.
    var texts: [String] {
        results.map { result in
            switch result {
            case .success(let value): String(decoding: value.text(), as: UTF8.self)
            case .failure(let error): "! \(error)"
            }
        }
    }
}

extension LoopBound where Value == Bench {
    /// Makes a client and has it connect.
    static func connect(
        _ loop: EventLoop,
        era: EraPreference = .auto,
        _ target: @escaping @Sendable () throws -> (ServerTarget, ScriptedServer?)
    ) async throws -> LoopBound<Bench> {
        let bench = try await loop.run {
            let (target, server) = try target()
            let bench = Bench(target, era: era, loop)
            bench.server = server
            bench.client.connect { bench.connected = $0 }
            return LoopBound(bench, loop)
        }
        try await loop.wait("the connection") { bench.value.connected != nil }
        return bench
    }

    func request(_ method: String, _ params: JSONValue = .null) async throws {
        let before = try await loop.run {
            value.request(method, params)
            return value.results.count
        }
        try await loop.wait("the end of \(method)") { value.results.count > before }
    }

    func close() async throws {
        try await loop.run { value.client.close { value.isClosed = true } }
        try await loop.wait("the end of the client") { value.isClosed }
    }
}
