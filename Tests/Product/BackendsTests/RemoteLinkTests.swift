// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Configuration
import Diagnostics
import Egress
import EventLoop
import JSON
import JSONRPC
import MCPClient
import MCPCore
import Sessions
import StdioFraming
import TestSupport
import Testing

@testable import Backends

/// Notes what a line sends, and has or has not a session to forget.
private final class Wire: ClientTransport {
    weak var delegate: (any ClientTransportDelegate)?
    var mirrorsHeaders: Bool { true }
    var sent: [OutgoingMessage] = []
    var told: [String] = []
    var hasSession = true
    var completion: (() -> Void)?

    func open() { told.append("open") }
    func send(_ message: OutgoingMessage) { sent.append(message) }
    func abandon(_ id: Int) { told.append("abandon \(id)") }
    func listen(_ fields: [OutgoingMessage.HTTPHeader]) { told.append("listen \(fields.map(\.value))") }

    func forgetSession() -> Bool {
        told.append("forget")
        return hasSession
    }

    func close(_ fields: [OutgoingMessage.HTTPHeader], completion: @escaping () -> Void) {
        told.append("close \(fields.map(\.value))")
        self.completion = completion
    }
}

/// Notes what a line tells, and knows which calls wait.
private final class Listener: ServerLinkDelegate {
    var received: [String] = []
    var lost: [String] = []
    var forgot: [String] = []
    var ended: [String] = []
    var subjects: [Int?] = []
    weak var link: (any ServerLink)?
    var waiting: Set<Int> = []

    func linkReceived(_ bytes: Span<UInt8>) {
        received.append(bytes.text(JSONSlice(0, bytes.count)))
        subjects.append(link?.subject)
    }
    func linkShowsLife() {}
    func linkLost(call id: Int, _ failure: Failure) {
        waiting.remove(id)
        lost.append("\(id) \(failure.source.rawValue) \(failure.code.value) \(failure.message)")
    }
    func linkForgot(call id: Int, _ text: [UInt8], isNews: Bool) {
        forgot.append("\(id) \(isNews) \(String(decoding: text, as: UTF8.self))")
    }
    func linkAwaits(_ id: Int) -> Bool { waiting.contains(id) }
    func linkEnded(_ failure: Failure) { ended.append(failure.message) }
}

/// A line with its wire and its listener.
private final class Bench {
    let wire = Wire()
    let listener = Listener()
    let source: RemoteSource
    let link: RemoteLink
    /// The id of the next call, where it does not matter.
    var next = 100

    init(_ era: Era, _ loop: EventLoop) {
        var server = ServerConfiguration(name: "remote")
        let endpoint = RemoteEndpoint(url: "https://example.com/mcp")
        server.remote = endpoint
        let context = ServerContext(
            server: server,
            limits: Limits(),
            loop: loop,
            timeouts: Timeouts(),
            log: Log(level: .error, subsystem: .gateway)
        )
        source = RemoteSource(context, endpoint, egress: EgressRules())
        link = RemoteLink(wire, era, source)
        link.delegate = listener
        listener.link = link
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        link.send(bytes.span)
    }

    func receive(_ text: String, of request: Int? = nil) {
        let bytes = Array(text.utf8)
        link.transportReceived(bytes.span, of: request)
    }

    /// Sends a call that waits.
    func call(_ id: Int, _ method: String = "tools/list", _ params: String = "{}") {
        listener.waiting.insert(id)
        send(#"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#)
    }

    /// A line that was stopped is kept until its wire is closed.
    func end() {
        let completion = wire.completion
        wire.completion = nil
        completion?()
    }

    var headers: [String] { wire.sent.last?.fields.map { "\($0.name): \($0.value)" } ?? [] }

    /// Opens a session of a revision.
    func greet(_ revision: String = "2025-11-25") {
        call(0, "initialize")
        receive(#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"\#(revision)"}}"#)
        listener.waiting = []
        listener.received = []
        wire.told = []
    }
}

@Suite("A line to a remote server")
struct RemoteLinkTests {
    private func bench(_ era: Era, _ body: @escaping @Sendable (Bench) throws -> Void) async throws {
        try await withLoop { loop in
            try await loop.run {
                let bench = Bench(era, loop)
                try body(bench)
                bench.end()
            }
        }
    }

    @Test func `a modern request has the headers that mirror it`() async throws {
        try await bench(.modern) { bench in
            bench.call(1)
            #expect(bench.headers == ["mcp-protocol-version: 2026-07-28", "mcp-method: tools/list"])
            #expect(bench.wire.sent.last?.id == 1)
            #expect(bench.wire.sent.last?.isResumable == false)
            bench.call(2, "tools/call", #"{"name":"kä"}"#)
            #expect(bench.headers.last == "mcp-name: =?base64?a8Ok?=")
            bench.call(3, "resources/read", #"{"uri":"a:\/b"}"#)
            #expect(bench.headers.last == "mcp-name: a:/b")
            bench.call(4, "tasks/get", #"{"taskId":"t"}"#)
            #expect(bench.headers.last == "mcp-name: t")
        }
    }

    @Test func `arguments are mirrored once the server's list has said so`() async throws {
        let schema =
            #"{"type":"object","properties":{"r":{"type":"string","x-mcp-header":"Region"}}}"#
        try await bench(.modern) { bench in
            bench.call(1, "tools/call", #"{"name":"t","arguments":{"r":"eu"}}"#)
            #expect(!bench.headers.contains("mcp-param-region: eu"))
            bench.call(2)
            bench.receive(
                #"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"t","inputSchema":\#(schema)}]}}"#
            )
            bench.call(3, "tools/call", #"{"name":"t","arguments":{"r":"eu"}}"#)
            #expect(bench.headers.contains("mcp-param-region: eu"))
            bench.call(4, "tools/call", #"{"name":"t","arguments":{"r":null}}"#)
            #expect(bench.headers.last == "mcp-name: t")
            bench.call(5, "tools/call", #"{"name":"t"}"#)
            #expect(bench.headers.last == "mcp-name: t")
        }
    }

    @Test func `a modern call is cancelled by closing its stream, and nothing else is told`() async throws {
        try await bench(.modern) { bench in
            bench.call(1)
            bench.send(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#)
            bench.send(#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#)
            #expect(bench.wire.sent.count == 1)
            #expect(bench.wire.told == ["open", "abandon 1"])
        }
    }

    @Test func `a legacy call is cancelled by a notification, and its response is not waited for`()
        async throws
    {
        try await bench(.legacy) { bench in
            bench.greet()
            bench.call(1)
            bench.send(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#)
            #expect(bench.wire.sent.last?.method == "notifications/cancelled")
            #expect(bench.wire.told == ["abandon 1"])
        }
    }

    @Test(arguments: [
        ("2024-11-05", [], []), ("2025-03-26", [], ["listen []"]),
        ("2025-06-18", ["mcp-protocol-version: 2025-06-18"], ["listen [\"2025-06-18\"]"]),
        ("2025-11-25", ["mcp-protocol-version: 2025-11-25"], ["listen [\"2025-11-25\"]"]),
    ]) func `a session's requests name its revision, and its stream is opened`(
        revision: String,
        headers: [String],
        told: [String]
    ) async throws {
        try await bench(.legacy) { bench in
            bench.call(0, "initialize")
            #expect(bench.headers.isEmpty)
            bench.greet(revision)
            bench.send(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
            #expect(bench.headers == headers)
            #expect(bench.wire.told == told)
            bench.call(1)
            #expect(bench.headers == headers)
            #expect(bench.wire.sent.last?.isResumable == true)
        }
    }

    @Test func `what a forgotten session refused is sent again in another one, once`() async throws {
        try await bench(.legacy) { bench in
            bench.greet()
            bench.call(1)
            bench.call(2)
            let text = #"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#
            bench.link.transportFailed(1, .http(status: 404, detail: ""))
            #expect(bench.listener.forgot == ["1 true \(text)"])
            // The second one is of the same session, which was given up already.
            let gone = Failure(.sessionNotFound, "Session not found", source: .upstream)
            bench.link.transportFailed(2, .refused(gone, status: 404))
            #expect(bench.listener.forgot.count == 2)
            #expect(bench.listener.forgot.last?.hasPrefix("2 false ") == true)
            #expect(bench.wire.told == ["forget"])
            bench.send(text)
            bench.link.transportFailed(1, .http(status: 404, detail: ""))
            #expect(bench.listener.lost == ["1 upstream -32603 The server answered with HTTP status 404"])
            #expect(bench.wire.told == ["forget"])
        }
    }

    @Test func `without a session there is nothing to forget`() async throws {
        try await bench(.legacy) { bench in
            bench.greet()
            bench.wire.hasSession = false
            bench.call(1)
            bench.link.transportFailed(1, .http(status: 404, detail: ""))
            let unknown = Failure(.methodNotFound, "no such method", source: .upstream)
            bench.wire.hasSession = true
            bench.call(2)
            bench.link.transportFailed(2, .refused(unknown, status: 404))
            #expect(bench.listener.forgot.isEmpty)
            #expect(bench.listener.lost.count == 1)
            #expect(bench.listener.received.count == 1)
        }
    }

    @Test func `a lost stream of the session ends the line if nothing waits`() async throws {
        try await bench(.legacy) { bench in
            bench.greet()
            bench.call(1)
            bench.link.transportLostSession()
            #expect(bench.listener.ended.isEmpty)
            bench.link.transportFailed(1, .ended("x"))
            bench.link.transportLostSession()
            #expect(bench.listener.ended == ["The server has forgotten the session"])
        }
    }

    @Test func `a request is kept while it waits in a session, and no longer`() async throws {
        try await bench(.legacy) { bench in
            bench.greet()
            bench.call(1)
            bench.call(2)
            bench.call(3)
            #expect(bench.link.keptRequests == 3)
            // The answer to the first came on a stream that was resumed, so no response ends with it.
            bench.listener.waiting.remove(1)
            bench.receive(#"{"jsonrpc":"2.0","id":1,"result":{}}"#, of: 1)
            #expect(bench.link.keptRequests == 2)
            bench.link.transportFailed(2, .ended("x"))
            bench.send(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}"#)
            #expect(bench.link.keptRequests == 0)
            bench.link.transportLostSession()
            #expect(bench.listener.ended.count == 1)
        }
    }

    @Test func `a message about a call that still waits does not make it forgotten`() async throws {
        try await bench(.legacy) { bench in
            bench.greet()
            bench.call(1)
            bench.receive(#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#, of: 1)
            #expect(bench.link.keptRequests == 1)
        }
    }

    @Test func `where no session can be forgotten, nothing is kept`() async throws {
        try await bench(.legacy) { bench in
            bench.wire.hasSession = false
            bench.greet("2024-11-05")
            for id in 1...5 { bench.call(id) }
            #expect(bench.link.keptRequests == 0)
        }
    }

    @Test func `a call is sent again once, also if the session after the forgotten one has no id`()
        async throws
    {
        try await bench(.legacy) { bench in
            bench.greet()
            bench.call(1)
            bench.link.transportFailed(1, .http(status: 404, detail: ""))
            bench.wire.hasSession = false
            bench.call(1)
            bench.link.transportFailed(1, .http(status: 404, detail: ""))
            #expect(bench.listener.forgot.count == 1)
            #expect(bench.listener.lost.count == 1)
        }
    }

    @Test func `an error that the server answered goes the way of answers`() async throws {
        try await bench(.modern) { bench in
            bench.call(1)
            let failure = Failure(.invalidParams, "no \"x\"", data: ["a": .number("1")], source: .upstream)
            bench.link.transportFailed(1, .refused(failure, status: 400))
            #expect(
                bench.listener.received == [
                    #"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no \"x\"","data":{"a":1}}}"#
                ]
            )
        }
    }

    @Test(arguments: [
        (MCPClientError.http(status: 401, detail: "x"), "The server refused the gateway (HTTP status 401)"),
        (.refused(Failure(.internalError, "x", source: .upstream), status: 403), "(HTTP status 403)"),
        (
            .http(status: 302, detail: ""),
            "wants to be reached elsewhere (HTTP status 302), which is not done"
        ),
        (.http(status: 500, detail: ""), "The server answered with HTTP status 500"),
        (.refused(Failure(.headerMismatch, "h", source: .upstream), status: 400), "the gateway's request: h"),
        (
            .refused(Failure(.unsupportedVersion, "v", source: .upstream), status: 400),
            "the gateway's request: v"
        ),
        (.unreachable("no route"), "The server cannot be reached: no route"),
        (.timedOut, "The server did not answer in time"),
        (.ended("the connection broke"), "The server's answer did not come: the connection broke"),
        (.malformed("too large"), "The server's answer did not come: too large"),
    ]) func `what HTTP says is told in the gateway's words`(error: MCPClientError, words: String) async throws
    {
        try await bench(.modern) { bench in
            bench.call(1)
            bench.link.transportFailed(1, error)
            #expect(bench.listener.received.isEmpty)
            #expect(bench.listener.lost.count == 1)
            #expect(bench.listener.lost.first?.hasPrefix("1 upstream -32603 ") == true)
            #expect(bench.listener.lost.first?.hasSuffix(words) == true)
        }
    }

    @Test func `the end of a response is no failure where the answer has come`() async throws {
        try await bench(.modern) { bench in
            bench.call(1)
            bench.listener.waiting = []
            bench.link.transportFailed(1, .ended("x"))
            #expect(bench.listener.lost.isEmpty)
            #expect(bench.listener.received.isEmpty)
        }
    }

    @Test func `a server that is not there is left alone after some calls`() async throws {
        try await withLoop { loop in
            let bench = try await loop.run { LoopBound(Bench(.modern, loop), loop) }
            try await loop.run {
                for id in 1...CrashBreaker.deaths {
                    bench.value.call(id)
                    bench.value.link.transportFailed(id, .unreachable("refused"))
                }
                bench.value.call(99)
                #expect(bench.value.wire.sent.count == CrashBreaker.deaths)
                // Never from within the sending.
                #expect(bench.value.listener.lost.count == CrashBreaker.deaths)
            }
            try await loop.wait("the refusal") { bench.value.listener.lost.count > CrashBreaker.deaths }
            try await loop.run {
                #expect(
                    bench.value.listener.lost.last
                        == "99 upstream -32603 The server cannot be reached; it is tried again in 1 s"
                )
            }
        }
    }

    /// Ways in which a try ends and does not tell that the server is away.
    private enum GivenUp: CaseIterable, Sendable {
        case cancelled, lost, refused, malformed, stopped
    }

    @Test(arguments: GivenUp.allCases) private func `a try that came to nothing lets the next one go at once`(
        _ way: GivenUp
    ) async throws {
        try await withLoop { loop in
            let bench = try await loop.run { LoopBound(Bench(.modern, loop), loop) }
            try await loop.run {
                for id in 1...CrashBreaker.deaths {
                    bench.value.call(id)
                    bench.value.link.transportFailed(id, .unreachable("refused"))
                }
            }
            try await loop.wait("the try") {
                bench.value.next += 1
                bench.value.call(bench.value.next)
                guard bench.value.wire.sent.count > CrashBreaker.deaths else { return false }
                // At once: a try that lasts is given up some time.
                bench.value.call(1000)
                return true
            }
            try await loop.run {
                let bench = bench.value
                #expect(bench.wire.sent.count == CrashBreaker.deaths + 1)
                let trial = bench.wire.sent.last?.id ?? 0
                switch way {
                case .cancelled:
                    let params = #"{"requestId":\#(trial)}"#
                    bench.send(
                        #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":\#(params)}"#
                    )
                case .lost: bench.link.transportFailed(trial, .ended("the connection broke"))
                case .refused: bench.link.transportFailed(trial, .http(status: 401, detail: ""))
                case .malformed: bench.link.transportFailed(trial, .malformed("a page"))
                case .stopped: bench.link.stop()
                }
                #expect(bench.source.refusal() == nil)
                bench.end()
            }
        }
    }

    @Test func `white space around a message is passed over`() async throws {
        try await bench(.modern) { bench in
            bench.receive("\r\n\t {\"a\": 1}\n")
            bench.receive(" \n ")
            bench.receive("")
            #expect(bench.listener.received == ["{\"a\": 1}\n"])
            #expect(bench.link.traffic.receivedMessages == 1)
        }
    }

    @Test func `a message is told with the call on whose stream it came`() async throws {
        try await bench(.modern) { bench in
            bench.call(1)
            bench.receive("{}", of: 1)
            bench.receive("{}")
            #expect(bench.listener.subjects == [1, nil])
            #expect(bench.link.subject == nil)
        }
    }

    @Test(arguments: [
        (MCPClientError.http(status: 400, detail: ""), true), (.http(status: 405, detail: ""), true),
        (.refused(Failure(.unsupportedVersion, "v", source: .upstream), status: 400), true),
        (.http(status: 401, detail: ""), false), (.http(status: 503, detail: ""), false), (.timedOut, false),
        (.refused(Failure(.invalidParams, "p", source: .upstream), status: 400), false),
    ]) func `a server that seems to have changed its era is asked again`(
        error: MCPClientError,
        isDoubted: Bool
    ) async throws {
        try await withLoop { loop in
            try await loop.run {
                for era in [Era.modern, .legacy] {
                    let bench = Bench(era, loop)
                    var doubts = 0
                    bench.source.onDoubt = { doubts += 1 }
                    bench.call(7, era == .modern ? "tools/list" : "initialize")
                    bench.link.transportFailed(7, error)
                    #expect(doubts == (isDoubted ? 1 : 0))
                    // Within a session it means something else.
                    guard era == .legacy else { continue }
                    bench.greet()
                    bench.call(8)
                    bench.link.transportFailed(8, error)
                    #expect(doubts == (isDoubted ? 1 : 0))
                }
            }
        }
    }

    @Test func `the end of the transport is the end of the line`() async throws {
        try await bench(.legacy) { bench in
            bench.greet()
            bench.link.transportEnded(.ended("the server ended its event stream"))
            #expect(
                bench.listener.ended == [
                    "The server's answer did not come: the server ended its event stream"
                ]
            )
            bench.call(1)
            #expect(bench.wire.sent.count == 1)
        }
    }

    @Test func `a source ends when its lines have said goodbye`() async throws {
        try await bench(.legacy) { bench in
            bench.greet()
            bench.link.stop()
            bench.link.stop()
            #expect(bench.wire.told == ["close [\"2025-11-25\"]"])
            var isOver = false
            bench.source.end { isOver = true }
            #expect(!isOver)
            bench.wire.completion?()
            #expect(isOver)
        }
    }

    @Test func `a place that must not be reached is not`() async throws {
        try await withLoop { loop in
            try await loop.run {
                let bench = Bench(.modern, loop)
                let source = RemoteSource(
                    bench.source.context,
                    RemoteEndpoint(url: "https://10.0.0.1/mcp"),
                    egress: EgressRules()
                )
                var failure: Failure?
                source.open(ServerTraits(framing: .newline, eras: [.modern]), .modern, for: .anonymous) {
                    if case .failure(let reason) = $0 { failure = reason }
                }
                #expect(failure?.source == .gateway)
                #expect(
                    failure?.message
                        == "The server must not be reached: gateway.egress does not allow 10.0.0.1: "
                        + "private, 10.0.0.0/8"
                )
            }
        }
    }
}
