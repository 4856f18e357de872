// Gatehouse. SPDX-License-Identifier: MIT

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
    /// The `initialize` request that the server was sent, on one line and without its place in a trace.
    package let initialize: [UInt8]
    /// Whether the client sent none, and the gateway did in its place (clients of seed 001).
    package let isOpenedByGET: Bool
    /// When the session began, in milliseconds since 1970.
    package let created: Int64
    /// When it was last used, more or less.
    package var used: Int64
    /// What the server was told since.
    package var memory = SessionMemory()

    /// Bytes of an `initialize`; a session with a longer one is not kept.
    package static let initializeLimit = 16_384

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
        let initialize = Message.untraced(initialize)
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
        memory.isInitialized = isOpenedByGET
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
        memory: SessionMemory
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
        self.memory = memory
    }
}
