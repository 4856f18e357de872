// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import Store

/// A record as a row of the table `sessions`.
extension SessionRecord {
    /// The statements that make the table.
    static let table = [
        """
        CREATE TABLE sessions (
            key BLOB PRIMARY KEY,
            owner TEXT NOT NULL,
            server TEXT NOT NULL,
            fingerprint BLOB NOT NULL,
            revision TEXT NOT NULL,
            initialize BLOB NOT NULL,
            opened_by_get INTEGER NOT NULL,
            created INTEGER NOT NULL,
            used INTEGER NOT NULL,
            initialized INTEGER NOT NULL,
            level TEXT,
            subscriptions BLOB NOT NULL
        ) STRICT, WITHOUT ROWID
        """
    ]

    /// Reads all rows.
    static let selection = """
        SELECT key, owner, server, fingerprint, revision, initialize, opened_by_get, created, used, initialized, level,
            subscriptions FROM sessions
        """

    /// Writes the row, new or not.
    var saving: StoreChange {
        StoreChange(
            "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                .blob(key), .text(owner), .text(server), .blob(fingerprint), .text(revision.rawValue),
                .blob(initialize), .integer(isOpenedByGET ? 1 : 0), .integer(created), .integer(used),
                .integer(memory.isInitialized ? 1 : 0), memory.level.map(StoreValue.text) ?? .null,
                .blob(JSONValue.array(memory.subscriptions.map(JSONValue.string)).text()),
            ]
        )
    }

    /// Takes a row away.
    static func removal(_ key: [UInt8]) -> StoreChange {
        StoreChange("DELETE FROM sessions WHERE key = ?", [.blob(key)])
    }

    /// Takes all rows away.
    static let removalOfAll = StoreChange("DELETE FROM sessions")

    /// Reads a row; nil if it cannot be one that we wrote.
    init?(_ columns: [StoreValue]) {
        guard columns.count == 12, let key = columns[0].blob, key.count == 32, let owner = columns[1].text,
            let server = columns[2].text, let fingerprint = columns[3].blob,
            let revision = columns[4].text.flatMap(Revision.init(rawValue:)), revision.era == .legacy,
            let initialize = columns[5].blob, initialize.count <= Self.initializeLimit,
            let message = try? Message(initialize.span), message.method == .initialize,
            message.envelope.kind == .request, let isOpenedByGET = columns[6].integer,
            let created = columns[7].integer, let used = columns[8].integer,
            let isInitialized = columns[9].integer, let list = columns[11].blob,
            let subscriptions = (try? JSONValue(list.span))?.array
        else { return nil }
        self.init(
            key: key,
            ownerKey: owner,
            server: server,
            fingerprint: fingerprint,
            revision: revision,
            initialize: initialize,
            isOpenedByGET: isOpenedByGET != 0,
            created: created,
            used: used,
            memory: SessionMemory(
                isInitialized: isInitialized != 0,
                level: columns[10].text,
                subscriptions: subscriptions.compactMap(\.string)
            )
        )
    }
}
