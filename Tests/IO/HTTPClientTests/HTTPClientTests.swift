// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Egress
import EventLoop
import Glibc
import HTTPClient
import TestSupport
import Testing

private let hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

@Suite struct HTTPClientTests {
    @Test func `a response comes with its status, its fields and its body`() async throws {
        let answer =
            "HTTP/1.1 201 Created\r\nContent-Type: text/Plain; charset=x\r\nX-A:  b c \r\nContent-Length: 5\r\n\r\nhello"
        try await Bench.exchange(answer) { bench in
            let response = bench.recorder.response
            #expect(response?.status == 201)
            #expect(response?.value("x-a") == "b c")
            #expect(response?.mediaType == "text/plain")
            #expect(bench.recorder.text == "hello")
            #expect(bench.recorder.ends == [nil])
        }
    }

    @Test func `a request has the fields that were given and none of its own choice`() async throws {
        try await Bench.exchange(hello, method: "POST") { request in
            request.fields = [HTTPField("X-One", "1"), HTTPField("X-Empty", "")]
            request.body = Array("{}".utf8)
        } check: { bench in
            let request = bench.server.requests.first
            #expect(request?.line == "POST /path HTTP/1.1")
            #expect(request?.body == "{}")
            #expect(request?.value("x-one") == "1")
            #expect(request?.value("x-empty") == "")
            let names = Set(request?.fields.map(\.name) ?? [])
            #expect(names == ["host", "content-length", "x-one", "x-empty"])
        }
    }

    @Test(arguments: ["GET", "DELETE", "PUT", "OPTIONS"])
    func `methods are sent as they are`(_ method: String) async throws {
        try await Bench.exchange(hello, method: method) { bench in
            #expect(bench.server.requests.first?.line == "\(method) /path HTTP/1.1")
            #expect(bench.recorder.text == "hello")
        }
    }

    @Test func `an empty body is a body`() async throws {
        try await Bench.exchange(hello, method: "POST") {
            $0.body = []
        } check: { bench in
            #expect(bench.server.requests.first?.value("content-length") == "0")
        }
    }

    @Test func `the second request goes over the same connection`() async throws {
        try await withLoop { loop in
            let bench = try await loop.run {
                let bench = try Bench(ScriptedServer(loop, text: hello), loop)
                try bench.start()
                // On the loop, and so at once: a connection that nobody used for two minutes is not used again.
                bench.recorder.onEnd = { [unowned bench] in
                    guard bench.recorder.ends.count == 1 else { return }
                    loop.onNextTurn { #expect(throws: Never.self) { try bench.start() } }
                }
                return LoopBound(bench, loop)
            }
            try await loop.wait("the second end") { bench.value.recorder.ends.count == 2 }
            try await loop.run {
                #expect(bench.value.server.requests.count == 2)
                #expect(bench.value.server.connections.count == 1)
                bench.value.client.close()
            }
        }
    }

    @Test func `many requests run at once`() async throws {
        try await withLoop { loop in
            let bench = try await loop.run {
                let bench = try Bench(ScriptedServer(loop, text: hello), loop)
                for _ in 0..<50 { try bench.start() }
                return LoopBound(bench, loop)
            }
            try await loop.wait("all ends") { bench.value.recorder.ends.count == 50 }
            try await loop.run {
                #expect(bench.value.recorder.ends.allSatisfy { $0 == nil })
                #expect(bench.value.recorder.body.count == 250)
                bench.value.client.close()
            }
        }
    }

    @Test func `interim heads are passed over, and a trailer is no part of the head`() async throws {
        let answer =
            "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "2\r\nhe\r\n3\r\nllo\r\n0\r\nX-Late: 1\r\n\r\n"
        try await Bench.exchange(answer) { bench in
            #expect(bench.recorder.heads == 1)
            #expect(bench.recorder.response?.status == 200)
            #expect(bench.recorder.response?.value("x-early") == nil)
            #expect(bench.recorder.response?.value("x-late") == nil)
            #expect(bench.recorder.text == "hello")
        }
    }

    @Test func `a redirection is given as it is`() async throws {
        let answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
        try await Bench.exchange(answer) { bench in
            #expect(bench.recorder.response?.status == 302)
            #expect(bench.server.requests.count == 1)
        }
    }

    @Test func `the environment's proxy is not used`() async throws {
        setenv("http_proxy", "http://127.0.0.1:1", 1)
        defer { unsetenv("http_proxy") }
        try await Bench.exchange(hello) { #expect($0.recorder.text == "hello") }
    }

    @Test(arguments: [
        HTTPRequest(method: "GET", url: "http://127.0.0.1/", fields: [HTTPField("a", "b\r\nc: d")]),
        HTTPRequest(method: "GET", url: "http://127.0.0.1/", fields: [HTTPField("a", "b\u{0}")]),
        HTTPRequest(method: "GET", url: "http://127.0.0.1/", fields: [HTTPField("a: b", "c")]),
        HTTPRequest(method: "GET", url: "http://127.0.0.1/", fields: [HTTPField("", "c")]),
        HTTPRequest(method: "GET /x", url: "http://127.0.0.1/"),
        HTTPRequest(method: "", url: "http://127.0.0.1/"),
        HTTPRequest(method: "GET", url: "http://127.0.0.1/ HTTP/1.1"),
        HTTPRequest(method: "GET", url: "http://127.0.0.1/\r\nx: y"),
        HTTPRequest(method: "GET", url: ""),
        HTTPRequest(method: "GET", url: "file:///etc/passwd"),
        HTTPRequest(method: "GET", url: "ftp://127.0.0.1/"),
        HTTPRequest(method: "GET", url: "127.0.0.1"),
    ])
    func `what could end a line, or is not HTTP, is refused before anything is sent`(
        _ request: HTTPRequest
    ) async throws {
        try await withLoop { loop in
            try await loop.run {
                let client = try HTTPClient(loop, egress: .anywhere)
                let error = #expect(throws: HTTPClientFailure.self) {
                    try client.start(request, delegate: Recorder())
                }
                #expect(error?.kind == .badRequest)
                client.close()
            }
        }
    }
}

@Suite struct HTTPClientFailureTests {
    @Test func `a port where nobody listens is unreachable`() async throws {
        try await Bench.exchange(hello) {
            $0.url = "http://127.0.0.1:1/"
        } check: { bench in
            #expect(bench.recorder.kind == .unreachable)
        }
    }

    @Test func `a server that does not answer runs into the time-out`() async throws {
        try await Bench.exchange("") {
            $0.totalTimeout = 20
        } check: { bench in
            #expect(bench.recorder.kind == .timedOut)
            #expect(bench.recorder.heads == 0)
        }
    }

    @Test func `a body that is cut off is broken`() async throws {
        try await withLoop { loop in
            let bench = try await loop.run {
                let server = try ScriptedServer(loop) { _, stream in
                    stream.write("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")
                    stream.closeAfterWriting()
                }
                let bench = try Bench(server, loop)
                try bench.start()
                return LoopBound(bench, loop)
            }
            try await loop.wait("the end") { !bench.value.recorder.ends.isEmpty }
            try await loop.run {
                #expect(bench.value.recorder.kind == .broken)
                #expect(bench.value.recorder.text == "hello")
                bench.value.client.close()
            }
        }
    }

    @Test func `a head that is too large is broken`() async throws {
        let field = "X-Long: " + String(repeating: "a", count: 8000) + "\r\n"
        let answer =
            "HTTP/1.1 200 OK\r\n" + String(repeating: field, count: 10) + "Content-Length: 5\r\n\r\nhello"
        try await Bench.exchange(answer) { bench in
            #expect(bench.recorder.kind == .broken)
            #expect(bench.recorder.heads == 0)
        }
    }

    @Test func `what is not HTTP is broken`() async throws {
        try await Bench.exchange("SSH-2.0-x\r\n") {
            $0.totalTimeout = 5000
        } check: { bench in
            #expect(bench.recorder.kind == .broken)
        }
    }
}

@Suite struct HTTPTransferTests {
    /// Starts a request whose recorder does something at the head or at each part.
    private func begin(
        _ loop: EventLoop,
        answer: String,
        _ prepare: @escaping @Sendable (Bench) -> Void
    ) async throws -> LoopBound<Bench> {
        try await loop.run {
            let bench = try Bench(ScriptedServer(loop, text: answer), loop)
            prepare(bench)
            try bench.start()
            return LoopBound(bench, loop)
        }
    }

    @Test(arguments: [true, false])
    func `a transfer can be cancelled from within its own callbacks`(_ atHead: Bool) async throws {
        try await withLoop { loop in
            let bench = try await begin(loop, answer: hello) { bench in
                if atHead {
                    bench.recorder.onHead = { $0.cancel() }
                } else {
                    bench.recorder.onPart = { $0.cancel() }
                }
            }
            try await loop.wait("the head") { bench.value.recorder.heads == 1 }
            // Another request shows that the client goes on, and that nothing more was told about the first.
            let other = try await loop.run {
                let other = Recorder()
                try bench.value.client.start(
                    HTTPRequest(method: "GET", url: bench.value.server.url),
                    delegate: other
                )
                return LoopBound(other, loop)
            }
            try await loop.wait("the other end") { other.value.ends.count == 1 }
            try await loop.run {
                #expect(other.value.text == "hello")
                #expect(bench.value.recorder.ends.isEmpty)
                #expect(bench.value.recorder.parts == (atHead ? 0 : 1))
                bench.value.client.close()
            }
        }
    }

    @Test func `a client can be closed from within a callback`() async throws {
        try await withLoop { loop in
            let bench = try await begin(loop, answer: hello) { bench in
                bench.recorder.onPart = { [client = bench.client] _ in client.close() }
            }
            try await loop.wait("a part") { bench.value.recorder.parts == 1 }
            try await loop.run {
                #expect(throws: HTTPClientFailure.self) { try bench.value.start() }
                #expect(bench.value.recorder.ends.isEmpty)
            }
        }
    }
}
