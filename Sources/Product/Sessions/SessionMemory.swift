// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON
import JSONRPC
package import MCPCore

/// What a session's server was told that another process in its place would have to be told again.
///
/// What the server refuses is remembered all the same: it will refuse it again.
package struct SessionMemory: Sendable, Equatable {
    /// Whether the client said `notifications/initialized`.
    package var isInitialized: Bool
    /// The level of the log that the client asked for.
    package internal(set) var level: String?
    /// The resources that the client subscribed to, the oldest first.
    package internal(set) var subscriptions: [String]

    /// Bytes of all subscriptions, and their number; what comes after is not remembered.
    private static let subscriptionBytes = 16_384
    private static let subscriptionCount = 256

    /// Remembers nothing.
    package init() {
        self.init(isInitialized: false, level: nil, subscriptions: [])
    }

    init(isInitialized: Bool, level: String?, subscriptions: [String]) {
        self.isInitialized = isInitialized
        self.level = level
        self.subscriptions = subscriptions
    }

    /// Takes note of what a client says; whether it was something to be remembered.
    package mutating func note(_ message: Message, _ bytes: Span<UInt8>) -> Bool {
        switch message.method {
        case .initialized:
            isInitialized = true
        case .setLevel:
            let params = try? JSONValue(bytes.extracting(message.envelope.params.range))
            if let text = params?["level"]?.string, text.utf8.count <= 16 { level = text }
        case .subscribe, .unsubscribe:
            guard let uri = bytes.string(message.params.uri) else { return false }
            let text = String(decoding: uri, as: UTF8.self)
            subscriptions.removeAll { $0.hasSameBytes(as: text) }
            if message.method == .subscribe, hasRoom(for: text) { subscriptions.append(text) }
        default: return false
        }
        return true
    }

    private func hasRoom(for uri: String) -> Bool {
        let bytes = subscriptions.reduce(uri.utf8.count) { $0 + $1.utf8.count }
        return subscriptions.count < Self.subscriptionCount && bytes <= Self.subscriptionBytes
    }

    /// The requests that tell it to a server, in order.
    package var requests: [[UInt8]] {
        var requests: [[UInt8]] = []
        if let level { requests.append(Self.request(.setLevel, "level", level)) }
        for uri in subscriptions { requests.append(Self.request(.subscribe, "uri", uri)) }
        return requests
    }

    /// A request with the id 0, which the next hop replaces.
    private static func request(_ method: Method, _ name: String, _ value: String) -> [UInt8] {
        let message: JSONValue = [
            "jsonrpc": "2.0", "id": 0, "method": .string(method.rawValue),
            "params": .object([.init(name, .string(value))]),
        ]
        return message.text()
    }
}
