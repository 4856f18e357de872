// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Configuration
import Diagnostics
import EventLoop
import JSON
import JSONRPC
import MCPCore
import Sessions

/// A server of the legacy era as modern callers see it: one session with it, for the callers of one principal that
/// declared the same capabilities.
///
/// It starts without a process; the first call greets the server with those capabilities. What may come of a call, and when,
/// `ParkedCalls` says; here it is done. It ends with `end`.
final class LegacyServerBridge: Bridge {
    enum Greeting {
        /// The server has not been greeted, or that failed.
        case none
        /// The answer is awaited.
        case waiting
        /// This is what it answered.
        case done(JSONValue)
    }

    weak var listener: (any ConversationListener)?
    let child: ServerConversation
    /// What its callers declared that they can be asked, in the words of the legacy era.
    let capabilities: JSONValue
    let listens: ListenHub
    /// Whether callers of several principals share it, so that what names no call must reach nobody.
    private let isShared: Bool
    var greeting = Greeting.none
    /// What stands first in `_meta` of each result, as JSON text: who the server is.
    var serverMeta: [UInt8] = []
    /// What stands first in a result that has no `_meta` of its own.
    private(set) var resultStart: [UInt8] = []
    var machine: ParkedCalls
    var calls: [Int: BridgedCall] = [:]
    /// Calls that wait for the greeting.
    private var waiting: [BridgedCall] = []
    /// Whether the greeting is over, with all that the server asked at once.
    var isReady = false
    private var isSettling = false
    private var nextKey = 1
    var levels = LogLevels()
    /// Resources that this server was asked to watch, and did not refuse.
    var watched: [[UInt8]: ResourceWatch] = [:]
    /// When a server that died is asked to watch again, and how long was waited for that.
    var nextWatch: UInt64?
    var watchDelay: UInt64 = 0
    private var timer: LoopTimer?
    private var endTimer: LoopTimer?
    private let callLimit: Int
    private let parkedLimit: Int
    private var hasEnded = false

    /// Makes a bridge.
    ///
    /// - Parameters:
    ///   - child: A conversation of the legacy era, which has no other listener.
    ///   - capabilities: What the callers declared.
    ///   - listens: The principal's subscriptions.
    ///   - isShared: Whether callers of several principals share it.
    init(_ child: ServerConversation, capabilities: JSONValue, listens: ListenHub, isShared: Bool) {
        self.child = child
        self.capabilities = capabilities
        self.listens = listens
        self.isShared = isShared
        var limits = ParkedCalls.Limits()
        limits.queued = child.context.inFlightLimit
        limits.parked = child.context.inFlightLimit * 4
        limits.patience = child.context.patience
        callLimit = child.context.limits.connections
        parkedLimit = limits.parked
        machine = ParkedCalls(mayAsk: capabilities.members?.isEmpty == false, limits: limits)
        child.listener = self
        listens.join(self)
    }

    var loop: EventLoop { child.context.loop }
    var isIdle: Bool { calls.isEmpty && waiting.isEmpty && child.isIdle }
    var isBusy: Bool { calls.values.contains { $0.outer != nil } || !waiting.isEmpty }

    // MARK: From callers

    var obstacle: Failure? {
        if hasEnded {
            return Failure(.internalError, "The conversation with the server is over", source: .gateway)
        }
        // Parked calls have a bound of their own, and must not keep out those who come back for them.
        guard calls.count + waiting.count < callLimit + parkedLimit else {
            return Failure(.internalError, "Too many calls wait for the server", source: .client)
        }
        return nil
    }

    func take(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ caller: any Caller
    ) throws(Failure) -> Int {
        if message.method.isTask {
            throw Failure(.methodNotFound, "The server behind this gateway offers no tasks", source: .client)
        }
        let key = nextKey
        nextKey += 1
        let outer = Call(id: key, message, bytes, clock: nil, caller: caller)
        if message.params.requestState.isPresent, message.method.mayNeedInput {
            let state = bytes.string(message.params.requestState) ?? []
            if !state.elementsEqual(Self.anew) { return try retry(state, message, bytes, outer) }
        }
        let call = BridgedCall(self, key: key, outer)
        call.level = bytes.string(message.params.meta.logLevel).flatMap(LogSeverity.init(bytes:))
        if message.method == .resourcesRead {
            call.uri = bytes.string(message.params.uri).map { String(decoding: $0, as: UTF8.self) }
        }
        call.text = Rewriting.request(message, bytes, meta: [])
        if message.method == .listen { call.filter = try ListenHub.filter(of: message, bytes) }
        call.since = loop.now
        switch greeting {
        case .done where isReady:
            start(call)
        case .done:
            waiting.append(call)
            settleDown()
        case .waiting:
            waiting.append(call)
        case .none:
            waiting.append(call)
            do throws(Failure) {
                try greet()
            } catch {
                waiting.removeAll { $0 === call }
                throw error
            }
        }
        return key
    }

    /// The state of a round whose retry is a call of its own.
    static let anew = Array("anew".utf8)

    private func retry(
        _ state: [UInt8],
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ outer: Call
    ) throws(Failure) -> Int {
        let responses = message.params.inputResponses
        var answers: [JSONValue.Member] = []
        if responses.isPresent {
            let value = try? JSONValue(bytes.extracting(responses.range))
            guard let members = value?.members else {
                throw Failure(.invalidParams, "inputResponses must be an object", source: .client)
            }
            answers = members
        }
        let number = Int(String(decoding: state, as: UTF8.self)) ?? 0
        switch machine.retry(number, answers, at: loop.now) {
        case .refused(let failure): throw failure
        case .taken(let key, let actions):
            calls[key]?.outer = outer
            calls[key]?.since = loop.now
            perform(actions)
        }
        return outer.id
    }

    func cancel(_ id: Int, reason: String) {
        if let index = waiting.firstIndex(where: { $0.outer?.id == id }) {
            waiting.remove(at: index)
            return
        }
        guard let call = calls.values.first(where: { $0.outer?.id == id }) else { return }
        call.outer = nil
        if call.filter != nil {
            calls[call.key] = nil
            return listens.remove(call.key, of: self)
        }
        perform(machine.cancel(call.key))
    }

    /// Modern clients have no notifications that a legacy server could use.
    func notify(_ message: Message, _ bytes: Span<UInt8>) {}

    func answer(_ number: Int, _ message: Message, _ bytes: Span<UInt8>) -> Bool { false }

    func refuse(_ number: Int, _ failure: Failure) {}

    // MARK: Greeting

    private func greet() throws(Failure) {
        greeting = .waiting
        let text = Bridging.request(
            .initialize,
            [
                "protocolVersion": .string(Revision.latestLegacy.rawValue), "capabilities": capabilities,
                "clientInfo": GatewayIdentity.implementation,
            ]
        )
        do throws(Failure) {
            try send(text) { [weak self] outcome in self?.greeted(outcome) }
        } catch {
            greeting = .none
            throw error
        }
    }

    private func greeted(_ outcome: Result<JSONValue, Failure>) {
        switch outcome {
        case .failure(let failure):
            greeting = .none
            let calls = waiting
            waiting = []
            for call in calls { call.fail(failure) }
        case .success(let result):
            greeting = .done(result)
            serverMeta = Bridging.serverMeta(result["serverInfo"])
            resultStart = Array(#""resultType":"complete""#.utf8)
            if !serverMeta.isEmpty {
                resultStart += Array(#","_meta":{"#.utf8) + serverMeta + Array("}".utf8)
            }
            let text = Bridging.notification(.initialized)
            if let message = try? Message(text.span) { child.notify(message, text.span) }
            watchAgain()
            settleDown()
        }
    }

    /// Lets the server, greeted just now, ask what servers like to ask at the very beginning: that belongs to nobody's call.
    private func settleDown() {
        guard machine.isExclusive else { return startWaiting() }
        guard !isSettling else { return }
        isSettling = true
        drain { [weak self] in
            self?.isSettling = false
            self?.startWaiting()
        }
    }

    private func startWaiting() {
        let calls = waiting
        waiting = []
        isReady = true
        for call in calls { start(call) }
    }

    /// Calls back when the server has read all that it was sent.
    ///
    /// One that gives no sign of life within the time that a call has is ended, and its calls with it.
    private func drain(_ completion: @escaping () -> Void) {
        let text = Bridging.request(.ping, .object([]))
        let barrier = Barrier { [weak self] isAlive in
            if !isAlive { self?.child.replaceIfUp("The server does not answer a ping") }
            completion()
        }
        do throws(Failure) {
            let message = try Bridging.read(text)
            _ = try child.call(message, text.span, from: barrier, edits: Edits())
        } catch {
            // One that takes no message more cannot be waited for either.
            child.replaceIfUp("The server does not read what it is sent")
            loop.onNextTurn(completion)
        }
    }

    /// What the server said, without what is kept from callers that share it.
    private func offered(_ result: JSONValue) -> JSONValue {
        guard !knowsCallers, let members = result.members else { return result }
        return .object(
            members.map { member in
                guard member.name.utf8.elementsEqual("capabilities".utf8), let all = member.value.members
                else {
                    return member
                }
                return .init(member.name, .object(all.filter { !$0.name.utf8.elementsEqual("logging".utf8) }))
            }
        )
    }

    /// What the server said that it can do.
    var serverCapabilities: JSONValue? {
        guard case .done(let result) = greeting else { return nil }
        return result["capabilities"]
    }

    // MARK: Calls

    private func start(_ call: BridgedCall) {
        guard let outer = call.outer else { return }
        if outer.method == .discover {
            guard case .done(let result) = greeting else { return }
            return call.deliver(Translation.discoverResult(fromInitialize: offered(result)))
        }
        calls[call.key] = call
        if call.filter != nil { return listens.open(call, at: self) }
        guard let actions = machine.add(call.key, mayAsk: outer.method.mayNeedInput) else {
            calls[call.key] = nil
            return call.fail(Failure(.internalError, "Too many calls wait for the server", source: .client))
        }
        perform(actions)
    }

    /// Sends a call to the server.
    private func submit(_ call: BridgedCall) {
        if let level = call.level, serverCapabilities?["logging"] != nil, let lower = levels.want(level) {
            let text = Bridging.request(.setLevel, ["level": .string(lower.rawValue)])
            try? send(text) { _ in }
        }
        if nextWatch != nil { watchAgain() }
        let text = call.text
        call.text = []
        do throws(Failure) {
            let method = call.outer?.method ?? .other
            let isPlain = call.outer?.progressToken == nil && !child.timesByName(method)
            let message =
                isPlain ? Message(request: method, id: Rewriting.requestID) : try Bridging.read(text)
            call.innerID = try child.call(message, text.span, from: call, edits: Edits())
        } catch {
            call.outcome = .failure(error)
            perform(machine.settled(call.key))
        }
    }

    /// Sends a request of our own.
    func send(
        _ text: [UInt8],
        _ completion: @escaping (Result<JSONValue, Failure>) -> Void
    ) throws(Failure) {
        let message = try Bridging.read(text)
        _ = try child.call(message, text.span, from: OwnCall(completion), edits: Edits())
    }

    func perform(_ actions: [ParkedCalls.Action]) {
        for action in actions {
            switch action {
            case .start(let key): if let call = calls[key] { submit(call) }
            case .ask(let key, let questions, let state): calls[key]?.ask(questions, state: state)
            case .resume(let key): calls[key]?.innerID.map(child.resume)
            case .answer(let number, let result): child.answer(number, result: result)
            case .refuse(let number, let failure): child.refuse(number, failure)
            case .deliver(let key): calls.removeValue(forKey: key)?.deliverOutcome()
            case .keep(let key): calls[key]?.keepOutcome()
            case .cancel(let key):
                let call = calls.removeValue(forKey: key)
                if let id = call?.innerID { child.cancel(id, reason: "The client has gone") }
            case .drain(let key):
                drain { [weak self] in
                    guard let self else { return }
                    self.perform(self.machine.drained(key))
                }
            case .replace: child.replaceIfUp("The server goes on with calls that were given up")
            case .forget(let key): calls[key] = nil
            case .fail(let key, let failure): calls[key]?.fail(failure)
            }
        }
        watchTime()
    }

    // MARK: Time

    private func watchTime() {
        guard let deadline = machine.nextDeadline else {
            timer?.cancel()
            return
        }
        if timer == nil { timer = LoopTimer(loop) { [weak self] in self?.tick() } }
        let now = loop.now
        timer?.schedule(after: deadline > now ? deadline - now : 1)
    }

    private func tick() {
        perform(machine.tick(at: loop.now))
    }

    func heartbeat(now: UInt64) {
        for call in waiting + calls.values where call.innerID == nil {
            if let outer = call.outer { outer.caller.stillWaiting(outer, now: now) }
        }
    }

    /// Ends calls that have waited for their turn too long.
    func expire(now: UInt64) {
        if let time = nextWatch, now >= time { watchAgain() }
        let limit = child.context.server.requestTimeout.wholeMilliseconds
        for call in Array(calls.values) where call.innerID == nil && call.outer != nil && call.filter == nil {
            guard now > call.since &+ limit else { continue }
            call.fail(
                Failure(
                    .internalError,
                    "The server was busy with other calls for too long",
                    source: .upstream
                )
            )
            perform(machine.cancel(call.key))
            calls[call.key] = nil
        }
    }

    func beginStopping() {
        for call in Array(calls.values) where call.filter != nil {
            if let outer = call.outer { outer.caller.stopping(outer) }
        }
    }

    // MARK: The end

    func end(after milliseconds: UInt64) {
        guard !hasEnded else { return }
        endTimer?.close()
        endTimer = LoopTimer(loop) { [weak self] in
            guard let self else { return }
            if self.isBusy { self.end(after: max(milliseconds, 1_000)) } else { self.end() }
        }
        endTimer?.schedule(after: milliseconds)
    }

    func end() {
        guard !hasEnded else { return }
        hasEnded = true
        endTimer?.close()
        let open = waiting + calls.values
        // What the server asked is answered before it ends, as if its callers had let the time pass.
        perform(machine.end())
        timer?.close()
        listens.leave(self)
        let failure: Failure =
            child.backend.isStopping
            ? .stopping
            : Failure(.internalError, "The conversation with the server has ended", source: .gateway)
        waiting = []
        calls = [:]
        child.end()
        for call in open { call.fail(failure) }
    }

    /// Whether all callers are one principal's, so that what the server says outside of answers may reach them.
    var knowsCallers: Bool { !isShared }
}
