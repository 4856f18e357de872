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
    /// How many are being opened, by whose and of which server.
    private var opening: [Opening: Int] = [:]

    private struct Opening: Hashable {
        let owner: Principal
        let server: String
    }

    /// Takes a place for a session that is being opened.
    ///
    /// - Parameters:
    ///   - server: The server's name.
    ///   - owner: Whose session it will be.
    /// - Returns: The place, which counts as a session until it is given back.
    package func reserve(server: String, owner: Principal) -> SessionPlace {
        let key = Opening(owner: owner, server: server)
        opening[key, default: 0] += 1
        return SessionPlace { [weak self] in
            guard let self, let count = self.opening[key] else { return }
            self.opening[key] = count > 1 ? count - 1 : nil
        }
    }

    /// How many of a server's are open or being opened.
    package func count(server: String) -> Int {
        sessions.values.count { $0.server.hasSameBytes(as: server) }
            + opening.reduce(0) { $0 + ($1.key.server.hasSameBytes(as: server) ? $1.value : 0) }
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
    /// Those that are being opened count like those that are open, so that asking for many at once gets no more.
    package func hasRoom(for principal: Principal, server: String, limit: Int?) -> Bool {
        guard limit != nil || principalCapacity < .max else { return true }
        var count = 0
        var ofServer = 0
        for session in sessions.values where session.owner == principal {
            count += 1
            if session.server.hasSameBytes(as: server) { ofServer += 1 }
        }
        for (key, places) in opening where key.owner == principal {
            count += places
            if key.server.hasSameBytes(as: server) { ofServer += places }
        }
        return count < principalCapacity && ofServer < limit ?? .max
    }

    /// Takes a session in.
    package func insert(_ session: Session) {
        sessions[session.id] = session
        opened += 1
    }

    /// Finds a session of this principal on this server.
    ///
    /// A session of someone else is not found, so that nobody learns that it exists. One that was opened at the path of all
    /// servers is found there, whatever answers there now.
    package func find(
        _ id: SessionID,
        owner: Principal,
        server: String,
        atCommonPath: Bool = false
    ) -> Session? {
        guard let session = sessions[id], session.owner == owner,
            session.server.hasSameBytes(as: server) || atCommonPath && session.isAtCommonPath
        else { return nil }
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

/// A place among the sessions, for one that is being opened.
///
/// It is given back when the session is open or will not be, at the latest when nobody holds the place any more.
package final class SessionPlace {
    private var onLeave: (() -> Void)?

    init(_ onLeave: @escaping () -> Void) {
        self.onLeave = onLeave
    }

    deinit { onLeave?() }

    /// Gives it back.
    package func leave() {
        let onLeave = onLeave
        self.onLeave = nil
        onLeave?()
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
