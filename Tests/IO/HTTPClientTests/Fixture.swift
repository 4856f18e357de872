// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Egress
import EventLoop
import HTTPClient
import TestSupport
import Testing

/// Notes what a response brings.
final class Recorder: HTTPResponseDelegate {
    var response: HTTPResponse?
    var heads = 0
    var body: [UInt8] = []
    var parts = 0
    var ends: [HTTPClientFailure?] = []
    var onHead: (HTTPTransfer) -> Void = { _ in }
    var onPart: (HTTPTransfer) -> Void = { _ in }
    var onEnd: () -> Void = {}

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

    func responseEnded(_ failure: HTTPClientFailure?, of transfer: HTTPTransfer) {
        ends.append(failure)
        onEnd()
    }
}

/// A client, a server and a recorder on one loop.
final class Bench {
    let server: ScriptedServer
    let client: HTTPClient
    let recorder = Recorder()
    var transfer: HTTPTransfer?

    init(_ server: ScriptedServer, _ loop: EventLoop) throws {
        self.server = server
        client = try HTTPClient(loop, egress: .anywhere)
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
