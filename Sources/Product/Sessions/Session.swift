// Gatehouse. SPDX-License-Identifier: MIT

import Crypto
package import MCPCore

/// What a session stands on: the conversation with the server behind it.
package protocol SessionFoundation: AnyObject {
    /// Whether a call waits for its answer.
    var isBusy: Bool { get }
    /// Ends the conversation, and the child that carries it.
    func end()
}

/// A session of the legacy era: from an answered `initialize` until DELETE, a time-out, or the end of the gateway
/// (2025-11-25, transports, "Session Management").
package final class Session {
    /// Its id.
    package let id: SessionID
    /// A short name for logs and spans, from which nobody can learn the id.
    package private(set) lazy var digest = id.digest
    /// Who opened it; nobody else can use it or learn that it exists.
    package let owner: Principal
    /// The server's name.
    package let server: String
    /// Whether it was opened at the path of all servers.
    package var isAtCommonPath = false
    /// The revision that was negotiated.
    package let revision: Revision
    /// The conversation with the server.
    package let foundation: any SessionFoundation
    /// When it began, in milliseconds of the loop's clock.
    package let created: UInt64
    /// When it was last used.
    package var lastUsed: UInt64
    /// The answer to `initialize`, kept for sessions that were opened without one (seed clients).
    package var initializeResult: [UInt8]?
    /// What its server was told.
    package var memory = SessionMemory()
    /// What its client is told when another process has taken the place of its server: which lists may have changed.
    package var changes: [[UInt8]] = []
    /// Whether its server is gone, so that the next one has to be told what that was told.
    package var hasLostServer = false
    /// What its client is told as soon as it listens.
    package var openingNotices: [[UInt8]] = []
    /// The key of its record, if it outlives this run.
    var recordKey: [UInt8]?
    /// The stream that carries everything, of a client that has one channel and no responses of its own for its requests.
    package var channel: SessionStream?
    /// Whatever lives as long as the session.
    package var companion: AnyObject?
    /// Its streams that can be resumed, by number.
    package private(set) var streams: [Int: SessionStream] = [:]
    var log: EventLog
    /// The number of the first stream, if it was chosen so that no stream of another run has any after it.
    private let firstStream: Int?
    private var nextStream: Int
    /// For how many milliseconds it had lived before.
    private let formerAge: UInt64
    private let streamLimit: Int
    /// Whether it has ended.
    package private(set) var hasEnded = false

    /// Makes a session with an id of its own, or goes on with one of another run of the gateway.
    ///
    /// - Parameters:
    ///   - restored: The id of a session of another run.
    ///   - owner: Who opened it.
    ///   - server: The server's name.
    ///   - revision: The revision that was negotiated.
    ///   - foundation: The conversation with the server.
    ///   - log: Where its events are kept.
    ///   - streamLimit: How many general streams may be open.
    ///   - now: The loop's clock.
    ///   - age: For how many milliseconds it has lived already.
    package init(
        restored: SessionID? = nil,
        owner: Principal,
        server: String,
        revision: Revision,
        foundation: any SessionFoundation,
        log: EventLog,
        streamLimit: Int,
        now: UInt64,
        age: UInt64 = 0
    ) {
        id = restored ?? .random()
        firstStream = restored == nil ? nil : Self.randomStart()
        nextStream = firstStream ?? 1
        formerAge = age
        self.owner = owner
        self.server = server
        self.revision = revision
        self.foundation = foundation
        self.log = log
        self.streamLimit = streamLimit
        created = now
        lastUsed = now
    }

    /// Opens a stream; nil if as many of the kind are open as may.
    package func openStream(general: Bool) -> SessionStream? {
        if general, streams.values.count(where: { $0.isGeneral && $0.outlet?.isOpen == true }) >= streamLimit
        {
            return nil
        }
        if streams.count >= streamLimit * 2 { forgetIdleStreams() }
        // General streams are even: so it is known of an event of another run what it belonged to.
        let number = nextStream % 2 == (general ? 0 : 1) ? nextStream : nextStream + 1
        let stream = SessionStream(number: number, isGeneral: general, session: self)
        streams[number] = stream
        nextStream = number + 1
        return stream
    }

    /// A number above all streams of a session that began in this run, and unlike that of any other restoration.
    private static func randomStart() -> Int {
        SecureRandom.bytes(5).reduce(1) { $0 << 8 | Int($1) } << 8
    }

    /// Streams are kept for those who come back to them: the finished ones go first, then those that nobody took up again,
    /// the oldest before the others.
    private func forgetIdleStreams() {
        let idle = streams.values.filter { $0.isFinished || ($0.isGeneral && $0.outlet?.isOpen != true) }
        let order = idle.sorted { ($0.isFinished ? 0 : 1, $0.number) < ($1.isFinished ? 0 : 1, $1.number) }
        for stream in order.prefix(max(streamLimit, 1)) { streams[stream.number] = nil }
    }

    /// The general stream that somebody listens to, the newest first.
    package var listening: SessionStream? {
        var found: SessionStream?
        for stream in streams.values where stream.isGeneral && stream.outlet?.isOpen == true {
            if stream.number > found?.number ?? 0 { found = stream }
        }
        return found
    }

    /// The newest general stream, whether or not somebody listens: what comes meanwhile waits in it.
    package var generalStream: SessionStream? {
        listening ?? streams.values.filter(\.isGeneral).max { $0.number < $1.number }
    }

    /// What a stream sent after an event; nil if it is unknown or was forgotten.
    package func missed(after id: EventID, at now: UInt64) -> (SessionStream, [(EventID, [UInt8])])? {
        guard let stream = streams[id.stream], stream.hasSent(id.event),
            let messages = log.messages(after: id, at: now)
        else { return nil }
        return (stream, messages)
    }

    /// Whether an event is one of another run's general stream: nothing of that is kept, but the stream may begin anew.
    package func isFormerGeneral(_ id: EventID) -> Bool {
        guard let firstStream else { return false }
        return !(firstStream..<nextStream).contains(id.stream) && id.stream % 2 == 0
    }

    /// For how many milliseconds it has lived, in all runs of the gateway.
    package func age(at now: UInt64) -> UInt64 { (now &- created) &+ formerAge }

    /// Whether a stream is open or a call waits, so that the session is in use although nothing comes.
    package var isInUse: Bool { foundation.isBusy || streams.values.contains { $0.outlet?.isOpen == true } }

    /// Ends it; `SessionTable.end` is for those that can still be found.
    package func end() {
        guard !hasEnded else { return }
        hasEnded = true
        foundation.end()
        for stream in streams.values { stream.finish() }
        streams.removeAll()
        channel = nil
    }
}
