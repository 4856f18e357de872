// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Configuration
import Diagnostics
import EventLoop
import JSON
import JSONRPC
import MCPCore
import Sessions

/// A server of the modern era as the client of a legacy session sees it.
///
/// It starts without a process; the session's `initialize` asks the server what it offers. Each call carries what the
/// client said then; rounds of questions are asked as real requests (`InputRounds`), what the client subscribes to goes into
/// one listen (`SessionListen`), and tasks are waited for (`TaskPolling`). It ends with `end`.
final class ModernServerBridge: Bridge {
    weak var listener: (any ConversationListener)?
    let child: ServerConversation
    /// What the client said at `initialize`.
    var client = LegacyClientTraits()
    /// The capabilities that the server declared, once it has been asked.
    var serverCapabilities: JSONValue?
    var calls: [Int: SessionCall] = [:]
    private var nextKey = 1
    /// The number of the next question to the client.
    var nextNumber = Upstream.randomQuestion()
    /// The call that each question belongs to.
    var questions: [Int: Int] = [:]
    var listen = SessionListen()
    /// The listens at the server, by the machine's key: the child's id of each.
    var listenIDs: [Int: Int] = [:]
    /// Requests of the client that wait for a listen.
    var subscribing: [Int: Call] = [:]
    private var hasEnded = false

    /// Makes a bridge over a conversation of the modern era that has no other listener.
    init(_ child: ServerConversation) {
        self.child = child
        child.listener = self
    }

    var loop: EventLoop { child.context.loop }
    /// The level goes with each call, and subscriptions with the next listen.
    var remembersSession: Bool { true }
    var isBusy: Bool { !calls.isEmpty }
    var isIdle: Bool { calls.isEmpty && subscribing.isEmpty && uris.isEmpty }
    private var uris: [String] { listen.uris }
    private var callLimit: Int { child.context.inFlightLimit }

    // MARK: From the client

    var obstacle: Failure? {
        if hasEnded {
            return Failure(.internalError, "The conversation with the server is over", source: .gateway)
        }
        guard calls.count + subscribing.count < callLimit else {
            return Failure(
                .internalError,
                "Too many calls of this session wait for an answer",
                source: .client
            )
        }
        return nil
    }

    func take(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ caller: any Caller
    ) throws(Failure) -> Int {
        let key = nextKey
        nextKey += 1
        let patience = child.context.server.requestTimeout.wholeMilliseconds
        let clock = CallClock(at: loop.now, patience: patience, ceiling: patience)
        let outer = Call(id: key, message, bytes, clock: clock, caller: caller)
        switch message.method {
        case .initialize:
            try initialize(message, bytes, outer)
        case .setLevel:
            try setLevel(message, bytes, outer)
        case .subscribe, .unsubscribe:
            try subscribe(message, bytes, outer)
        case .discover, .listen, .tasksGet, .tasksUpdate, .tasksCancel, .tasksResult, .tasksList:
            let text = "\(message.method.rawValue) is not a method of this session's revision"
            throw Failure(.methodNotFound, text, source: .client)
        default:
            perform(listen.reopen())
            let call = SessionCall(self, key: key, outer)
            call.text = Rewriting.request(message, bytes, meta: client.meta)
            calls[key] = call
            do throws(Failure) {
                try submit(call, call.text)
            } catch {
                calls[key] = nil
                throw error
            }
        }
        return key
    }

    /// Sends a call to the server, for the first time or with what its client answered.
    func submit(_ call: SessionCall, _ text: [UInt8]) throws(Failure) {
        let method = call.outer.method
        let isPlain = call.outer.progressToken == nil && !client.wantsLogs && !child.timesByName(method)
        let message =
            isPlain
            ? Message(request: method, id: Rewriting.requestID) : try Bridging.read(text)
        call.innerID = try child.call(message, text.span, from: call, edits: Edits())
    }

    /// Sends a request of our own.
    func send(
        _ method: Method,
        _ params: [JSONValue.Member],
        _ completion: @escaping (Result<JSONValue, Failure>) -> Void
    ) throws(Failure) {
        let meta = JSONValue.Member("_meta", client.metaValue)
        let text = Bridging.request(method, .object([meta] + params))
        let message = try Bridging.read(text)
        _ = try child.call(message, text.span, from: OwnCall(completion), edits: Edits())
    }

    func cancel(_ id: Int, reason: String) {
        subscribing[id] = nil
        guard let call = calls.removeValue(forKey: id) else { return }
        call.end(reason)
    }

    func notify(_ message: Message, _ bytes: Span<UInt8>) {
        switch message.method {
        case .initialized:
            let lists = { (name: String) in self.serverCapabilities?[name]?["listChanged"]?.bool == true }
            perform(
                listen.start(
                    tools: lists("tools"),
                    prompts: lists("prompts"),
                    resources: lists("resources")
                )
            )
        case .cancelled:
            let id = bytes.text(message.params.requestID)
            if let outer = subscribing.values.first(where: { $0.clientID.hasSameBytes(as: id) }) {
                subscribing[outer.id] = nil
                return outer.caller.cancelled(outer)
            }
            guard let call = calls.values.first(where: { $0.outer.clientID.hasSameBytes(as: id) }) else {
                return
            }
            calls[call.key] = nil
            call.end("The client has cancelled it")
            call.outer.caller.cancelled(call.outer)
        default:
            // Roots that changed and progress of questions have no place in the modern era.
            break
        }
    }

    func answer(_ number: Int, _ message: Message, _ bytes: Span<UInt8>) -> Bool {
        guard let key = questions.removeValue(forKey: number), let call = calls[key] else { return false }
        if message.envelope.kind == .result,
            let result = try? JSONValue(bytes.extracting(message.envelope.result.range))
        {
            call.perform(call.rounds.answered(number, result))
            return true
        }
        let error = try? JSONValue(bytes.extracting(message.envelope.error.range))
        let text = error?["message"]?.string ?? "The client refused to answer"
        let code = ErrorCode(message.errorCode ?? ErrorCode.internalError.value)
        call.perform(call.rounds.refused(number, Failure(code, text, data: error?["data"], source: .client)))
        return true
    }

    func refuse(_ number: Int, _ failure: Failure) {
        guard let key = questions.removeValue(forKey: number), let call = calls[key] else { return }
        // Told while the question is being asked: what follows from it comes afterwards.
        loop.onNextTurn { call.perform(call.rounds.refused(number, failure)) }
    }

    // MARK: Handshake

    private func initialize(_ message: Message, _ bytes: Span<UInt8>, _ outer: Call) throws(Failure) {
        client = LegacyClientTraits(message, bytes)
        try send(.discover, []) { [weak self] outcome in
            guard let self else { return }
            switch outcome {
            case .failure(let failure):
                outer.caller.failed(failure, outer)
            case .success(let result):
                self.serverCapabilities = result["capabilities"] ?? .object([])
                let takesTasks = self.serverCapabilities?["extensions"]?[TaskPolling.extension] != nil
                if takesTasks { self.client.addTasks() }
                self.give(
                    Bridging.response(
                        Translation.initializeResult(fromDiscover: result, revision: self.client.revision)
                    ),
                    to: outer
                )
            }
        }
    }

    private func setLevel(_ message: Message, _ bytes: Span<UInt8>, _ outer: Call) throws(Failure) {
        guard serverCapabilities?["logging"] != nil else {
            throw Failure(.methodNotFound, "The server writes no log messages", source: .client)
        }
        let params = try? JSONValue(bytes.extracting(message.envelope.params.range))
        guard let level = params?["level"]?.string.flatMap({ LogSeverity(bytes: $0.utf8) }) else {
            throw Failure(.invalidParams, "level must be one of those of RFC 5424", source: .client)
        }
        client.setLevel(level)
        give(Bridging.response(.object([])), to: outer)
    }

    /// Gives a text to a request's caller.
    func give(_ text: [UInt8], to outer: Call) {
        guard let message = try? Message(text.span) else { return }
        outer.caller.reply(message, text.span, to: outer)
    }

    // MARK: Time and the end

    func heartbeat(now: UInt64) {
        for call in calls.values where call.innerID == nil {
            call.outer.caller.stillWaiting(call.outer, now: now)
        }
        for outer in subscribing.values { outer.caller.stillWaiting(outer, now: now) }
    }

    /// Ends calls whose client does not answer.
    ///
    /// A subscription waits for the server to acknowledge a listen, which may never come.
    func expire(now: UInt64) {
        for outer in Array(subscribing.values) where now >= outer.clock?.deadline ?? .max {
            subscribing[outer.id] = nil
            let text = "The server did not acknowledge the subscription in time"
            outer.caller.failed(Failure(.internalError, text, source: .upstream), outer)
        }
        let limit = child.context.patience
        for call in Array(calls.values) where call.innerID == nil {
            guard let since = call.askingSince, now > since &+ limit else { continue }
            calls[call.key] = nil
            call.end("The client does not answer")
            let failure = Failure(.internalError, "The client did not answer in time", source: .client)
            call.outer.caller.failed(failure, call.outer)
        }
    }

    func beginStopping() {}

    func end(after milliseconds: UInt64) {
        child.end(after: milliseconds)
    }

    func end() {
        guard !hasEnded else { return }
        hasEnded = true
        let failure: Failure = child.backend.isStopping ? .stopping : .sessionEnded
        let open = calls.values.map { $0 }
        calls = [:]
        questions = [:]
        for call in open {
            call.end(failure.message)
            call.outer.caller.failed(failure, call.outer)
        }
        for outer in subscribing.values { outer.caller.failed(failure, outer) }
        subscribing = [:]
        child.end()
    }
}
