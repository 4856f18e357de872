// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON
import JSONRPC
package import MCPCore

/// What is kept of a session so that another run of the gateway can go on with it: whose it is, and what its server was
/// told.
///
/// The session's id is not in it, only its hash: who reads the database can take over no session.
package struct SessionRecord: Sendable, Equatable {
    /// The SHA-256 of the session's id.
    package let key: [UInt8]
    /// Whose session it is (`Principal.key`).
    package let owner: String
    /// The server's name.
    package let server: String
    /// What the server was told apart by when the session began; another server of the same name gets no session of it.
    package let fingerprint: [UInt8]
    /// The revision that was negotiated.
    package let revision: Revision
    /// The `initialize` request that the server was sent, on one line.
    package let initialize: [UInt8]
    /// Whether the client sent none, and the gateway did in its place (clients of seed 001).
    package let isOpenedByGET: Bool
    /// When the session began, in milliseconds since 1970.
    package let created: Int64
    /// When it was last used, more or less.
    package var used: Int64
    /// Whether the client said `notifications/initialized`.
    package private(set) var isInitialized = false
    /// The level of the log that the client asked for.
    package private(set) var level: String?
    /// The resources that the client subscribed to, the oldest first.
    package private(set) var subscriptions: [String] = []

    /// Bytes of an `initialize` and of all subscriptions; a session that says more is not kept, or not all of it.
    package static let initializeLimit = 16_384
    private static let subscriptionLimit = 16_384
    private static let subscriptionCount = 256

    /// The record of a session that begins; nil if its `initialize` is too long to be kept.
    package init?(
        key: [UInt8],
        owner: Principal,
        server: String,
        fingerprint: [UInt8],
        revision: Revision,
        initialize: [UInt8],
        isOpenedByGET: Bool,
        now: Int64
    ) {
        guard initialize.count <= Self.initializeLimit else { return nil }
        self.key = key
        self.owner = owner.key
        self.server = server
        self.fingerprint = fingerprint
        self.revision = revision
        self.initialize = initialize
        self.isOpenedByGET = isOpenedByGET
        created = now
        used = now
        isInitialized = isOpenedByGET
    }

    /// Takes note of what a client says, if the server would have to be told again.
    ///
    /// What the server then refuses is noted all the same: it will refuse it again.
    ///
    /// - Returns: Whether it was such a thing.
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

    /// Puts together what a row says.
    init(
        key: [UInt8],
        ownerKey: String,
        server: String,
        fingerprint: [UInt8],
        revision: Revision,
        initialize: [UInt8],
        isOpenedByGET: Bool,
        created: Int64,
        used: Int64,
        isInitialized: Bool,
        level: String?,
        subscriptions: [String]
    ) {
        self.key = key
        owner = ownerKey
        self.server = server
        self.fingerprint = fingerprint
        self.revision = revision
        self.initialize = initialize
        self.isOpenedByGET = isOpenedByGET
        self.created = created
        self.used = used
        self.isInitialized = isInitialized
        self.level = level
        self.subscriptions = subscriptions
    }

    private func hasRoom(for uri: String) -> Bool {
        let bytes = subscriptions.reduce(uri.utf8.count) { $0 + $1.utf8.count }
        return subscriptions.count < Self.subscriptionCount && bytes <= Self.subscriptionLimit
    }
}
