// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import Diagnostics
package import EventLoop
import MCPCore
package import Store

/// What the configuration says of a server's sessions.
package struct LastingRules: Sendable, Equatable {
    /// What the server is told apart by from another one that has its name.
    package var fingerprint: [UInt8]
    /// Whether its sessions outlive the process that knows their state.
    package var isKept: Bool
    /// For how many milliseconds a session may be idle.
    package var idle: Int64

    /// Makes rules.
    package init(fingerprint: [UInt8], isKept: Bool, idle: Int64) {
        self.fingerprint = fingerprint
        self.isKept = isKept
        self.idle = idle
    }
}

/// The sessions as the database has them: those that are open, and those that another run opened and nobody has come
/// back to yet (they sleep).
///
/// It starts by reading all rows, of which there are never more than sessions may be open. What changes is written behind,
/// so that a crash may forget the newest sessions, but a live session never waits for the disk and never fails by it: what
/// cannot be written is written later, or is gone after a crash. It ends with `close`; open sessions stay in the
/// database then.
///
/// One loop's.
package final class LastingSessions {
    /// The schema of the gateway's database.
    package static let schema = StoreSchema(application: 0x4761_7465, steps: [SessionRecord.table])

    private let store: Store
    private var capacity: Int
    private var lifetime: Int64
    private let clock: () -> Int64
    private let log: Log
    /// What is known of each server; others have no sessions that last.
    private var rules: (_ server: String) -> LastingRules?
    private var records: [[UInt8]: SessionRecord] = [:]
    private var sleeping: Set<[UInt8]> = []
    /// Rows that could not be written as they are now.
    private var unsettled: Set<[UInt8]> = []
    /// Whether so many could not be written that the table is written anew.
    private var mustRewrite = false
    private var isSettling = false
    /// Waits until all is settled, or cannot be.
    private var onSettled: (() -> Void)?
    private var isSuspended = false

    /// Reads the sessions of a database.
    ///
    /// - Parameters:
    ///   - database: The database, with `schema`.
    ///   - loop: Where the sessions live.
    ///   - capacity: How many sessions may be open.
    ///   - lifetime: Milliseconds after which a session ends, whatever it does.
    ///   - clock: Milliseconds since 1970.
    ///   - log: Where it says what it found.
    ///   - rules: What is known of each server.
    /// - Throws: Why the database cannot be read, or why there is no thread for it.
    package init(
        _ database: Database,
        on loop: EventLoop,
        capacity: Int,
        lifetime: Int64,
        clock: @escaping () -> Int64 = WallClock.milliseconds,
        log: Log,
        rules: @escaping (_ server: String) -> LastingRules?
    ) throws {
        self.capacity = capacity
        self.lifetime = lifetime
        self.clock = clock
        self.log = log.of(.sessions)
        self.rules = rules
        let rows = try database.rows(SessionRecord.selection)
        store = try Store(database, on: loop, log: log)
        load(rows)
    }

    private func load(_ rows: [[StoreValue]]) {
        let now = clock()
        for row in rows {
            guard let record = SessionRecord(row) else {
                if let key = row.first?.blob { unsettled.insert(key) } else { mustRewrite = true }
                continue
            }
            records[record.key] = record
            sleeping.insert(record.key)
        }
        if !unsettled.isEmpty || mustRewrite { log.warning("sessions that cannot be read are forgotten") }
        for key in sleeping where records[key].map({ isOver($0, at: now) }) == true { forget(key) }
        while records.count > capacity, let key = leastUsed { forget(key) }
        settle()
        if !sleeping.isEmpty { log.info("\(sleeping.count) sessions of before can go on") }
    }

    /// Takes other bounds and rules; open sessions stay, of those that sleep the least used are forgotten.
    ///
    /// - Parameters:
    ///   - capacity: How many sessions may be open.
    ///   - lifetime: Milliseconds after which a session ends, whatever it does.
    ///   - rules: What is known of each server.
    package func change(
        capacity: Int,
        lifetime: Int64,
        rules: @escaping (_ server: String) -> LastingRules?
    ) {
        self.capacity = capacity
        self.lifetime = lifetime
        self.rules = rules
        while records.count > capacity, let key = leastUsed { forget(key) }
    }

    /// How many nobody has come back to.
    package var sleepingCount: Int { sleeping.count }

    // MARK: Sessions that sleep

    /// Finds a session of another run that this principal may go on with.
    ///
    /// One of someone else, of another server, or whose server is another now, is not found.
    package func find(_ id: SessionID, owner: Principal, server: String) -> SessionRecord? {
        guard !sleeping.isEmpty, !isSuspended else { return nil }
        let key = id.key
        guard sleeping.contains(key), let record = records[key], record.owner.hasSameBytes(as: owner.key),
            record.server.hasSameBytes(as: server)
        else { return nil }
        guard let rules = rules(server), rules.isKept, rules.fingerprint == record.fingerprint,
            !isOver(record, at: clock())
        else {
            forget(key)
            return nil
        }
        return record
    }

    /// For how many milliseconds a session has lived already.
    package func age(of record: SessionRecord) -> UInt64 {
        UInt64(clamping: clock() &- record.created)
    }

    /// A session was restored: it is awake.
    package func wake(_ session: Session, _ record: SessionRecord) {
        guard sleeping.remove(record.key) != nil else { return }
        session.recordKey = record.key
        touch(record.key, clock())
    }

    /// A session cannot go on, or its client does not want it any more.
    ///
    /// - Parameters:
    ///   - record: The session.
    ///   - completion: Is told when that is written, or cannot be.
    package func forget(_ record: SessionRecord, _ completion: (() -> Void)? = nil) {
        forget(record.key, isUrgent: true, completion)
    }

    // MARK: Open sessions

    /// Keeps a session that begins.
    ///
    /// - Parameters:
    ///   - session: The session.
    ///   - initialize: The request that its server was sent.
    ///   - isOpenedByGET: Whether it was ours.
    package func keep(_ session: Session, initialize: [UInt8], isOpenedByGET: Bool) {
        guard let rules = rules(session.server), rules.isKept else { return }
        let record = SessionRecord(
            key: session.id.key,
            owner: session.owner,
            server: session.server,
            fingerprint: rules.fingerprint,
            revision: session.revision,
            initialize: initialize,
            isOpenedByGET: isOpenedByGET,
            now: clock()
        )
        guard let record else {
            return log.debug("the handshake of a session is too long to outlive a restart")
        }
        while records.count >= capacity, let key = leastUsed { forget(key) }
        session.recordKey = record.key
        records[record.key] = record
        save(record.key)
    }

    /// A session has something more to remember.
    package func note(_ session: Session) {
        guard let key = session.recordKey, records[key] != nil else { return }
        records[key]?.memory = session.memory
        save(key)
    }

    /// A session has ended.
    package func ended(_ session: Session, _ completion: (() -> Void)? = nil) {
        guard !isSuspended, let key = session.recordKey else {
            completion?()
            return
        }
        session.recordKey = nil
        forget(key, isUrgent: completion != nil, completion)
    }

    // MARK: Time

    /// Writes down which sessions were used, forgets those that nobody came back to, and writes what could not be written;
    /// to be called about every second.
    package func tick(_ sessions: [Session], now: UInt64) {
        let wall = clock()
        for session in sessions {
            guard let key = session.recordKey, let record = records[key] else { continue }
            let used = wall &- Int64(clamping: now &- min(session.lastUsed, now))
            let step = min(30_000, (rules(record.server)?.idle ?? 0) / 8)
            if used &- record.used > step { touch(key, used) }
        }
        for key in Array(sleeping) where records[key].map({ isOver($0, at: wall) }) == true {
            log.debug("a session of before was forgotten: nobody came back to it")
            forget(key)
        }
        settle()
    }

    private func isOver(_ record: SessionRecord, at now: Int64) -> Bool {
        let idle = rules(record.server)?.idle ?? lifetime
        return now &- record.used > idle || now &- record.created > lifetime
    }

    /// The gateway stops: sessions that end from now on stay in the database.
    package func suspend(_ sessions: [Session], now: UInt64) {
        let wall = clock()
        for session in sessions {
            guard let key = session.recordKey else { continue }
            touch(key, wall &- Int64(clamping: now &- min(session.lastUsed, now)))
        }
        isSuspended = true
    }

    /// Writes what waits and closes the database; calls back when that is done.
    package func close(_ completion: @escaping () -> Void) {
        isSuspended = true
        // What waits may fail, and is tried once more then.
        store.flush { [self] in
            onSettled = { [store] in store.close(completion) }
            if !isSettling { settle() }
        }
    }

    // MARK: Writing behind

    private func touch(_ key: [UInt8], _ used: Int64) {
        records[key]?.used = used
        save(key)
    }

    private func forget(_ key: [UInt8], isUrgent: Bool = false, _ completion: (() -> Void)? = nil) {
        records[key] = nil
        sleeping.remove(key)
        save(key, isUrgent: isUrgent, completion)
    }

    /// The session that sleeps and was used before all others.
    private var leastUsed: [UInt8]? {
        sleeping.min { (records[$0]?.used ?? 0) < (records[$1]?.used ?? 0) }
    }

    /// What makes a row as it should be.
    private func change(_ key: [UInt8]) -> StoreChange {
        records[key]?.saving ?? SessionRecord.removal(key)
    }

    private func save(_ key: [UInt8], isUrgent: Bool = false, _ completion: (() -> Void)? = nil) {
        store.write([change(key)], isUrgent: isUrgent) { [weak self] failure in
            if failure != nil { self?.failed(key) }
            completion?()
        }
    }

    /// A row could not be written: it is tried again.
    ///
    /// Rows that should be gone and are not are remembered up to a bound; past it the whole table is written anew.
    private func failed(_ key: [UInt8]) {
        unsettled.insert(key)
        guard unsettled.count > capacity &* 2 else { return }
        unsettled = []
        mustRewrite = true
    }

    /// Writes once more what could not be written, some at a time.
    private func settle() {
        guard !isSettling else { return }
        guard mustRewrite || !unsettled.isEmpty else {
            onSettled.take()?()
            return
        }
        isSettling = true
        let isRewriting = mustRewrite
        mustRewrite = false
        if isRewriting { unsettled = Set(records.keys) }
        let keys = isRewriting ? [] : Array(unsettled.prefix(Self.batch))
        unsettled.subtract(keys)
        let changes = isRewriting ? [SessionRecord.removalOfAll] : keys.map { change($0) }
        store.write(changes, isUrgent: true) { [weak self] failure in
            guard let self else { return }
            self.isSettling = false
            guard failure != nil else { return self.settle() }
            if isRewriting { self.mustRewrite = true }
            for key in keys { self.failed(key) }
            self.onSettled.take()?()
        }
    }

    /// Rows that are settled in one write.
    private static let batch = 256
}
