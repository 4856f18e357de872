// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON
import JSONRPC
import MCPCore

/// A conversation with a server over one of the other era.
protocol Bridge: Conversation {
    /// Tells callers that still wait so.
    func heartbeat(now: UInt64)
    /// Ends what has waited for too long.
    func expire(now: UInt64)
    /// Tells callers that the gateway is stopping.
    func beginStopping()
    /// Why another call cannot be taken now, if that is so.
    var obstacle: Failure? { get }
    /// Takes a call whose text is as the frontend wants it.
    func take(_ message: Message, _ bytes: Span<UInt8>, _ caller: any Caller) throws(Failure) -> Int
}

extension Bridge {
    func call(
        _ message: Message,
        _ bytes: Span<UInt8>,
        from caller: any Caller,
        edits: Edits
    ) throws(Failure) -> Int {
        if let obstacle { throw obstacle }
        guard !edits.isEmpty else { return try take(message, bytes, caller) }
        var text: [UInt8] = []
        edits.apply(to: bytes, onOneLine: false, into: &text)
        let edited = try Bridging.read(text)
        return try take(edited, text.span, caller)
    }
}

/// Messages that bridges write themselves.
enum Bridging {
    /// Reads a message of ours, or one that was put together from parts that had been read.
    static func read(_ text: [UInt8]) throws(Failure) -> Message {
        do {
            return try Message(text.span)
        } catch {
            throw Failure(.internalError, "A message could not be put together: \(error)", source: .gateway)
        }
    }

    /// A request with the id 0, which the next hop replaces.
    static func request(_ method: Method, _ params: JSONValue) -> [UInt8] {
        let message: JSONValue = [
            "jsonrpc": "2.0", "id": 0, "method": .string(method.rawValue), "params": params,
        ]
        return message.text()
    }

    /// A notification.
    static func notification(_ method: Method, _ params: JSONValue? = nil) -> [UInt8] {
        var members: [JSONValue.Member] = [
            .init("jsonrpc", "2.0"), .init("method", .string(method.rawValue)),
        ]
        if let params { members.append(.init("params", params)) }
        return JSONValue.object(members).text()
    }

    /// An answer with the id 0, which the frontend replaces.
    static func response(_ result: JSONValue) -> [UInt8] {
        let message: JSONValue = ["jsonrpc": "2.0", "id": 0, "result": result]
        return message.text()
    }

    /// An error with the id 0, which the frontend replaces.
    static func response(_ failure: Failure) -> [UInt8] {
        var text: [UInt8] = []
        failure.append(id: "0", to: &text)
        return text
    }

    /// The member of `_meta` that says who a server is, as JSON text; empty if it is not known.
    static func serverMeta(_ info: JSONValue?) -> [UInt8] {
        guard let info = Translation.implementation(info) else { return [] }
        var text: [UInt8] = []
        text.append(json: "\(MetaKey.serverInfo)")
        text.append(UInt8(ascii: ":"))
        text.append(contentsOf: info.text())
        return text
    }

    /// The level of a log message.
    static func level(of message: Message, _ bytes: Span<UInt8>) -> LogSeverity? {
        let params = try? JSONValue(bytes.extracting(message.envelope.params.range))
        return params?["level"]?.string.flatMap { LogSeverity(bytes: $0.utf8) }
    }
}

/// A request of a bridge's own: nobody else is told of its answer.
///
/// An error that the server answers is about this request, not about one of a client, so its code goes no further.
final class OwnCall: Caller {
    private var completion: ((Result<JSONValue, Failure>) -> Void)?

    init(_ completion: @escaping (Result<JSONValue, Failure>) -> Void) {
        self.completion = completion
    }

    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call) {
        if message.envelope.kind == .result,
            let result = try? JSONValue(bytes.extracting(message.envelope.result.range))
        {
            return finish(.success(result))
        }
        let error = try? JSONValue(bytes.extracting(message.envelope.error.range))
        let text = error?["message"]?.string ?? "The server's answer cannot be read"
        let code = message.errorCode.map { " (\($0))" } ?? ""
        let told = "The server refused what the gateway asked of it\(code): \(text)"
        finish(.failure(Failure(.internalError, told, source: .upstream)))
    }

    func failed(_ failure: Failure, _ call: Call) {
        finish(.failure(failure))
    }

    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call) {}
    func cancelled(_ call: Call) {}
    func stopping(_ call: Call) {}
    func stillWaiting(_ call: Call, now: UInt64) {}

    private func finish(_ outcome: Result<JSONValue, Failure>) {
        completion.take()?(outcome)
    }
}

/// A `ping` that tells when the server has read all that it was sent before.
final class Barrier: Caller {
    private var completion: ((_ isAlive: Bool) -> Void)?

    init(_ completion: @escaping (_ isAlive: Bool) -> Void) {
        self.completion = completion
    }

    /// An error is a sign of life too.
    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call) {
        completion.take()?(true)
    }

    func failed(_ failure: Failure, _ call: Call) {
        completion.take()?(false)
    }

    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call) {}
    func cancelled(_ call: Call) {}
    func stopping(_ call: Call) {}
    func stillWaiting(_ call: Call, now: UInt64) {}
}
