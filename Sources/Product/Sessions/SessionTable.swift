// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// The open sessions of the legacy era, bounded in number, in idle time and in age.
package final class SessionTable {
    private var sessions: [SessionID: Session] = [:]
    private var capacity: Int
    private var principalCapacity: Int
    private var lifetime: UInt64

    /// Starts empty.
    ///
    /// - Parameters:
    ///   - capacity: How many may be open at once.
    ///   - principalCapacity: How many of them one principal may have.
    ///   - lifetime: Milliseconds after which a session ends, whatever it does.
    package init(capacity: Int, principalCapacity: Int = .max, lifetime: UInt64) {
        self.capacity = capacity
        self.principalCapacity = principalCapacity
        self.lifetime = lifetime
    }

    /// How many were opened so far.
    package private(set) var opened = 0
    /// How many ended so far, by the reason; in the order of `SessionEnd.allCases`.
    package private(set) var ended = [Int](repeating: 0, count: SessionEnd.allCases.count)

    /// How many are open.
    package var count: Int { sessions.count }
    /// Whether another may be opened.
    package var hasRoom: Bool { sessions.count + opening.values.reduce(0, +) < capacity }
    /// How many are being opened, by server.
    private var opening: [String: Int] = [:]

    /// Takes a place for a session that is being opened; `finishOpening` gives it back.
    package func beginOpening(server: String) {
        opening[server, default: 0] += 1
    }

    /// The session was opened, or will not be.
    package func finishOpening(server: String) {
        guard let count = opening[server] else { return }
        opening[server] = count > 1 ? count - 1 : nil
    }

    /// How many of a server's are open or being opened.
    package func count(server: String) -> Int {
        sessions.values.count { $0.server.hasSameBytes(as: server) } + (opening[server] ?? 0)
    }

    /// Hears of every session that has ended.
    package var onEnd: ((Session) -> Void)?

    /// Takes other bounds; sessions that are open stay open.
    package func change(capacity: Int, principalCapacity: Int, lifetime: UInt64) {
        self.capacity = capacity
        self.principalCapacity = principalCapacity
        self.lifetime = lifetime
    }

    /// Whether a principal may open another, of a server that lets one have so many.
    ///
    /// Those that are being opened are few and count as soon as they are open.
    package func hasRoom(for principal: Principal, server: String, limit: Int?) -> Bool {
        guard limit != nil || principalCapacity < .max else { return true }
        let own = sessions.values.filter { $0.owner == principal }
        guard own.count < principalCapacity else { return false }
        return own.count { $0.server.hasSameBytes(as: server) } < limit ?? .max
    }

    /// Takes a session in.
    package func insert(_ session: Session) {
        sessions[session.id] = session
        opened += 1
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
    package func end(_ session: Session, _ reason: SessionEnd) {
        if sessions.removeValue(forKey: session.id) != nil { ended[reason.index] += 1 }
        session.end()
        onEnd?(session)
    }

    /// Lets nobody find the sessions of a server any more; what they are doing may go on.
    ///
    /// - Returns: The sessions, for who ends them.
    package func retire(server: String) -> [Session] {
        let found = sessions.values.filter { $0.server.hasSameBytes(as: server) }
        for session in found {
            sessions[session.id] = nil
            ended[SessionEnd.server.index] += 1
            onEnd?(session)
        }
        return found
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
            return now - session.lastUsed > idle(session) || session.age(at: now) > lifetime
        }
        for session in over { end(session, session.age(at: now) > lifetime ? .age : .idle) }
        return over.count
    }

    /// All sessions, for those who must tell each something.
    package var all: [Session] { Array(sessions.values) }

    /// Ends all sessions.
    package func endAll() {
        for session in all { end(session, .shutdown) }
    }
}

/// Why a session ended.
package enum SessionEnd: String, Sendable, CaseIterable {
    /// Its client said so.
    case client
    /// Nobody used it for long.
    case idle
    /// It was open for as long as any may be.
    case age
    /// Its server is of no more use.
    case server
    /// The gateway stops.
    case shutdown

    var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
