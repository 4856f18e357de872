// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON
package import JSONRPC

/// The hop to one server: who waits for which answer, and what a line from the server means.
///
/// It holds the mapping of ids, progress tokens and subscription ids between the hops, so nothing of one hop is ever
/// visible on the other. It starts empty, when the process behind it is up; it ends with `failAll`. The server's output
/// is not trusted: what answers nothing that was asked is dropped, and counted by the caller.
package struct Upstream {
    /// What a line from the server means.
    package enum Input {
        /// The answer to a call, which waits no longer.
        case reply(Call)
        /// An answer to a call, which waits no longer, that is no message.
        case broken(Call)
        /// Something about a call that goes on: progress, or a notification of its subscription.
        case notice(Call)
        /// Something about the session as a whole.
        case session
        /// A request to the client, under our number for it.
        case ask(Int)
        /// The server takes back a request of its own.
        case withdraw(Int)
        /// A `ping`, to be answered here with the server's id.
        case ping(String)
        /// A request that nobody will answer: to be refused, with the server's id.
        case refuse(String, Failure)
        /// To be dropped, for this reason.
        case drop(DropReason)
    }

    /// Why something from the server goes nowhere.
    package enum DropReason: String, Sendable, CaseIterable {
        /// No message of JSON-RPC.
        case malformed
        /// An answer to nothing that waits: late, repeated or made up.
        case unknownID
        /// Progress or a subscription that nobody has.
        case unknownToken
        /// A log message that cannot be assigned to one call.
        case ambiguousLog
        /// Nothing that a server may send in its era.
        case notAllowed
    }

    /// A request of the server that waits for the client's answer.
    private struct PendingAsk {
        var serverID: String
        var progressToken: String?
    }

    /// The era that the server is spoken to in.
    package let era: Era
    /// How many calls may wait at once.
    package let capacity: Int
    /// Whether all calls are one session's, so that what names no call is still the session's.
    private let isOneSession: Bool
    private var calls: [Int: Call] = [:]
    private var asks: [Int: PendingAsk] = [:]
    private var nextID = 1
    private var nextAsk: Int

    /// Starts with nothing pending.
    ///
    /// - Parameters:
    ///   - era: The era that the server is spoken to in.
    ///   - capacity: How many calls may wait at once.
    ///   - isOneSession: Whether all calls are one session's.
    ///   - firstQuestion: The number of the server's first question to the client.
    package init(era: Era, capacity: Int, isOneSession: Bool = false, firstQuestion: Int = 1) {
        self.era = era
        self.capacity = capacity
        self.isOneSession = isOneSession
        nextAsk = firstQuestion
    }

    /// A number to begin questions with that is unlike that of any other conversation, and that JavaScript can count on from.
    ///
    /// A session that survived the gateway goes on with another conversation: the answer to a question of the one before must
    /// not be taken for one of this.
    package static func randomQuestion() -> Int { Int.random(in: 1...1 << 40) << 8 }

    /// How many calls wait.
    package var callCount: Int { calls.count }
    /// How many requests of the server wait.
    package var askCount: Int { asks.count }
    /// The calls that wait, oldest first.
    package var waiting: [Call] { calls.values.sorted { $0.id < $1.id } }

    /// A call that waits, by our id for it.
    package func call(_ id: Int) -> Call? { calls[id] }

    /// The one call that waits, if it is the only one.
    package var onlyCall: Call? { calls.count == 1 ? calls.first?.value : nil }

    // MARK: Towards the server

    /// Takes a request on and rewrites what belongs to the hop.
    ///
    /// - Parameters:
    ///   - message: The request.
    ///   - bytes: Its text.
    ///   - caller: Who is answered.
    ///   - clock: When it gives up.
    ///   - edits: Receives the new id and progress token.
    /// - Returns: Our id for it; nil if as many calls wait as may, the gateway's own not counted.
    package mutating func add(
        _ message: Message,
        _ bytes: Span<UInt8>,
        caller: any Caller,
        clock: CallClock?,
        edits: inout Edits
    ) -> Int? {
        let hasRoom = calls.count < capacity || calls.values.count { !$0.caller.isOwn } < capacity
        guard caller.isOwn || hasRoom else { return nil }
        let id = nextID
        nextID += 1
        let token = message.params.meta.progressToken
        calls[id] = Call(id: id, message, bytes, clock: clock, caller: caller)
        edits.replace(message.envelope.id, with: id)
        if token.isPresent { edits.replace(token, with: id) }
        return id
    }

    /// Ends a call without waiting for its answer, which is dropped should it come.
    package mutating func remove(_ id: Int) -> Call? {
        calls.removeValue(forKey: id)
    }

    /// Lets a call wait for as long as its caller is asked something.
    package mutating func hold(_ id: Int) {
        calls[id]?.clock?.hold()
    }

    /// Gives a call its time from now on; when that is over.
    package mutating func resume(_ id: Int, at now: UInt64) -> UInt64? {
        calls[id]?.clock?.resume(at: now)
        return calls[id]?.clock?.deadline
    }

    /// A call made progress, so that it may wait longer.
    package mutating func noteProgress(of id: Int, at now: UInt64) {
        calls[id]?.clock?.noteProgress(at: now)
    }

    /// Finds the call with the caller's id among those of some callers.
    package func find(clientID: String, where matches: (any Caller) -> Bool) -> Int? {
        calls.values.first { $0.clientID.utf8.elementsEqual(clientID.utf8) && matches($0.caller) }?.id
    }

    /// Takes the answer of the client to a request of the server.
    ///
    /// - Returns: The server's id; nil if nothing waits under this number.
    package mutating func answer(_ ask: Int) -> String? {
        asks.removeValue(forKey: ask)?.serverID
    }

    /// Ends what the server asked, without an answer: it does not wait any more.
    package mutating func forgetAsks() { asks.removeAll() }

    /// The server's progress token for a request of its own that still waits.
    package func progressToken(ofAsk ask: Int) -> String? {
        asks[ask]?.progressToken
    }

    /// Ends every call whose time is up.
    package mutating func expire(at now: UInt64) -> [Call] {
        let late = calls.values.filter { ($0.clock?.deadline ?? .max) <= now }
        for call in late { calls.removeValue(forKey: call.id) }
        return late.sorted { $0.id < $1.id }
    }

    /// When the next call's time is up.
    package var nextDeadline: UInt64? {
        calls.values.lazy.compactMap(\.clock?.deadline).min()
    }

    /// Ends everything: the server is gone.
    package mutating func failAll() -> [Call] {
        defer {
            calls.removeAll()
            asks.removeAll()
        }
        return waiting
    }

    // MARK: From the server

    /// Says what a message from the server means.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - bytes: Its text.
    ///   - subject: The call on whose stream it came, where each has one.
    /// - Returns: What it means.
    package mutating func receive(
        _ message: Message,
        _ bytes: Span<UInt8>,
        about subject: Int? = nil
    ) -> Input {
        guard message.envelope.defect == nil else {
            // What names a call and has an outcome is its answer, however wrong it is: nothing better will come.
            guard message.envelope.hasOutcome, !message.envelope.method.isPresent,
                let id = bytes.integer(message.envelope.id),
                let call = calls.removeValue(forKey: id)
            else { return .drop(.malformed) }
            return .broken(call)
        }
        switch message.envelope.kind {
        case .result, .error: return reply(message, bytes)
        case .notification: return notification(message, bytes, about: subject)
        case .request: return request(message, bytes)
        }
    }

    private mutating func reply(_ message: Message, _ bytes: Span<UInt8>) -> Input {
        guard let id = bytes.integer(message.envelope.id), let call = calls.removeValue(forKey: id) else {
            return .drop(.unknownID)
        }
        return .reply(call)
    }

    private mutating func notification(
        _ message: Message,
        _ bytes: Span<UInt8>,
        about subject: Int?
    ) -> Input {
        switch message.method {
        case .progress:
            guard let id = bytes.integer(message.params.progressToken), let call = calls[id],
                call.progressToken != nil
            else { return .drop(.unknownToken) }
            return .notice(call)
        case .cancelled:
            guard let ask = ask(withServerID: bytes.text(message.params.requestID)) else {
                return .drop(.unknownID)
            }
            asks.removeValue(forKey: ask)
            return .withdraw(ask)
        case .logMessage where era == .modern:
            // Over stdio a log message names no request (2026-07-28, stdio): with more than one that asked, it is
            // anyone's, so it is nobody's.
            if let subject, let call = calls[subject], call.wantsLogs { return .notice(call) }
            let wanting = calls.values.filter(\.wantsLogs)
            guard wanting.count == 1, let call = wanting.first else {
                return isOneSession && !wanting.isEmpty ? .session : .drop(.ambiguousLog)
            }
            return .notice(call)
        default:
            guard era == .modern else { return .session }
            guard let id = bytes.integer(message.params.meta.subscriptionID), let call = calls[id],
                call.method == .listen
            else { return .drop(.unknownToken) }
            return .notice(call)
        }
    }

    private mutating func request(_ message: Message, _ bytes: Span<UInt8>) -> Input {
        let serverID = bytes.text(message.envelope.id)
        guard era == .legacy else {
            let failure = Failure(
                .methodNotFound,
                "A server of this revision sends no requests",
                source: .upstream
            )
            return .refuse(serverID, failure)
        }
        if message.method == .ping { return .ping(serverID) }
        guard asks.count < capacity else {
            return .refuse(
                serverID,
                Failure(.internalError, "Too many requests wait for the client", source: .upstream)
            )
        }
        let ask = nextAsk
        nextAsk += 1
        let token = message.params.meta.progressToken
        asks[ask] = PendingAsk(serverID: serverID, progressToken: token.isPresent ? bytes.text(token) : nil)
        return .ask(ask)
    }

    private func ask(withServerID id: String) -> Int? {
        asks.first { $0.value.serverID.utf8.elementsEqual(id.utf8) }?.key
    }
}
