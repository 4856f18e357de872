// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Bytes
import Configuration
import Crypto
import Diagnostics
import EventLoop
import Gateway
import JSON
import JSONRPC
import MCPCore
import Sessions

/// A session that is being brought back: its server is greeted as its client greeted the one before.
///
/// It ends with the server's answer. A good one makes the session; another revision or an error ends it for good, since
/// the client cannot be told in the middle of a session; a server that does not come up leaves it as it was, for the
/// client to try again.
final class Restoration: Caller {
    /// Who waits for the session.
    var waiting: [(Result<Session, Refusal>) -> Void] = []
    private let context: FrontendContext
    private let lasting: LastingSessions
    private let sleeping: SleepingSession
    private let onEnd: () -> Void
    private var conversation: (any Conversation)?
    private var hasEnded = false
    /// What is kept free for the session.
    private let place: SessionPlace

    init(
        _ context: FrontendContext,
        _ lasting: LastingSessions,
        _ sleeping: SleepingSession,
        onEnd: @escaping () -> Void
    ) {
        self.context = context
        self.lasting = lasting
        self.sleeping = sleeping
        self.onEnd = onEnd
        place = context.pipeline.sessions.reserve(server: sleeping.backend.name, owner: sleeping.owner)
    }

    func begin() {
        let backend = sleeping.backend
        guard !backend.isKnown else { return open() }
        do throws(Failure) {
            try backend.whenKnown { failure in
                guard !self.hasEnded else { return }
                if let failure { self.fail(failure) } else { self.open() }
            }
        } catch {
            fail(error)
        }
    }

    private func open() {
        let text = sleeping.record.initialize
        do throws(Failure) {
            guard let message = try? Message(text.span) else { return lost("its handshake cannot be read") }
            let conversation = try sleeping.backend.openSession(for: sleeping.owner)
            self.conversation = conversation
            _ = try conversation.call(message, text.span, from: self, edits: Edits())
        } catch {
            fail(error)
        }
    }

    /// The client does not want the session any more.
    func abandon() {
        end(.failure(Self.notFound))
    }

    // MARK: What comes of the handshake

    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call) {
        guard !hasEnded, let conversation else { return }
        guard message.envelope.kind == .result,
            let result = try? JSONValue(bytes.extracting(message.envelope.result.range)),
            let replay = SessionReplay(sleeping.record, answered: result)
        else { return lost("its server does not greet it as before") }
        guard context.pipeline.registry.has(sleeping.backend) else {
            // The session stays for another try, which finds out whether it can go on at what is there now.
            let text = "The server's configuration has changed meanwhile; try again"
            return fail(Failure(.internalError, text, source: .gateway))
        }
        let session = Session(
            restored: sleeping.id,
            owner: sleeping.owner,
            server: sleeping.backend.name,
            revision: sleeping.record.revision,
            foundation: conversation,
            log: context.eventLog,
            streamLimit: context.limits.streams,
            now: context.loop.now,
            age: lasting.age(of: sleeping.record)
        )
        if sleeping.record.isOpenedByGET {
            session.initializeResult = [UInt8](bytes, message.envelope.result.range)
        }
        session.memory = sleeping.record.memory
        session.changes = replay.notices
        session.openingNotices = replay.notices
        context.pipeline.sessions.insert(session)
        lasting.wake(session, sleeping.record)
        greet(session, conversation, replay)
        context.log.debug("a session of before goes on")
        self.conversation = nil
        end(.success(session))
    }

    private func greet(_ session: Session, _ conversation: any Conversation, _ replay: SessionReplay) {
        let text = sleeping.record.initialize
        let params = (try? JSONValue(text.span))?["params"]
        let capabilities = ClientCapabilities(params?["capabilities"])
        let client = LegacyClient(context, session, conversation, capabilities)
        conversation.listener = client
        session.companion = client
        for text in replay.notifications {
            if let message = try? Message(text.span) { conversation.notify(message, text.span) }
        }
        conversation.remind(replay.requests)
    }

    func failed(_ failure: Failure, _ call: Call) {
        fail(failure)
    }

    func cancelled(_ call: Call) {
        fail(Failure(.internalError, "The session could not be restored", source: .gateway))
    }

    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call) {}
    func stopping(_ call: Call) {}
    func stillWaiting(_ call: Call, now: UInt64) {}

    // MARK: The end

    /// The session cannot go on, now or later.
    private func lost(_ reason: String) {
        guard !hasEnded else { return }
        context.log.info("a session of before has ended: \(reason)")
        lasting.forget(sleeping.record)
        end(.failure(Self.notFound))
    }

    /// The session cannot go on now.
    private func fail(_ failure: Failure) {
        guard !hasEnded else { return }
        context.pipeline.records.noteFailure(
            failure,
            server: sleeping.backend.name,
            method: Method.initialize.rawValue
        )
        end(.failure(Refusal(503, failure, fields: Refusal.fields(failure))))
    }

    private static let notFound = Refusal(404, .sessionNotFound, "Session not found")

    private func end(_ result: Result<Session, Refusal>) {
        guard !hasEnded else { return }
        hasEnded = true
        place.leave()
        onEnd()
        let conversation = conversation.take()
        let bodies = waiting
        waiting = []
        conversation?.end()
        for body in bodies { body(result) }
    }
}

extension Conversation {
    /// Says to a server what the one before it had been told.
    func remind(_ requests: [[UInt8]]) {
        for text in requests {
            guard let message = try? Message(text.span) else { continue }
            // A server that has gone again will be told when it is back.
            _ = try? call(message, text.span, from: UnheardCall(), edits: Edits())
        }
    }
}

/// A request whose answer nobody waits for: of a session's memory, which has bounds of its own.
private final class UnheardCall: Caller {
    var isOwn: Bool { true }

    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call) {}
    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call) {}
    func failed(_ failure: Failure, _ call: Call) {}
    func cancelled(_ call: Call) {}
    func stopping(_ call: Call) {}
    func stillWaiting(_ call: Call, now: UInt64) {}
}
