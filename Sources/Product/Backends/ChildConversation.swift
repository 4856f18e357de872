// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Children
import Configuration
import Diagnostics
import EventLoop
import JSON
import JSONRPC
import MCPCore
import Sessions
import StdioFraming

/// A conversation with a server over the pipes of a child process.
///
/// It starts without a process; the first message starts one. When the process dies, every waiting call fails at once,
/// and the next message starts another, after the handshake was replayed (`RestartPolicy` says when and how often). It
/// ends with `end`, which stops the process for good.
final class ChildConversation: Conversation {
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
    var child: Child?
    var upstream: Upstream
    let processes: ServerProcesses
    let backend: ProcessBackend
    private var framing = Framing.newline
    var reader: FrameReader
    /// Output of the child that is no whole message yet.
    var partial: [UInt8] = []
    /// Whether the child's pipe was made larger.
    var hasWideOutput = false
    private var hasWideInput = false
    /// Messages for a process that is not up yet, without framing, and the calls that they are.
    private var queue: [(call: Int?, text: [UInt8])] = []
    private var queuedBytes = 0
    var handshake = Handshake()
    var restarts: RestartPolicy
    var hasAnswered = false
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
    ///   - instance: Its number among the backend's.
    ///   - isSession: Whether it is one client's session, so that it ends with its server.
    ///   - backend: Where processes come from.
    init(era: Era, instance: UInt64, isSession: Bool, backend: ProcessBackend) {
        self.era = era
        self.instance = instance
        self.backend = backend
        processes = backend.processes
        // The bound is a session's; calls without one each hold a connection, of which there are not more than so many.
        let inFlight = isSession ? processes.limits.inFlight : processes.limits.connections
        upstream = Upstream(
            era: era,
            capacity: processes.server.limits.inFlight ?? inFlight,
            isOneSession: isSession
        )
        reader = FrameReader(framing: .newline, limit: processes.limits.line)
        // What belongs to no session is nobody's to lose: one caller's crashes must not take it from all others.
        let limit = processes.server.restartsOnFailure ? processes.server.maxRestarts : 0
        restarts = RestartPolicy(limit: isSession ? limit : nil)
    }

    var hasProcess: Bool { child != nil }

    // MARK: Towards the server

    func call(
        _ message: Message,
        _ bytes: Span<UInt8>,
        from caller: any Caller,
        edits: Edits
    ) throws(Failure) -> Int {
        try prepare()
        var edits = edits
        // A listen lasts as long as its stream; everything else has its time.
        let wait =
            message.method == .initialize ? processes.server.startTimeout : processes.server.requestTimeout
        let deadline = processes.loop.now + wait.wholeMilliseconds
        let id = upstream.add(
            message,
            bytes,
            caller: caller,
            deadline: message.method == .listen ? nil : deadline,
            edits: &edits
        )
        guard let id else {
            throw Failure(
                .internalError,
                "Too many calls of this session wait for an answer",
                source: .client
            )
        }
        if message.method == .initialize { rememberHandshake(message, bytes, id) }
        send(message, bytes, edits, call: id)
        watchCalls(deadline)
        return id
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
        guard hasRoom else { return processes.drop("notification for a server that does not read") }
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
        upstream.setDeadline(nil, of: id)
    }

    /// Gives a call its time from now on.
    func resume(_ id: Int) {
        let deadline = processes.loop.now + processes.server.requestTimeout.wholeMilliseconds
        upstream.setDeadline(deadline, of: id)
        watchCalls(deadline)
    }

    func cancel(_ id: Int, reason: String) {
        guard upstream.remove(id) != nil else { return }
        tellCancelled(id, reason)
    }

    func keep(for milliseconds: UInt64) {
        keptUntil = max(keptUntil, processes.loop.now &+ milliseconds)
    }

    func end(after milliseconds: UInt64) {
        guard state != .ended else { return }
        let now = processes.loop.now
        let due = max(now &+ milliseconds, keptUntil)
        guard due > now else { return endIfIdle() }
        if endTimer == nil { endTimer = LoopTimer(processes.loop) { [weak self] in self?.end(after: 0) } }
        endTimer?.schedule(after: due - now)
    }

    var isIdle: Bool { upstream.callCount == 0 && upstream.askCount == 0 && keptUntil <= processes.loop.now }

    private func endIfIdle() {
        if upstream.callCount == 0 { end() }
    }

    func end() {
        guard state != .ended else { return }
        state = .ended
        queue = []
        partial = []
        callTimer?.close()
        startTimer?.close()
        endTimer?.close()
        child?.stop(backend.stopSchedule)
        backend.ended(self)
        let failure = Failure(.internalError, "The session has ended", source: .client)
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
    var hasRoom: Bool { queuedBytes + (child?.pendingInput ?? 0) <= processes.limits.childQueue }

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
        let breaks = message.envelope.hasLineBreaks
        if state == .up, let child, framing == .newline {
            // Taken out meanwhile, so that the array is never shared and so never copied.
            var frame = processes.frame
            processes.frame = []
            frame.removeAll(keepingCapacity: frame.capacity <= 4 << 20)
            edits.apply(to: bytes, onOneLine: breaks, into: &frame)
            frame.append(UInt8(ascii: "\n"))
            if frame.count > Self.largeMessage, !hasWideInput {
                hasWideInput = true
                child.widenInput()
            }
            child.write(frame.span)
            processes.frame = frame
            return
        }
        var text: [UInt8] = []
        edits.apply(to: bytes, onOneLine: breaks, into: &text)
        send(text, call: call)
    }

    /// Sends a message, or keeps it for the process that is on its way.
    func send(_ text: [UInt8], call: Int? = nil, ahead: Bool = false) {
        if let child, state == .up || ahead {
            var frame: [UInt8] = []
            FrameWriter.append(text.span, framing: framing, to: &frame)
            child.write(frame.span)
        } else if state != .down, state != .ended {
            queue.append((call, text))
            queuedBytes += text.count
        }
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
            switch restarts.restart(at: processes.loop.now) {
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
        backend.withTraits { [weak self] traits in
            guard let self, self.state == .starting else { return }
            switch traits {
            case .failure(let failure): self.fail(failure, to: .down)
            case .success(let traits): self.launch(traits)
            }
        }
    }

    private func launch(_ traits: ServerTraits) {
        guard traits.eras.contains(era) else {
            // It was found to speak otherwise since this conversation began.
            return fail(Self.wrongEra(era), to: .down)
        }
        framing = traits.framing
        backend.spawn { [weak self, weak backend] result in
            guard let self, self.state == .starting else {
                if case .success(let child) = result { backend?.abandon(child) }
                return
            }
            switch result {
            case .failure(let failure): self.fail(failure, to: .down)
            case .success(let child): self.started(child)
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

    private func started(_ child: Child) {
        self.child = child
        child.delegate = self
        reader = FrameReader(framing: framing, limit: processes.limits.line)
        partial = []
        hasAnswered = false
        hasWideOutput = false
        hasWideInput = false
        restarts.noteStart(at: processes.loop.now)
        let limit = processes.server.startTimeout
        watchStart(after: limit.wholeMilliseconds) { [weak self] in self?.startTimedOut() }
        if era == .legacy, !handshake.initialize.isEmpty, handshake.pendingID == nil {
            state = .greeting
            send(handshake.initialize, ahead: true)
        } else {
            state = .up
            if era == .modern { send(Self.discover) }
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

    private func rememberHandshake(_ message: Message, _ bytes: Span<UInt8>, _ id: Int) {
        var edits = Edits()
        edits.replace(message.envelope.id, with: Self.ownID)
        if message.params.meta.progressToken.isPresent {
            edits.replace(message.params.meta.progressToken, with: Self.ownID)
        }
        handshake.initialize = []
        edits.apply(to: bytes, onOneLine: true, into: &handshake.initialize)
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
                "The server did not answer within \(processes.server.startTimeout.inSeconds) after its start",
                data: details(nil),
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
        let child = child
        self.child = nil
        if let child { backend.abandon(child) }
        restarts.noteDeath(at: processes.loop.now)
        fail(failure, to: .down)
    }

    func fail(_ failure: Failure, to next: State) {
        if state != .ended { state = next }
        stopReason = failure
        queue = []
        queuedBytes = 0
        partial = []
        startTimer?.cancel()
        processes.log.warning(failure.message)
        let calls = upstream.failAll()
        if handshake.pendingID != nil { handshake = Handshake() }
        for call in calls { call.caller.failed(failure, call) }
        listener?.interrupted()
    }

    // MARK: Time

    private func watchStart(after milliseconds: UInt64, _ action: @escaping () -> Void) {
        startTimer?.close()
        startTimer = LoopTimer(processes.loop, action)
        startTimer?.schedule(after: milliseconds)
    }

    /// Sees to it that late calls are noticed.
    ///
    /// The timer is left alone while it fires before the deadline: it looks again when it does.
    private func watchCalls(_ deadline: UInt64?) {
        guard let deadline, deadline < callTimerTime else { return }
        callTimerTime = deadline
        if callTimer == nil { callTimer = LoopTimer(processes.loop) { [weak self] in self?.expireCalls() } }
        let now = processes.loop.now
        callTimer?.schedule(after: deadline > now ? deadline - now : 1)
    }

    private func expireCalls() {
        callTimerTime = .max
        for call in upstream.expire(at: processes.loop.now) {
            if call.method == .initialize {
                startTimedOut()
            } else {
                tellCancelled(call.id, "The time-out of the gateway has passed")
            }
            let limit =
                call.method == .initialize ? processes.server.startTimeout : processes.server.requestTimeout
            let failure = Failure(
                .internalError,
                "The server did not answer within \(limit.inSeconds)",
                source: .upstream
            )
            processes.log.warning("\(call.method.rawValue): \(failure.message)")
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

    // MARK: Words

    /// What is known about the end of a process, for its callers.
    func details(_ exit: ChildExit?, of child: Child? = nil) -> JSONValue? {
        var members: [JSONValue.Member] = []
        if let exit { members.append(.init("exit", .string("\(exit)"))) }
        let tail = (child ?? self.child)?.diagnosticsTail ?? ""
        if !tail.isEmpty { members.append(.init("stderr", .string(tail))) }
        return members.isEmpty ? nil : .object(members)
    }
}

extension Duration {
    /// The duration as people write it: `300 s`, `1.5 s`.
    fileprivate var inSeconds: String {
        let (seconds, attoseconds) = components
        let tenths = attoseconds / 100_000_000_000_000_000
        return tenths == 0 ? "\(seconds) s" : "\(seconds).\(tenths) s"
    }
}
