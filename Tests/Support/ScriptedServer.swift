// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import EventLoop

/// An HTTP server that notes what it is sent, and answers each request by a script.
///
/// It listens on loopback from its making on, at a port of the system's choice. It understands what the tests' clients
/// send and no more: a head, and a body of the length that the head says.
package final class ScriptedServer: ByteStreamDelegate {
    /// A request as it came, with the names of its fields in small letters.
    package struct Request {
        package var line: String
        package var fields: [(name: String, value: String)]
        package var body: String

        package func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }
    }

    package private(set) var requests: [Request] = []
    package private(set) var connections: [ByteStream] = []
    private var partial: [ObjectIdentifier: [UInt8]] = [:]
    private var listener: TCPListener?
    private let answer: (Request, ByteStream) -> Void

    package init(_ loop: EventLoop, _ answer: @escaping (Request, ByteStream) -> Void) throws {
        self.answer = answer
        listener = try TCPListener(loop, host: "127.0.0.1", port: 0) { [weak self] stream in
            guard let self else { return stream.close() }
            self.connections.append(stream)
            stream.delegate = self
            stream.startReading()
        }
    }

    /// One that answers every request with the same text.
    package convenience init(_ loop: EventLoop, text: String) throws {
        try self.init(loop) { _, stream in stream.write(text) }
    }

    package var port: UInt16 { listener?.port ?? 0 }
    package var url: String { "http://127.0.0.1:\(port)/path" }

    package func streamReceived(_ bytes: Span<UInt8>, on stream: ByteStream) {
        partial[ObjectIdentifier(stream), default: []].append(bytes)
        while let request = takeRequest(stream) {
            requests.append(request)
            answer(request, stream)
        }
    }

    package func streamEnded(_ failure: IOFailure?, on stream: ByteStream) { stream.close() }
    package func streamDrained(on stream: ByteStream) {}

    private func takeRequest(_ stream: ByteStream) -> Request? {
        let text = String(decoding: partial[ObjectIdentifier(stream)] ?? [], as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        var lines = text[..<end.lowerBound].split(separator: "\r\n").map(String.init)
        let line = lines.removeFirst()
        let fields = lines.map { line in
            let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
            return (parts[0].lowercased(), parts.count > 1 ? String(parts[1].dropFirst()) : "")
        }
        let length = fields.first { $0.0 == "content-length" }.flatMap { Int($0.1) } ?? 0
        let rest = Array(text[end.upperBound...].utf8)
        guard rest.count >= length else { return nil }
        partial[ObjectIdentifier(stream)] = Array(rest[length...])
        return Request(line: line, fields: fields, body: String(decoding: rest[..<length], as: UTF8.self))
    }
}

extension ByteStream {
    package func write(_ text: String) { write(Array(text.utf8).span) }
}
