// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import JSON
import JSONRPC
import MCPCore
import Sessions

/// A conversation of a client with several servers as with one, in the era of the client.
///
/// A legacy session holds a session with each server; it starts with `initialize`, which greets all at once. What a modern
/// principal is told is remembered here, and each of its calls goes to the servers' own conversations with that principal.
/// It ends with `end`. Whose a name is says `FederatedNames`, whose a resource is `FederatedResources`.
final class FederatedConversation: Conversation {
    let era: Era
    let instance: UInt64
    let principal: Principal
    let backend: FederatedBackend
    weak var listener: (any ConversationListener)?
    /// The servers, in the order of the configuration.
    private(set) var members: [FederationMember] = []
    var names: [FederatedKind: FederatedNames]
    var resources = FederatedResources()
    /// When a list was last gathered whole, in milliseconds of the loop's clock.
    var gathered: [FederatedKind: UInt64] = [:]
    private var fanouts: [Int: Fanout] = [:]
    private(set) var calls: [Int: FederatedCall] = [:]
    var listens: [Int: FederatedListen] = [:]
    private var nextKey = 1
    /// `_meta` of requests of our own on the principal's behalf, in the modern era.
    var meta: JSONValue?
    /// When it was last used, in milliseconds of the loop's clock.
    private(set) var lastUse: UInt64

    // A session's.

    /// The client's `initialize`, for servers that come later.
    var initialize: [UInt8] = []
    /// The `initialize` that waits for its answer.
    var greetingCall: FederatedCall?
    /// Whether the servers' time to answer it is over.
    var isGreetingOverdue = false
    var greetingTimer: LoopTimer?
    /// Whether the client said `notifications/initialized`.
    var isInitialized = false
    /// The client's last `logging/setLevel`.
    var level: [UInt8]?
    /// The resources that the client is subscribed to, and at which server.
    var subscriptions: [[UInt8]: Int] = [:]
    /// What the servers ask the client, by our number for it.
    var questions: [Int: (member: Int, number: Int)] = [:]
    var nextQuestion = Upstream.randomQuestion()
    private(set) var hasEnded = false
    private var endTimer: LoopTimer?

    init(_ era: Era, instance: UInt64, for principal: Principal, of backend: FederatedBackend) {
        self.era = era
        self.instance = instance
        self.principal = principal
        self.backend = backend
        lastUse = backend.loop.now
        let table = FederatedNames(
            servers: backend.members.map(\.name),
            separator: backend.settings.separator
        )
        names = [.tools: table, .prompts: table]
        members = backend.members.enumerated().map { FederationMember($0, $1, of: self) }
        recall()
    }

    var loop: EventLoop { backend.loop }
    var isBusy: Bool { !calls.isEmpty }
    var isIdle: Bool { calls.isEmpty && listens.isEmpty }

    // MARK: From the client

    func call(
        _ message: Message,
        _ bytes: Span<UInt8>,
        from caller: any Caller,
        edits: Edits
    ) throws(Failure) -> Int {
        guard !hasEnded else {
            throw Failure(.internalError, "The conversation with the servers is over", source: .gateway)
        }
        let limit = era == .legacy ? backend.settings.inFlight : backend.settings.connections
        guard calls.count + listens.count < limit else {
            let text = "Too many calls of this session wait for an answer"
            throw Failure(.internalError, text, source: .client)
        }
        lastUse = loop.now
        guard !edits.isEmpty else { return try take(message, bytes, caller) }
        var text: [UInt8] = []
        edits.apply(to: bytes, onOneLine: false, into: &text)
        return try take(Bridging.read(text), text.span, caller)
    }

    private func take(_ message: Message, _ bytes: Span<UInt8>, _ caller: any Caller) throws(Failure) -> Int {
        let key = nextKey
        nextKey += 1
        let outer = Call(id: key, message, bytes, clock: nil, caller: caller)
        if message.method == .listen, era == .modern {
            try listen(key, outer, message, bytes)
            return key
        }
        let call = FederatedCall(key, outer, of: self)
        calls[key] = call
        do throws(Failure) {
            try start(call, message, bytes)
        } catch {
            // What is wrong with the request is said as a server would say it.
            guard error.code == .internalError else {
                give(Bridging.response(error), to: call)
                return key
            }
            calls[key] = nil
            throw error
        }
        return key
    }

    private func start(_ call: FederatedCall, _ message: Message, _ bytes: Span<UInt8>) throws(Failure) {
        switch message.method {
        case .initialize where era == .legacy: try greet(call, message, bytes)
        case .discover where era == .modern: discover(call, message, bytes)
        case .ping: give(Bridging.response(.object([])), to: call)
        case .toolsList, .promptsList, .resourcesList, .resourcesTemplatesList: try list(call, message, bytes)
        case .toolsCall: try route(call, .tools, message, bytes)
        case .promptsGet: try route(call, .prompts, message, bytes)
        case .resourcesRead: try read(call, message, bytes)
        case .subscribe where era == .legacy: try subscribe(call, message, bytes)
        case .unsubscribe where era == .legacy: try unsubscribe(call, message, bytes)
        case .complete: try complete(call, message, bytes)
        case .setLevel where era == .legacy: try setLevel(call, message, bytes)
        case .tasksGet where era == .modern, .tasksUpdate where era == .modern,
            .tasksCancel where era == .modern:
            try routeTask(call, message, bytes)
        default:
            let method = bytes.text(message.envelope.method.slice)
            let text = "\(method) has no meaning for several servers at once"
            throw Failure(.methodNotFound, text, source: .client)
        }
    }

    func notify(_ message: Message, _ bytes: Span<UInt8>) {
        switch message.method {
        case .cancelled:
            let id = bytes.text(message.params.requestID)
            guard let call = calls.values.first(where: { $0.outer.clientID.hasSameBytes(as: id) }) else {
                return
            }
            guard call !== greetingCall else { return }
            forget(call)
            call.withdraw("The client has cancelled it")
            call.outer.caller.cancelled(call.outer)
        case .progress:
            guard let number = bytes.integer(message.params.progressToken), let question = questions[number]
            else { return }
            var edits = Edits()
            edits.replace(message.params.progressToken, with: question.number)
            var text: [UInt8] = []
            edits.apply(to: bytes, onOneLine: false, into: &text)
            guard let edited = try? Message(text.span) else { return }
            members[question.member].session?.notify(edited, text.span)
        default:
            if message.method == .initialized { isInitialized = true }
            for member in members where member.standing == .present {
                member.session?.notify(message, bytes)
            }
        }
    }

    func cancel(_ id: Int, reason: String) {
        if let listen = listens.removeValue(forKey: id) { return listen.end(reason) }
        guard let call = calls.removeValue(forKey: id) else { return }
        call.withdraw(reason)
    }

    /// A call has got its answer, or nobody waits for it.
    func forget(_ call: FederatedCall) {
        calls[call.key] = nil
    }

    /// Answers a call with a text of ours.
    func give(_ text: [UInt8], to call: FederatedCall) {
        guard calls.removeValue(forKey: call.key) != nil, let message = try? Message(text.span) else {
            return
        }
        call.outer.caller.reply(message, text.span, to: call.outer)
    }

    /// Ends a call with an error of ours.
    func fail(_ call: FederatedCall, _ failure: Failure) {
        guard failure.code == .internalError else { return give(Bridging.response(failure), to: call) }
        guard calls.removeValue(forKey: call.key) != nil else { return }
        call.outer.caller.failed(failure, call.outer)
    }

    // MARK: Asking several

    /// Asks several servers at once; the conversation holds on to it until it is over.
    func ask(
        _ count: Int,
        isEnough: @escaping () -> Bool = { true },
        _ completion: @escaping () -> Void
    ) -> Fanout {
        let key = nextKey
        nextKey += 1
        let deadline = backend.settings.memberDeadline
        let fanout = Fanout(asking: count, on: loop, deadline: deadline, isEnough: isEnough) { [weak self] in
            self?.fanouts[key] = nil
            completion()
        }
        fanouts[key] = fanout
        return fanout
    }

    /// What a caller declared that it can be asked, by the `_meta` of a request.
    static func declared(_ meta: JSONValue?) -> JSONValue {
        meta?["\(MetaKey.clientCapabilities)"] ?? .object([])
    }

    /// Keeps the `_meta` of a modern request for those of our own on its behalf.
    func learn(_ message: Message, _ bytes: Span<UInt8>) {
        guard era == .modern, message.params.meta.object.isPresent,
            let value = try? JSONValue(bytes.extracting(message.params.meta.object.range)),
            let parts = value.members
        else { return }
        meta = .object(
            parts.filter { part in
                !["progressToken", "\(MetaKey.logLevel)"].contains { $0.hasSameBytes(as: part.name) }
            }
        )
    }

    // MARK: Time and the end

    func heartbeat(now: UInt64) {
        for call in Array(calls.values) where call.isWaitingHere {
            call.outer.caller.stillWaiting(call.outer, now: now)
        }
        for listen in Array(listens.values) { listen.outer.caller.stillWaiting(listen.outer, now: now) }
    }

    /// Tries again what did not work: servers that could not be greeted, lists that did not come, listens that were lost.
    func retry(now: UInt64) {
        // Who has no session hears of changes only by a listen.
        for member in members where !hasEnded && (era == .legacy || !listens.isEmpty) {
            guard member.retries.take(at: now) else { continue }
            if era == .legacy, member.standing == .absent {
                if !initialize.isEmpty { member.open(initialize) }
            } else {
                for kind in member.missed { begin(kind, by: member) }
            }
        }
        for listen in Array(listens.values) { listen.retry(now: now) }
    }

    func beginStopping() {
        for listen in Array(listens.values) { listen.outer.caller.stopping(listen.outer) }
    }

    func end(after milliseconds: UInt64) {
        guard !hasEnded else { return }
        endTimer?.close()
        endTimer = LoopTimer(loop) { [weak self] in
            if self?.isBusy == false { self?.end() }
        }
        endTimer?.schedule(after: milliseconds)
    }

    func end() {
        guard !hasEnded else { return }
        hasEnded = true
        endTimer?.close()
        greetingTimer?.close()
        greetingCall = nil
        let open = calls.values.map { $0 }
        let listening = listens.values.map { $0 }
        calls = [:]
        listens = [:]
        questions = [:]
        for fanout in fanouts.values { fanout.abandon() }
        fanouts = [:]
        let failure: Failure = backend.isStopping ? .stopping : .sessionEnded
        for call in open { call.withdraw(failure.message) }
        for listen in listening { listen.end(failure.message) }
        for member in members { member.close() }
        backend.ended(self)
        for call in open { call.outer.caller.failed(failure, call.outer) }
        for listen in listening { listen.outer.caller.failed(failure, listen.outer) }
    }
}
