// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import JSON
import JSONRPC
import MCPCore
import Sessions

/// A server of a federation, as the client of one conversation sees it.
///
/// For a legacy session it holds a session of its own with the server: it is absent until the server has been greeted, and
/// again when that is lost. For modern callers the server is looked up with each call. What it last listed stays, for when
/// it does not answer.
final class FederationMember {
    enum Standing {
        /// It was not greeted, or is lost; it is tried again.
        case absent
        /// Its answer to `initialize` is awaited.
        case greeting
        /// It can be called.
        case present
    }

    let index: Int
    let backend: any Backend
    private weak var conversation: FederatedConversation?
    private(set) var standing: Standing
    /// The session with it, in the legacy era.
    private(set) var session: (any Conversation)?
    private var listener: MemberListener?
    /// What it answered to `initialize` or `server/discover`.
    var greeting: JSONValue?
    /// Whether its process has died, so that the next one has to be told what that one was told.
    var hasLostProcess = false
    /// Why it is absent.
    private(set) var failure: Failure?
    /// What it listed last.
    var lists: [FederatedKind: FederatedList] = [:]
    /// Lists that are on their way.
    var listings: [FederatedKind: MemberListing] = [:]
    /// Lists that it has said have changed.
    var stale: Set<FederatedKind> = []
    /// Lists that the client was given without what this server has now.
    var missed: Set<FederatedKind> = []
    /// Lists that it does not have.
    var lacks: Set<FederatedKind> = []
    var retries = FederatedRetries()
    /// Who waits for it to be greeted, or not.
    private var waiters: [() -> Void] = []

    init(_ index: Int, _ backend: any Backend, of conversation: FederatedConversation) {
        self.index = index
        self.backend = backend
        self.conversation = conversation
        standing = conversation.era == .modern ? .present : .absent
    }

    var name: String { backend.name }

    /// Whether it said that it can do something; one that was never greeted may.
    func declares(_ capability: String) -> Bool {
        guard let greeting else { return standing != .present || conversation?.era == .modern }
        return greeting["capabilities"]?[capability]?.members != nil
    }

    /// Whether it has such a list, as far as is known.
    func offers(_ kind: FederatedKind) -> Bool {
        !lacks.contains(kind) && declares(kind.capability)
    }

    /// Why it cannot be called.
    var absence: Failure {
        let reason = failure.map { ": \($0.message)" } ?? ""
        return Failure(
            .internalError,
            "The server \(name) is not available\(reason)",
            data: failure?.data,
            source: failure?.source ?? .upstream
        )
    }

    /// Whether somebody waits for one of its lists in vain.
    var isLate: Bool { listings.values.contains(where: \.isOverdue) }

    // MARK: Sessions of the legacy era

    /// It is about to be opened.
    func expect() {
        standing = .greeting
    }

    /// Opens a session with the server and greets it as the client did.
    func open(_ initialize: [UInt8]) {
        standing = .greeting
        do throws(Failure) {
            guard !backend.isKnown else { return try greet(initialize) }
            try backend.whenKnown { [weak self] failure in
                guard let self, self.standing == .greeting, self.session == nil else { return }
                do throws(Failure) {
                    if let failure { throw failure }
                    try self.greet(initialize)
                } catch {
                    self.fail(error)
                }
            }
        } catch {
            fail(error)
        }
    }

    private func greet(_ initialize: [UInt8]) throws(Failure) {
        guard let conversation else { return }
        try conversation.backend.enter(self, for: conversation.principal)
        do throws(Failure) {
            let opened = try backend.openSession(for: conversation.principal)
            let listener = MemberListener(self, of: conversation)
            self.listener = listener
            session = opened
            opened.listener = listener
            let message = try Bridging.read(initialize)
            let call = OwnCall { [weak self] in self?.greeted($0) }
            _ = try opened.call(message, initialize.span, from: call, edits: Edits())
        } catch {
            if let session { session.end() }
            session = nil
            conversation.backend.leave(self, for: conversation.principal)
            throw error
        }
    }

    private func greeted(_ outcome: Result<JSONValue, Failure>) {
        guard standing == .greeting else { return }
        switch outcome {
        case .failure(let failure):
            fail(failure)
        case .success(let result):
            let revision = result["protocolVersion"]?.string.flatMap { Revision(bytes: $0.utf8) }
            guard revision?.era == .legacy else {
                let text = "The server chose a revision that is unknown here"
                return fail(Failure(.internalError, text, source: .upstream))
            }
            greeting = result
            hasLostProcess = false
            failure = nil
            lacks = []
            standing = .present
            retries.succeeded()
            conversation?.arrived(self)
            tellWaiters()
        }
    }

    /// It cannot be used; it is tried again later.
    func fail(_ failure: Failure) {
        self.failure = failure
        standing = .absent
        close()
        guard let conversation else { return }
        retries.failed(at: conversation.loop.now)
        conversation.departed(self)
        tellWaiters()
    }

    /// Calls back when it is known whether it can be greeted.
    func whenGreeted(_ body: @escaping () -> Void) {
        if standing == .greeting { waiters.append(body) } else { body() }
    }

    private func tellWaiters() {
        let waiting = waiters
        waiters = []
        for body in waiting { body() }
    }

    /// Ends the session with the server.
    ///
    /// On the next turn: this may be told in the middle of something that the session does.
    func close() {
        for listing in listings.values { listing.abandon() }
        listings = [:]
        if conversation?.era != .modern { standing = .absent }
        guard let session = session.take() else { return }
        session.listener = nil
        listener = nil
        if let conversation { conversation.backend.leave(self, for: conversation.principal) }
        conversation?.loop.onNextTurn { session.end() }
    }

    // MARK: Calling

    /// Whether `target` may be asked for now.
    var isReady: Bool { standing == .present && (session != nil || backend.isKnown) }

    /// Calls back when `target` may be asked for, or with why not; what was only guessed holds until the callback returns.
    func whenReady(_ body: @escaping (Failure?) -> Void) {
        if isReady { return body(nil) }
        guard standing == .present else { return body(absence) }
        do throws(Failure) {
            try backend.whenKnown(body)
        } catch {
            body(error)
        }
    }

    /// Where a call goes.
    ///
    /// - Parameters:
    ///   - instance: The conversation that an earlier round went through.
    ///   - declared: Reads what the caller declared that it can be asked.
    /// - Returns: The conversation with the server.
    /// - Throws: Why there is none.
    func target(_ instance: UInt64?, _ declared: () -> JSONValue) throws(Failure) -> ModernConversation {
        if let session {
            conversation?.regain(self)
            return ModernConversation(session, instance: 0, isForOneCall: false)
        }
        guard standing == .present, let conversation, conversation.era == .modern else { throw absence }
        return try backend.modern(for: conversation.principal, instance: instance, declared: declared)
    }
}

/// Hears what one server of a federation says outside of calls.
final class MemberListener: ConversationListener {
    private weak var member: FederationMember?
    private weak var conversation: FederatedConversation?

    init(_ member: FederationMember, of conversation: FederatedConversation) {
        self.member = member
        self.conversation = conversation
    }

    func received(_ message: Message, _ bytes: Span<UInt8>, suspect: SuspectedCall?) {
        guard let member else { return }
        conversation?.received(message, bytes, suspect: suspect, from: member)
    }

    func asked(_ number: Int, _ message: Message, _ bytes: Span<UInt8>, suspect: SuspectedCall?) {
        guard let member else { return }
        conversation?.asked(number, message, bytes, suspect: suspect, by: member)
    }

    func withdrew(_ number: Int, _ message: Message, _ bytes: Span<UInt8>) {
        guard let member else { return }
        conversation?.withdrew(number, message, bytes, by: member)
    }

    func interrupted() {
        if let member { conversation?.lost(member) }
    }

    func gaveUp() {
        let text = "The server keeps dying and is not started again"
        member?.fail(Failure(.internalError, text, source: .upstream))
    }
}
