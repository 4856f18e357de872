// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore

/// A message with its text.
struct Line {
    let message: Message
    let bytes: [UInt8]

    init(_ text: String) throws(JSONError) {
        let bytes = Array(text.utf8)
        message = try Message(bytes.span)
        self.bytes = bytes
    }
}

/// A caller that only has a name.
final class NamedCaller: Caller {
    let name: String
    let isOwn: Bool

    init(_ name: String, isOwn: Bool = false) {
        self.name = name
        self.isOwn = isOwn
    }

    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call) {}
    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call) {}
    func failed(_ failure: Failure, _ call: Call) {}
    func cancelled(_ call: Call) {}
    func stopping(_ call: Call) {}
    func stillWaiting(_ call: Call, now: UInt64) {}
}

extension Upstream.Input {
    /// The input as a line of a transcript.
    var words: String {
        switch self {
        case .reply(let call): "reply \(call.clientID) \((call.caller as? NamedCaller)?.name ?? "?")"
        case .broken(let call): "broken \(call.clientID)"
        case .notice(let call): "notice \(call.clientID) \(call.progressToken ?? "-")"
        case .session: "session"
        case .ask(let number): "ask \(number)"
        case .withdraw(let number): "withdraw \(number)"
        case .ping(let id): "ping \(id)"
        case .refuse(let id, let failure): "refuse \(id) \(failure.code.value)"
        case .drop(let reason): "drop \(reason.rawValue)"
        }
    }
}

/// Reads a value that a test writes as text.
func json(_ text: String) throws -> JSONValue {
    let bytes = Array(text.utf8)
    return try JSONValue(bytes.span)
}
