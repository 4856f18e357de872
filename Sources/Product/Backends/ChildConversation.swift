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
    private static let ownID = 0

    let era: Era
    let instance: UInt64
    weak var listener: (any ConversationListener)?
    private(set) var state = State.down
    private(set) var child: Child?
    private(set) var upstream: Upstream
    private let processes: ServerProcesses
    private let backend: ProcessBackend
    private var framing = Framing.newline
    private var reader: FrameReader
    /// Output of the child that is no whole message yet.
    private var partial: [UInt8] = []
    /// Messages for a process that is not up yet, without framing.
    private var queue: [[UInt8]] = []
    private var queuedBytes = 0
    private var handshake = Handshake()
    private var restarts: RestartPolicy
    private var hasAnswered = false
    private var callTimer: LoopTimer?
    /// When the timer fires.
    private var callTimerTime: UInt64 = .max
    private var startTimer: LoopTimer?
    private var endTimer: LoopTimer?
    private var stopReason: Failure?

    /// What a replaced process is told first.
    private struct Handshake {
        /// The `initialize` request with our own id.
        var initialize: [UInt8] = []
        /// Whether the client said `notifications/initialized`.
        var isInitialized = false
        /// The id of the client's `initialize` while it waits.
        var pendingID: Int?
    }

    init(era: Era, instance: UInt64, backend: ProcessBackend) {
        self.era = era
        self.instance = instance
        self.backend = backend
        processes = backend.processes
        let inFlight = processes.server.limits.inFlight ?? processes.limits.inFlight
        upstream = Upstream(era: era, capacity: inFlight)
        reader = FrameReader(framing: .newline, limit: processes.limits.line)
        // What belongs to no session is nobody's to lose: one caller's crashes must not take it from all others.
        let limit = processes.server.restartsOnFailure ? processes.server.maxRestarts : 0
        restarts = RestartPolicy(limit: era == .modern ? nil : limit)
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
        send(message, bytes, edits)
        watchCalls(deadline)
        return id
    }

    func notify(_ message: Message, _ bytes: Span<UInt8>) {
        guard state != .ended else { return }
        var edits = Edits()
        switch message.method {
        case .initialized:
            handshake.isInitialized = true
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
        send(message, bytes, edits)
    }

    func answer(_ number: Int, _ message: Message, _ bytes: Span<UInt8>) -> Bool {
        guard let serverID = upstream.answer(number) else { return false }
        var edits = Edits()
        edits.replace(message.envelope.id, with: serverID)
        send(message, bytes, edits)
        return true
    }

    func cancel(_ id: Int, reason: String) {
        guard upstream.remove(id) != nil else { return }
        tellCancelled(id, reason)
    }

    func end(after milliseconds: UInt64) {
        guard state != .ended else { return }
        endTimer = LoopTimer(processes.loop) { [weak self] in self?.endIfIdle() }
        endTimer?.schedule(after: milliseconds)
    }

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
        let waiting = queuedBytes + (child?.pendingInput ?? 0)
        guard waiting <= processes.limits.childQueue else {
            throw Failure(.internalError, "The server does not read what it is sent", source: .upstream)
        }
    }

    private func send(_ message: Message, _ bytes: Span<UInt8>, _ edits: Edits) {
        let breaks = message.envelope.hasLineBreaks
        if state == .up, let child, framing == .newline {
            // Taken out meanwhile, so that the array is never shared and so never copied.
            var frame = processes.frame
            processes.frame = []
            frame.removeAll(keepingCapacity: frame.capacity <= 1 << 20)
            edits.apply(to: bytes, onOneLine: breaks, into: &frame)
            frame.append(UInt8(ascii: "\n"))
            child.write(frame.span)
            processes.frame = frame
            return
        }
        var text: [UInt8] = []
        edits.apply(to: bytes, onOneLine: breaks, into: &text)
        send(text)
    }

    /// Sends a message, or keeps it for the process that is on its way.
    private func send(_ text: [UInt8], ahead: Bool = false) {
        if let child, state == .up || ahead {
            var frame: [UInt8] = []
            FrameWriter.append(text.span, framing: framing, to: &frame)
            child.write(frame.span)
        } else if state != .down, state != .ended {
            queue.append(text)
            queuedBytes += text.count
        }
    }

    private func flush() {
        let messages = queue
        queue = []
        queuedBytes = 0
        for message in messages { send(message) }
    }

    // MARK: The process

    private func start() throws(Failure) {
        if restarts.hasDied {
            switch restarts.restart(at: processes.loop.now) {
            case .giveUp:
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
            // Translation between eras would stand here; without it the caller learns what would work.
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
    private func receivedOwn(_ message: Message) {
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

    /// Fails everything that waits and stops the process.
    private func stop(_ failure: Failure) {
        let child = child
        self.child = nil
        if let child { backend.abandon(child) }
        restarts.noteDeath(at: processes.loop.now)
        fail(failure, to: .down)
    }

    private func fail(_ failure: Failure, to next: State) {
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
}

// MARK: - From the child

extension ChildConversation: ChildDelegate {
    func childOutput(_ bytes: Span<UInt8>, of child: Child) {
        guard child === self.child else { return }
        if partial.isEmpty {
            let rest = read(bytes)
            if rest < bytes.count { partial.append(bytes, rest..<bytes.count) }
        } else {
            partial.append(bytes)
            // Taken out meanwhile and put back as it is: a large message comes in many parts and is not copied for each.
            var held = partial
            partial = []
            let rest = read(held.span)
            guard rest < held.count else { return }
            held.removeFirst(rest)
            partial = held
        }
    }

    /// Takes every whole message; where the rest, which is to be kept, begins.
    private func read(_ bytes: Span<UInt8>) -> Int {
        var position = 0
        while state != .ended, child != nil {
            switch reader.next(bytes, from: &position) {
            case .message(let range):
                if bytes[range.lowerBound] == UInt8(ascii: "[") {
                    receiveBatch(bytes.extracting(range))
                } else {
                    receive(bytes.extracting(range))
                }
            case .skip(let range):
                processes.drop("noise")
                processes.log.debug("the server wrote \(range.count) bytes that are no message")
            case .needMore:
                return position
            case .tooLong:
                stop(
                    Failure(
                        .internalError,
                        "The server sent a message of more than \(processes.limits.line) bytes and was stopped",
                        source: .upstream
                    )
                )
            }
        }
        return bytes.count
    }

    /// An array of messages, which servers of 2025-03-26 may send.
    private func receiveBatch(_ bytes: Span<UInt8>) {
        var reader = JSONReader(bytes)
        do {
            var elements = try reader.array()
            while try reader.next(&elements) { receive(bytes.extracting(try reader.skipValue().range)) }
        } catch {
            processes.drop(Upstream.DropReason.malformed.rawValue)
        }
    }

    private func receive(_ bytes: Span<UInt8>) {
        let message: Message
        do {
            message = try Message(bytes)
        } catch {
            processes.log.debug("the server wrote what is not JSON: \(error)")
            return processes.drop(Upstream.DropReason.malformed.rawValue)
        }
        if !hasAnswered {
            hasAnswered = true
            startTimer?.cancel()
        }
        if bytes.integer(message.envelope.id) == Self.ownID, !message.envelope.method.isPresent {
            return receivedOwn(message)
        }
        switch upstream.receive(message, bytes) {
        case .reply(let call):
            if call.id == handshake.pendingID {
                handshakeAnswered(message)
            } else {
                restarts.noteAnswer()
            }
            call.caller.reply(message, bytes, to: call)
        case .notice(let call):
            call.caller.notice(message, bytes, for: call)
        case .session:
            listener?.received(message, bytes, suspect: suspect)
        case .ask(let number):
            guard let listener else {
                return refuse(
                    number,
                    Failure(.methodNotFound, "No client is there to answer", source: .client)
                )
            }
            listener.asked(number, message, bytes, suspect: suspect)
        case .withdraw(let number):
            listener?.withdrew(number, message, bytes)
        case .ping(let id):
            send(Self.response(id, result: "{}"))
        case .refuse(let id, let failure):
            var text: [UInt8] = []
            failure.append(id: id, to: &text)
            send(text)
        case .drop(let reason):
            processes.drop(reason.rawValue)
        }
    }

    private func handshakeAnswered(_ message: Message) {
        handshake.pendingID = nil
        if message.envelope.kind == .error { handshake = Handshake() }
    }

    private var suspect: SuspectedCall? {
        if let only = upstream.onlyCall { return SuspectedCall(call: only, isOnly: true) }
        return upstream.waiting.first.map { SuspectedCall(call: $0, isOnly: false) }
    }

    func refuse(_ number: Int, _ failure: Failure) {
        guard let id = upstream.answer(number) else { return }
        var text: [UInt8] = []
        failure.append(id: id, to: &text)
        send(text)
    }

    private static func response(_ id: String, result: String) -> [UInt8] {
        Array(#"{"jsonrpc":"2.0","id":\#(id),"result":\#(result)}"#.utf8)
    }

    func childDiagnostics(_ bytes: Span<UInt8>, of child: Child) {
        let text = bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
        for line in text.split(whereSeparator: \.isNewline) { processes.log.debug("stderr: \(line)") }
    }

    func childInputDrained(of child: Child) {}

    func childExited(_ exit: ChildExit, of child: Child) {
        guard child === self.child else { return }
        self.child = nil
        backend.gone()
        guard state != .ended else { return }
        restarts.noteDeath(at: processes.loop.now)
        fail(
            Failure(
                .internalError,
                "The server ended unexpectedly (\(exit))",
                data: details(exit, of: child),
                source: .upstream
            ),
            to: .down
        )
    }

    private func details(_ exit: ChildExit?, of child: Child? = nil) -> JSONValue? {
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
