// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// The open sessions of the legacy era, bounded in number, in idle time and in age.
package final class SessionTable {
    private var sessions: [SessionID: Session] = [:]
    private let capacity: Int
    private let lifetime: UInt64

    /// Starts empty.
    ///
    /// - Parameters:
    ///   - capacity: How many may be open at once.
    ///   - lifetime: Milliseconds after which a session ends, whatever it does.
    package init(capacity: Int, lifetime: UInt64) {
        self.capacity = capacity
        self.lifetime = lifetime
    }

    /// How many are open.
    package var count: Int { sessions.count }
    /// Whether another may be opened.
    package var hasRoom: Bool { sessions.count < capacity }

    /// How many of a server's are open.
    package func count(server: String) -> Int {
        sessions.values.count { $0.server.hasSameBytes(as: server) }
    }

    /// Takes a session in.
    package func insert(_ session: Session) {
        sessions[session.id] = session
    }

    /// Finds a session of this principal on this server.
    ///
    /// A session of someone else is not found, so that nobody learns that it exists.
    package func find(_ id: SessionID, owner: Principal, server: String) -> Session? {
        guard let session = sessions[id], session.owner == owner, session.server.hasSameBytes(as: server)
        else {
            return nil
        }
        return session
    }

    /// Ends a session, and the child that it stands on.
    package func end(_ session: Session) {
        sessions[session.id] = nil
        session.end()
    }

    /// Ends the sessions that nobody has used for their server's idle time, or that are too old.
    ///
    /// - Parameters:
    ///   - now: Milliseconds of the loop's clock.
    ///   - idle: The idle time of a session, in milliseconds.
    /// - Returns: How many ended.
    @discardableResult
    package func sweep(at now: UInt64, idle: (Session) -> UInt64) -> Int {
        let over = sessions.values.filter { session in
            if session.isInUse { session.lastUsed = now }
            return now - session.lastUsed > idle(session) || now - session.created > lifetime
        }
        for session in over { end(session) }
        return over.count
    }

    /// All sessions, for those who must tell each something.
    package var all: [Session] { Array(sessions.values) }

    /// Ends all sessions.
    package func endAll() {
        for session in all { end(session) }
    }
}
