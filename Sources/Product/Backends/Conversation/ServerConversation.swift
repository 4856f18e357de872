// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Configuration
import Diagnostics
import EventLoop
import JSON
import JSONRPC
import MCPCore
import Sessions
import StdioFraming

/// A conversation with a server over a line to it: the pipes of a process, or HTTP.
///
/// It starts without a line; the first message opens one. When the line ends, every waiting call fails at once, and the
/// next message opens another, after the handshake was replayed (`RestartPolicy` says when and how often). It
/// ends with `end`, which stops the process for good.
final class ServerConversation: Conversation {
    enum State {
        /// No process; the next message starts one.
        case down
        /// What the command speaks is being found out, a start is put off, or the process is being made.
        case starting
        /// The process runs, and the handshake is being replayed.
        case greeting
        /// The process runs and takes messages.
        case up
        /// It is over.
        case ended
    }

    /// The id of our own requests; `Upstream` begins at 1.
    static let ownID = 0

    let era: Era
    let instance: UInt64
    weak var listener: (any ConversationListener)?
    var state = State.down
    var link: (any ServerLink)?
    var upstream: Upstream
    let context: ServerContext
    let backend: ServerBackend
    /// Whether it is one client's session.
    let isSession: Bool
    /// For whom it is.
    let principal: Principal
    /// Messages for a process that is not up yet, without framing, and the calls that they are.
    private var queue: [(call: Int?, text: [UInt8])] = []
    private var queuedBytes = 0
    var handshake = Handshake()
    var restarts: RestartPolicy
    /// Whether the server behind the line has said anything.
    var hasAnswered = false
    /// Whether it has answered a call.
    var isOfUse = false
    private var callTimer: LoopTimer?
    /// When the timer fires.
    private var callTimerTime: UInt64 = .max
    var startTimer: LoopTimer?
    private var endTimer: LoopTimer?
    /// Until when something in the server is worth keeping it.
    private var keptUntil: UInt64 = 0
    private var stopReason: Failure?

    /// What a replaced process is told first.
    struct Handshake {
        /// The `initialize` request with our own id.
        var initialize: [UInt8] = []
        /// Whether the client said `notifications/initialized`.
        var isInitialized = false
        /// The id of the client's `initialize` while it waits.
        var pendingID: Int?
    }

    /// Starts without a process.
    ///
    /// - Parameters:
    ///   - era: The era that the server is spoken to in.
    ///   - principal: For whom it is.
    ///   - instance: Its number among the backend's.
    ///   - isSession: Whether it is one client's session, so that it ends with its server.
    ///   - backend: Where processes come from.
    init(era: Era, principal: Principal, instance: UInt64, isSession: Bool, backend: ServerBackend) {
        self.era = era
        self.principal = principal
        self.isSession = isSession
        self.instance = instance
        self.backend = backend
        context = backend.context
        // The bound is a session's; calls without one each hold a connection, of which there are not more than so many.
        let inFlight = isSession ? context.limits.inFlight : context.limits.connections
        upstream = Upstream(
            era: era,
            capacity: context.server.limits.inFlight ?? inFlight,
            isOneSession: isSession,
            firstQuestion: Upstream.randomQuestion()
        )
        // What belongs to no session is nobody's to lose: one caller's crashes must not take it from all others.
        let limit = context.server.restartsOnFailure ? context.server.maxRestarts : 0
        restarts = RestartPolicy(limit: isSession ? limit : nil)
    }

    var hasLink: Bool { link != nil }

    // MARK: Towards the server

    func call(
        _ message: Message,
        _ bytes: Span<UInt8>,
        from caller: any Caller,
        edits: Edits
    ) throws(Failure) -> Int {
        try prepare()
        let stated = message.method == .initialize ? edits : nil
        var edits = edits
        // A listen lasts as long as its stream; everything else has its time.
        let clock = message.method == .listen ? nil : clock(for: message, bytes)
        let id = upstream.add(
            message,
            bytes,
            caller: caller,
            clock: clock,
            edits: &edits
        )
        guard let id else {
            throw Failure(
                .internalError,
                "Too many calls of this session wait for an answer",
                source: .client
            )
        }
        if let stated { rememberHandshake(message, bytes, stated, id) }
        send(message, bytes, edits, call: id)
        watchCalls(clock?.deadline)
        return id
    }

    /// Whether the name in a request decides how long it may wait, so that it has to be read.
    func timesByName(_ method: Method) -> Bool {
        method == .toolsCall && !context.server.toolTimeouts.isEmpty
    }

    /// How long a request may wait for its answer.
    private func clock(for message: Message, _ bytes: Span<UInt8>) -> CallClock {
        var patience = context.server.requestTimeout
        if message.method == .initialize {
            patience = context.server.startTimeout
        } else if timesByName(message.method) {
            patience =
                bytes.string(message.params.name)
                .flatMap { context.server.toolTimeouts[String(decoding: $0, as: UTF8.self)] } ?? patience
        }
        return CallClock(
            at: context.loop.now,
            patience: patience.wholeMilliseconds,
            ceiling: context.server.requestTimeoutCeiling.wholeMilliseconds
        )
    }

    func notify(_ message: Message, _ bytes: Span<UInt8>) {
        guard state != .ended else { return }
        var edits = Edits()
        switch message.method {
        case .initialized:
            let isReplayed = handshake.isInitialized && state != .up
            handshake.isInitialized = true
            if isReplayed { return }
        case .cancelled:
            // The id is the client's; whether it names a call of this session is for us to say.
            let clientID = bytes.text(message.params.requestID)
            guard let id = upstream.find(clientID: clientID, where: { _ in true }) else { return }
            guard let call = upstream.remove(id) else { return }
            edits.replace(message.params.requestID, with: id)
            call.caller.cancelled(call)
        case .progress:
            guard let ask = bytes.integer(message.params.progressToken),
                let token = upstream.progressToken(ofAsk: ask)
            else { return }
            edits.replace(message.params.progressToken, with: token)
        default: break
        }
        if state == .down { return }
        guard hasRoom else { return context.drop("notification for a server that does not read") }
        send(message, bytes, edits)
    }

    func answer(_ number: Int, _ message: Message, _ bytes: Span<UInt8>) -> Bool {
        guard hasRoom, let serverID = upstream.answer(number) else { return false }
        var edits = Edits()
        edits.replace(message.envelope.id, with: serverID)
        send(message, bytes, edits)
        return true
    }

    /// Answers a request of the server with a result of ours.
    func answer(_ number: Int, result: JSONValue) {
        guard let serverID = upstream.answer(number) else { return }
        reply(Self.response(serverID, result: String(decoding: result.text(), as: UTF8.self)))
    }

    /// Lets a call wait for as long as its caller is asked something.
    func hold(_ id: Int) {
        upstream.hold(id)
    }

    /// Gives a call its time from now on.
    func resume(_ id: Int) {
        watchCalls(upstream.resume(id, at: context.loop.now))
    }

    func cancel(_ id: Int, reason: String) {
        guard upstream.remove(id) != nil else { return }
        tellCancelled(id, reason)
    }

    func keep(for milliseconds: UInt64) {
        keptUntil = max(keptUntil, context.loop.now &+ milliseconds)
    }

    func end(after milliseconds: UInt64) {
        guard state != .ended else { return }
        let now = context.loop.now
        let due = max(now &+ milliseconds, keptUntil)
        guard due > now else { return endIfIdle() }
        if endTimer == nil { endTimer = LoopTimer(context.loop) { [weak self] in self?.end(after: 0) } }
        endTimer?.schedule(after: due - now)
    }

    var isIdle: Bool { upstream.callCount == 0 && upstream.askCount == 0 && keptUntil <= context.loop.now }

    private func endIfIdle() {
        if upstream.callCount == 0 { end() }
    }

    func end() {
        guard state != .ended else { return }
        if state == .starting || state == .greeting, !isOfUse {
            backend.noteTryGivenUp(by: ObjectIdentifier(self))
        }
        state = .ended
        queue = []
        callTimer?.close()
        startTimer?.close()
        endTimer?.close()
        link?.stop()
        backend.ended(self)
        let failure: Failure = backend.isStopping ? .stopping : .sessionEnded
        for call in upstream.failAll() { call.caller.failed(failure, call) }
    }

    var isBusy: Bool { upstream.callCount > 0 }

    private func tellCancelled(_ id: Int, _ reason: String) {
        // A call that was not sent yet is not sent any more, and there is nothing to cancel.
        if let index = queue.firstIndex(where: { $0.call == id }) {
            queuedBytes -= queue.remove(at: index).text.count
            return
        }
        guard state == .up || state == .greeting || state == .starting else { return }
        var text: [UInt8] = []
        text.append(
            literal: "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":"
        )
        text.append(decimal: id)
        text.append(literal: ",\"reason\":")
        text.append(json: reason)
        text.append(literal: "}}")
        send(text)
    }

    /// Whether the server reads what it is sent, so that it may be sent more.
    var hasRoom: Bool { queuedBytes + (link?.pendingBytes ?? 0) <= context.limits.childQueue }

    /// Makes sure that a process is up or on its way.
    private func prepare() throws(Failure) {
        switch state {
        case .up, .greeting, .starting: break
        case .ended:
            throw Failure(.internalError, "The conversation with the server is over", source: .gateway)
        case .down:
            try start()
            // What is known already is known at once.
            if state == .down, let stopReason { throw stopReason }
            return
        }
        guard hasRoom else {
            throw Failure(.internalError, "The server does not read what it is sent", source: .upstream)
        }
    }

    private func send(_ message: Message, _ bytes: Span<UInt8>, _ edits: Edits, call: Int? = nil) {
        if state == .up, let link { return link.send(message, bytes, edits) }
        var text: [UInt8] = []
        edits.apply(to: bytes, onOneLine: message.envelope.hasLineBreaks, into: &text)
        send(text, call: call)
    }

    /// Sends a message, or keeps it for the line that is being opened.
    func send(_ text: [UInt8], call: Int? = nil, ahead: Bool = false) {
        if let link, state == .up || ahead {
            link.send(text.span)
        } else if state != .down, state != .ended {
            queue.append((call, text))
            queuedBytes += text.count
        }
    }

    /// Greets the server behind the line anew, in the place of a session that it has forgotten.
    func greetAgain() {
        state = .greeting
        hasAnswered = false
        context.log.info("the server has forgotten the session; another one is opened")
        upstream.forgetAsks()
        listener?.greetedAgain()
        watchStart(after: context.server.startTimeout.wholeMilliseconds) { [weak self] in
            self?.startTimedOut()
        }
        send(handshake.initialize, ahead: true)
    }

    private func flush() {
        let messages = queue
        queue = []
        queuedBytes = 0
        for message in messages { send(message.text) }
    }

    // MARK: The process

    private func start() throws(Failure) {
        if restarts.hasDied {
            switch restarts.verdict(at: context.loop.now) {
            case .giveUp:
                listener?.gaveUp()
                throw stopReason
                    ?? Failure(
                        .internalError,
                        "The server keeps dying and is not started again",
                        source: .upstream
                    )
            case .start(let delay) where delay > 0:
                state = .starting
                watchStart(after: delay) { [weak self] in self?.launch() }
                return
            case .start: break
            }
        }
        state = .starting
        launch()
    }

    private func launch() {
        backend.open(era, for: principal, by: ObjectIdentifier(self)) { [weak self] result in
            guard let self, self.state == .starting else {
                if case .success(let link) = result { link.stop() }
                return
            }
            switch result {
            case .failure(let failure):
                if failure.source == .upstream, failure.retryAfter == nil {
                    self.restarts.noteFailedStart(at: self.context.loop.now)
                }
                self.fail(failure, to: .down)
            case .success(let link): self.started(link)
            }
        }
    }

    static func wrongEra(_ era: Era) -> Failure {
        switch era {
        case .modern:
            return ModernRules.unsupported(
                Revision.modern.rawValue,
                supported: Revision.allCases.filter { $0.era == .legacy }
            )
        case .legacy:
            return Failure(
                .invalidParams,
                "This server speaks only revision \(Revision.modern.rawValue)",
                data: ["supported": [.string(Revision.modern.rawValue)]],
                source: .upstream
            )
        }
    }

    private func started(_ link: any ServerLink) {
        self.link = link
        link.delegate = self
        hasAnswered = false
        isOfUse = false
        if restarts.hasDied { context.counts.restarts += 1 }
        restarts.noteStart(at: context.loop.now)
        let limit = context.server.startTimeout
        watchStart(after: limit.wholeMilliseconds) { [weak self] in self?.startTimedOut() }
        if era == .legacy, !handshake.initialize.isEmpty, handshake.pendingID == nil {
            state = .greeting
            send(handshake.initialize, ahead: true)
        } else {
            state = .up
            if !link.mustProveItself {
                hasAnswered = true
                startTimer?.cancel()
            } else if era == .modern {
                send(Self.discover)
            }
            flush()
        }
    }

    /// A first question whose answer shows that the server is up; calls do not wait for it.
    private static let discover: [UInt8] = {
        var text: [UInt8] = []
        text.append(
            literal: "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"server/discover\",\"params\":{\"_meta\":"
        )
        text.append(contentsOf: GatewayIdentity.modernMeta.text())
        text.append(literal: "}}")
        return text
    }()

    private func rememberHandshake(_ message: Message, _ bytes: Span<UInt8>, _ edits: Edits, _ id: Int) {
        var edits = edits
        edits.replace(message.envelope.id, with: Self.ownID)
        if message.params.meta.progressToken.isPresent {
            edits.replace(message.params.meta.progressToken, with: Self.ownID)
        }
        var text: [UInt8] = []
        edits.apply(to: bytes, onOneLine: true, into: &text)
        handshake.initialize = Message.untraced(text)
        handshake.pendingID = id
    }

    /// The answer to a request of our own.
    func receivedOwn(_ message: Message) {
        guard state == .greeting else { return }
        guard message.envelope.kind == .result else {
            let failure = Failure(
                .internalError,
                "The restarted server refused the handshake",
                source: .upstream
            )
            stop(failure)
            return
        }
        hasAnswered = true
        backend.noteGreeting()
        startTimer?.cancel()
        state = .up
        if handshake.isInitialized { send(Self.initialized) }
        flush()
    }

    private static let initialized = Array(
        #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.utf8
    )

    private func startTimedOut() {
        guard !hasAnswered, state == .up || state == .greeting else { return }
        stop(
            Failure(
                .internalError,
                "The server did not answer within \(context.server.startTimeout.inSeconds) after its start",
                data: link.flatMap(\.diagnosticsTail.asStandardError),
                source: .upstream
            )
        )
    }

    /// Ends a process that is of no use, if there is one; the next message starts another.
    func replaceIfUp(_ reason: String) {
        guard state == .up else { return }
        stop(Failure(.internalError, reason, source: .upstream))
    }

    /// Fails everything that waits and stops the process.
    func stop(_ failure: Failure) {
        link?.stop()
        link = nil
        noteDeath()
        fail(failure, to: .down)
    }

    /// The server behind the line is gone.
    func noteDeath() {
        restarts.noteDeath(at: context.loop.now)
        if !isOfUse { backend.noteDeath() }
    }

    func fail(_ failure: Failure, to next: State) {
        if state != .ended { state = next }
        stopReason = failure
        queue = []
        queuedBytes = 0
        startTimer?.cancel()
        context.log.warning(failure.message)
        let calls = upstream.failAll()
        if handshake.pendingID != nil { handshake = Handshake() }
        for call in calls { call.caller.failed(failure, call) }
        listener?.interrupted()
    }

    // MARK: Time

    private func watchStart(after milliseconds: UInt64, _ action: @escaping () -> Void) {
        startTimer?.close()
        startTimer = LoopTimer(context.loop, action)
        startTimer?.schedule(after: milliseconds)
    }

    /// Sees to it that late calls are noticed.
    ///
    /// The timer is left alone while it fires before the deadline: it looks again when it does.
    private func watchCalls(_ deadline: UInt64?) {
        guard let deadline, deadline < callTimerTime else { return }
        callTimerTime = deadline
        if callTimer == nil { callTimer = LoopTimer(context.loop) { [weak self] in self?.expireCalls() } }
        let now = context.loop.now
        callTimer?.schedule(after: deadline > now ? deadline - now : 1)
    }

    private func expireCalls() {
        callTimerTime = .max
        for call in upstream.expire(at: context.loop.now) {
            if call.method == .initialize {
                startTimedOut()
            } else {
                tellCancelled(call.id, "The time-out of the gateway has passed")
            }
            let limit = Duration.milliseconds(call.clock?.limit ?? 0)
            let remark = call.clock?.isAtCeiling == true ? ", for all its progress" : ""
            let failure = Failure(
                .internalError,
                "The server did not answer within \(limit.inSeconds)\(remark)",
                source: .upstream
            )
            context.log.warning("\(call.method.rawValue): \(failure.message)")
            call.caller.failed(failure, call)
        }
        watchCalls(upstream.nextDeadline)
    }

    func beginStopping() {
        for call in upstream.waiting { call.caller.stopping(call) }
    }

    func heartbeat(now: UInt64) {
        for call in upstream.waiting { call.caller.stillWaiting(call, now: now) }
    }
}

extension String {
    /// The last lines of a server's standard error as data of an error; nil if there are none.
    fileprivate var asStandardError: JSONValue? { isEmpty ? nil : ["stderr": .string(self)] }
}

extension Duration {
    /// The duration as people write it: `300 s`, `1.5 s`.
    fileprivate var inSeconds: String {
        let (seconds, attoseconds) = components
        let tenths = attoseconds / 100_000_000_000_000_000
        return tenths == 0 ? "\(seconds) s" : "\(seconds).\(tenths) s"
    }
}
