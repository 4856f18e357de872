// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON
import MCPCore

/// What a server is told so that it knows as much of a session as the one before it did, and what the client is told.
///
/// It begins with the recorded `initialize`; the server's answer decides the rest.
package struct SessionReplay: Equatable {
    /// Notifications for the server, in order, before anything else.
    package var notifications: [[UInt8]] = []
    /// Requests for the server, in order; nobody waits for their answers, and one that it refuses is refused.
    package var requests: [[UInt8]] = []
    /// Notifications for the client: what it knows of the server's lists may be wrong now.
    package var notices: [[UInt8]] = []

    /// Finds out what is to be said; nil if the server is not what it was, so that the session cannot go on.
    ///
    /// - Parameters:
    ///   - record: What is known of the session.
    ///   - result: The result of the server's answer to `initialize`.
    package init?(_ record: SessionRecord, answered result: JSONValue) {
        guard let revision = result["protocolVersion"]?.string,
            revision.hasSameBytes(as: record.revision.rawValue)
        else { return nil }
        let capabilities = result["capabilities"]
        notices = Self.changes(of: capabilities)
        // A client that has not finished its handshake goes on with it by itself.
        guard record.memory.isInitialized else { return }
        notifications = [Self.notification(.initialized)]
        requests = record.memory.requests
    }

    /// One notification for each kind of list that the server announces changes of.
    package static func changes(of capabilities: JSONValue?) -> [[UInt8]] {
        let lists: [(String, Method)] = [
            ("tools", .toolsChanged), ("prompts", .promptsChanged), ("resources", .resourcesChanged),
        ]
        return lists.filter { capabilities?[$0.0]?["listChanged"]?.bool == true }.map { notification($0.1) }
    }

    private static func notification(_ method: Method) -> [UInt8] {
        Array(#"{"jsonrpc":"2.0","method":"\#(method.rawValue)"}"#.utf8)
    }
}
