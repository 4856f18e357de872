// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import JSON
import MCPServer
import Testing

/// A client at the other end of a line: sends texts, and takes what comes one after the other.
final class TestClient: Sendable {
    /// A message, and the request that it belongs to.
    struct Received: Sendable {
        var message: JSONValue
        var request: String?
    }

    private final class Inbox: Sendable {
        struct State {
            var messages: [Received] = []
            var waiter: CheckedContinuation<Received, Never>?
        }

        let state = Locked(State())

        func put(_ received: Received) {
            let waiter = state.withLock { state in
                let waiter = state.waiter.take()
                if waiter == nil { state.messages.append(received) }
                return waiter
            }
            waiter?.resume(returning: received)
        }
    }

    let connection: ServerConnection
    private let inbox: Inbox
    private let judge = Locked(MessageJudge())

    init(_ server: MCPServer) {
        let inbox = Inbox()
        self.inbox = inbox
        connection = ServerConnection(to: server) { text, request in
            let message = (try? JSONValue(text.span)) ?? .string("not JSON")
            inbox.put(Received(message: message, request: request))
        }
    }

    deinit { connection.close() }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        if let message = try? JSONValue(bytes.span) { judge.withLock { $0.note(sent: message) } }
        connection.receive(bytes)
    }

    /// The next message, which must come, and must be one by the schema of its revision.
    func receive() async -> Received {
        let received = await receiveUnjudged()
        let faults = judge.withLock { $0.faults(received.message, received.request) }
        #expect(faults == [], "\(received.message.line)")
        return received
    }

    /// The next message, whatever it is.
    func receiveUnjudged() async -> Received {
        await withCheckedContinuation { continuation in
            let received = inbox.state.withLock { state -> Received? in
                if !state.messages.isEmpty { return state.messages.removeFirst() }
                state.waiter = continuation
                return nil
            }
            if let received { continuation.resume(returning: received) }
        }
    }

    /// The next message as text.
    func next() async -> String { await receive().message.line }

    /// What has come and was not taken.
    var unread: [String] { inbox.state.withLock { $0.messages.map(\.message.line) } }

    /// Sends a message and takes the next one that comes.
    func exchange(_ text: String) async -> String {
        send(text)
        return await next()
    }

    // MARK: The legacy era

    /// Shakes hands.
    @discardableResult
    func initialize(
        _ revision: String = "2025-11-25",
        capabilities: String = "{}"
    ) async -> JSONValue {
        send(
            #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"\#(revision)","#
                + #""capabilities":\#(capabilities),"clientInfo":{"name":"test","version":"1"}}}"#
        )
        let answer = await receive().message
        send(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
        return answer["result"] ?? answer
    }

    /// Sends a legacy request.
    func request(_ id: Int, _ method: String, _ params: String = "{}") {
        send(#"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#)
    }

    // MARK: The modern era

    /// Sends a request of revision 2026-07-28.
    ///
    /// - Parameters:
    ///   - id: Its id, as JSON text.
    ///   - method: Its method.
    ///   - params: Members of its parameters, as JSON text without braces.
    ///   - capabilities: What the client declares.
    ///   - meta: More members of `_meta`.
    func modern(
        _ id: String,
        _ method: String,
        _ params: String = "",
        capabilities: String = "{}",
        meta: String = ""
    ) {
        let more = params.isEmpty ? "" : ",\(params)"
        let moreMeta = meta.isEmpty ? "" : ",\(meta)"
        send(
            #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":{"_meta":{"#
                + #""io.modelcontextprotocol/protocolVersion":"2026-07-28","#
                + #""io.modelcontextprotocol/clientCapabilities":\#(capabilities)\#(moreMeta)}\#(more)}}"#
        )
    }

    /// Sends one and takes the result, or the error if there is none.
    func result(
        _ id: String,
        _ method: String,
        _ params: String = "",
        capabilities: String = "{}",
        meta: String = ""
    ) async -> JSONValue {
        modern(id, method, params, capabilities: capabilities, meta: meta)
        let message = await receive().message
        return message["result"] ?? message["error"] ?? message
    }
}

extension JSONValue {
    /// The value on one line.
    var line: String { String(decoding: text(), as: UTF8.self) }

    /// The object without some members, for comparing the rest.
    func without(_ names: String...) -> JSONValue {
        .object((members ?? []).filter { !names.contains($0.name) })
    }
}

/// Time and secrets that a test decides.
final class TestWorld: Sendable {
    private struct State {
        var now = 0
        var secrets = 0
    }

    private let state = Locked(State())

    /// Options with this world in them.
    func options(_ change: (inout ServerOptions) -> Void = { _ in }) -> ServerOptions {
        var options = ServerOptions()
        options.environment.now = { self.state.withLock { $0.now } }
        options.environment.date = { "2026-08-01T00:00:00Z" }
        // The test says when time has passed.
        options.environment.sleep = { _ in try? await Task.sleep(for: .seconds(86400)) }
        options.environment.secret = {
            self.state.withLock { state in
                state.secrets += 1
                return "secret-\(state.secrets)"
            }
        }
        change(&options)
        return options
    }

    /// Lets time pass.
    func advance(_ milliseconds: Int) { state.withLock { $0.now += milliseconds } }
}
