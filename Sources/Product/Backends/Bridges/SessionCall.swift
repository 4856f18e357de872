// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import JSON
import JSONRPC
import MCPCore

/// A call of a legacy session at a modern server, through its rounds of questions.
final class SessionCall: Caller {
    let key: Int
    private unowned let bridge: ModernServerBridge
    let outer: Call
    /// The request as the server got it, to be sent again with what the client answers.
    var text: [UInt8] = []
    /// The call's id at the child, while it is there.
    var innerID: Int?
    var rounds: InputRounds
    /// Since when the client is being asked, in milliseconds of the loop's clock.
    private(set) var askingSince: UInt64?
    private var polling: TaskPolling?
    /// Until when the task is waited for, in milliseconds of the loop's clock.
    private var pollingEnd: UInt64 = 0
    /// Milliseconds for which a task is waited for that says nothing of its life, or too much.
    private static let longestTask: UInt64 = 3_600_000
    private var timer: LoopTimer?

    init(_ bridge: ModernServerBridge, key: Int, _ outer: Call) {
        self.bridge = bridge
        self.key = key
        self.outer = outer
        rounds = InputRounds(capabilities: bridge.client.capabilities, revision: bridge.client.revision)
    }

    // MARK: From the server

    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call) {
        innerID = nil
        guard message.envelope.kind == .result else { return refused(message, bytes) }
        let type = message.result.hasType ? bytes.string(message.result.type) : Array("complete".utf8)
        if type?.elementsEqual("complete".utf8) == true {
            finish(Self.translated(message, bytes, outer.method, bridge.client.revision))
        } else if type?.elementsEqual("input_required".utf8) == true, outer.method.mayNeedInput {
            needInput(message, bytes)
        } else if type?.elementsEqual("task".utf8) == true, outer.method == .toolsCall {
            becomeTask(message, bytes)
        } else {
            fail(Failure(.internalError, "The server's result is of an unknown type", source: .upstream))
        }
    }

    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call) {
        let isProgress = message.method == .progress
        guard !isProgress || outer.progressToken != nil else { return }
        // The first revision had no words for progress.
        let isSilent = isProgress && bridge.client.revision < .v2025_03_26
        guard !isProgress || isSilent else { return outer.caller.notice(message, bytes, for: outer) }
        let text = Rewriting.notification(message, bytes, dropping: isSilent ? ["message"] : [])
        guard let rewritten = try? Message(text.span) else { return }
        outer.caller.notice(rewritten, text.span, for: outer)
    }

    func failed(_ failure: Failure, _ call: Call) {
        innerID = nil
        fail(failure)
    }

    func cancelled(_ call: Call) {}
    func stopping(_ call: Call) {}

    func stillWaiting(_ call: Call, now: UInt64) {
        outer.caller.stillWaiting(outer, now: now)
    }

    private func refused(_ message: Message, _ bytes: Span<UInt8>) {
        let error = try? JSONValue(bytes.extracting(message.envelope.error.range))
        refuse(
            message.errorCode ?? ErrorCode.internalError.value,
            error?["message"]?.string ?? "",
            error?["data"]
        )
    }

    private func refuse(_ code: Int, _ message: String, _ data: JSONValue?) {
        let failure = Translation.legacyError(code: code, message: message, data: data, method: outer.method)
        finish(Bridging.response(failure))
    }

    // MARK: Rounds

    private func needInput(_ message: Message, _ bytes: Span<UInt8>) {
        let result = try? JSONValue(bytes.extracting(message.envelope.result.range))
        let slice = message.result.requestState
        guard let result, slice.isPresent == message.result.requestStateValue.isPresent else {
            return fail(Failure(.internalError, "The server's result cannot be read", source: .upstream))
        }
        let state = slice.isPresent ? [UInt8](bytes, slice.quoted.range) : nil
        perform(rounds.needs(result["inputRequests"], state: state, nextNumber: &bridge.nextNumber))
    }

    func perform(_ actions: [InputRounds.Action]) {
        for action in actions {
            switch action {
            case .ask(let number, let method, let params): ask(number, method, params)
            case .withdraw(let number): withdraw(number)
            case .retry(let responses, let state): retry(responses, state)
            case .fail(let failure): fail(failure)
            }
        }
    }

    private func ask(_ number: Int, _ method: Method, _ params: JSONValue) {
        askingSince = askingSince ?? bridge.loop.now
        bridge.questions[number] = key
        let text = Bridging.request(method, params)
        guard let message = try? Message(text.span), let listener = bridge.listener else {
            return bridge.refuse(
                number,
                Failure(.internalError, "No client is there to answer", source: .client)
            )
        }
        listener.asked(number, message, text.span, suspect: SuspectedCall(call: outer, isOnly: true))
    }

    private func withdraw(_ number: Int) {
        bridge.questions[number] = nil
        let text = Bridging.notification(.cancelled, ["requestId": .number(String(number))])
        guard let message = try? Message(text.span) else { return }
        bridge.listener?.withdrew(number, message, text.span)
    }

    private func retry(_ responses: JSONValue?, _ state: [UInt8]?) {
        askingSince = nil
        if let polling { return update(polling, responses ?? .object([])) }
        guard let message = try? Message(text.span) else { return }
        var members: [UInt8] = []
        if let responses {
            members.append(literal: "\"inputResponses\":")
            members.append(contentsOf: responses.text())
        }
        if let state {
            if !members.isEmpty { members.append(UInt8(ascii: ",")) }
            members.append(literal: "\"requestState\":")
            members.append(contentsOf: state)
        }
        // What belongs to the hop was put into the text before; it is kept as it is.
        let again = Rewriting.request(message, text.span, meta: bridge.client.meta, adding: members)
        do throws(Failure) {
            try bridge.submit(self, again)
        } catch {
            fail(error)
        }
    }

    // MARK: Tasks

    private func becomeTask(_ message: Message, _ bytes: Span<UInt8>) {
        let result = try? JSONValue(bytes.extracting(message.envelope.result.range))
        guard let task = result.flatMap(TaskPolling.init) else {
            return fail(Failure(.internalError, "The server's task has no id", source: .upstream))
        }
        polling = task
        let lifetime = result?["ttlMs"]?.integer.map { UInt64(clamping: $0) } ?? Self.longestTask
        pollingEnd = bridge.loop.now &+ min(lifetime, Self.longestTask)
        take(task.begin)
    }

    private func take(_ action: TaskPolling.Action) {
        switch action {
        case .poll(let delay):
            timer = timer ?? LoopTimer(bridge.loop) { [weak self] in self?.poll() }
            timer?.schedule(after: delay)
        case .ask(let requests):
            perform(rounds.needs(requests, state: nil, nextNumber: &bridge.nextNumber))
        case .complete(let result):
            let fitting = Translation.legacyResult(result, of: outer.method, for: bridge.client.revision)
            finish(Bridging.response(fitting))
        case .refuse(let code, let message, let data): refuse(code, message, data)
        case .fail(let failure): fail(failure)
        }
    }

    private func poll() {
        guard bridge.loop.now < pollingEnd else {
            return fail(
                Failure(.internalError, "The server's task did not end in its time", source: .upstream)
            )
        }
        askServer(.tasksGet, []) { call, result in
            guard let action = call.polling?.received(result) else { return }
            call.take(action)
        }
    }

    private func update(_ task: TaskPolling, _ responses: JSONValue) {
        askServer(.tasksUpdate, [.init("inputResponses", responses)]) { call, _ in
            guard let action = call.polling?.updated() else { return }
            call.take(action)
        }
    }

    private func askServer(
        _ method: Method,
        _ params: [JSONValue.Member],
        _ next: @escaping (SessionCall, JSONValue) -> Void
    ) {
        guard let polling else { return }
        do throws(Failure) {
            let id = JSONValue.Member("taskId", .string(polling.id))
            try bridge.send(method, [id] + params) { [weak self] outcome in
                // It may be over in the meantime.
                guard let self, self.bridge.calls[self.key] != nil else { return }
                switch outcome {
                case .success(let result): next(self, result)
                case .failure(let failure): self.fail(failure)
                }
            }
        } catch {
            fail(error)
        }
    }

    // MARK: The end

    /// Ends it without an answer: the server and the client are told.
    func end(_ reason: String) {
        perform(rounds.end())
        timer?.close()
        if let innerID { bridge.child.cancel(innerID, reason: reason) }
        innerID = nil
        abandonTask()
    }

    /// Nobody waits for the task any more.
    private func abandonTask() {
        // A process that has died takes its tasks with it; the next one never heard of them.
        guard let task = polling.take(), bridge.child.hasLink else { return }
        try? bridge.send(.tasksCancel, [.init("taskId", .string(task.id))]) { _ in }
    }

    private func fail(_ failure: Failure) {
        guard bridge.calls.removeValue(forKey: key) != nil else { return }
        timer?.close()
        perform(rounds.end())
        abandonTask()
        outer.caller.failed(failure, outer)
    }

    private func finish(_ text: [UInt8]) {
        guard bridge.calls.removeValue(forKey: key) != nil else { return }
        timer?.close()
        bridge.give(text, to: outer)
    }

    // MARK: Words of the legacy era

    /// A result as the client's revision has it; what most calls answer is copied as it stands.
    private static func translated(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ method: Method,
        _ revision: Revision
    ) -> [UInt8] {
        // A link may have icons, which the newest revision alone knows.
        let mayHaveIcons = revision < .latestLegacy && bytes.contains("\"icons\"")
        if method == .toolsCall, revision >= .v2025_06_18, message.result.hasLegacyStructure, !mayHaveIcons {
            return Rewriting.result(message, bytes, first: [], meta: [], dropping: ["resultType"])
        }
        guard let result = try? JSONValue(bytes.extracting(message.envelope.result.range)) else {
            return Bridging.response(
                Failure(.internalError, "The server's result cannot be read", source: .upstream)
            )
        }
        return Bridging.response(Translation.legacyResult(result, of: method, for: revision))
    }
}
