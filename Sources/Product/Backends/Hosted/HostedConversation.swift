// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import JSON
import JSONRPC
import MCPCore
import MCPServer
import Sessions

/// A conversation with a server in this process, in the era of the client.
///
/// It starts with a line to the server and ends with `end`, which closes it.
final class HostedConversation: Conversation {
    let instance: UInt64
    weak var listener: (any ConversationListener)?
    private let backend: HostedBackend
    private let era: Era
    private var upstream: Upstream
    private var line: ServerConnection?
    private var endTimer: LoopTimer?

    init(_ era: Era, instance: UInt64, of backend: HostedBackend) {
        self.era = era
        self.instance = instance
        self.backend = backend
        upstream = Upstream(
            era: era,
            capacity: backend.capacity,
            isOneSession: era == .legacy,
            firstQuestion: Upstream.randomQuestion()
        )
        let loop = backend.loop
        let held = LoopBound(Reference(self), loop)
        line = ServerConnection(to: backend.server) { text, request in
            loop.post { held.value.conversation?.receive(text, request) }
        }
    }

    /// What the line holds on to.
    private final class Reference {
        weak var conversation: HostedConversation?

        init(_ conversation: HostedConversation) {
            self.conversation = conversation
        }
    }

    var isBusy: Bool { upstream.callCount > 0 }
    var isIdle: Bool { !isBusy }

    // MARK: Towards the server

    func call(
        _ message: Message,
        _ bytes: Span<UInt8>,
        from caller: any Caller,
        edits: Edits
    ) throws(Failure) -> Int {
        guard let line else {
            throw Failure(.internalError, "The conversation with the server is over", source: .gateway)
        }
        var edits = edits
        let clock =
            message.method == .listen
            ? nil : CallClock(at: backend.loop.now, patience: backend.patience, ceiling: backend.ceiling)
        guard let id = upstream.add(message, bytes, caller: caller, clock: clock, edits: &edits) else {
            throw Failure(.internalError, "Too many calls wait for an answer", source: .client)
        }
        line.receive(Self.text(bytes, edits))
        return id
    }

    func notify(_ message: Message, _ bytes: Span<UInt8>) {
        var edits = Edits()
        if message.method == .cancelled {
            let clientID = bytes.text(message.params.requestID)
            guard let id = upstream.find(clientID: clientID, where: { _ in true }),
                let call = upstream.remove(id)
            else { return }
            edits.replace(message.params.requestID, with: id)
            call.caller.cancelled(call)
        }
        line?.receive(Self.text(bytes, edits))
    }

    func answer(_ number: Int, _ message: Message, _ bytes: Span<UInt8>) -> Bool {
        guard let serverID = upstream.answer(number) else { return false }
        var edits = Edits()
        edits.replace(message.envelope.id, with: serverID)
        line?.receive(Self.text(bytes, edits))
        return true
    }

    func refuse(_ number: Int, _ failure: Failure) {
        guard let serverID = upstream.answer(number) else { return }
        refuse(serverID, failure)
    }

    private func refuse(_ serverID: String, _ failure: Failure) {
        var text: [UInt8] = []
        failure.append(id: serverID, to: &text)
        line?.receive(text)
    }

    func cancel(_ id: Int, reason: String) {
        guard upstream.remove(id) != nil else { return }
        line?.cancel(request: String(id))
    }

    private static func text(_ bytes: Span<UInt8>, _ edits: Edits) -> [UInt8] {
        var text: [UInt8] = []
        edits.apply(to: bytes, onOneLine: false, into: &text)
        return text
    }

    // MARK: From the server

    private func receive(_ text: [UInt8], _ request: String?) {
        let bytes = text.span
        guard let message = try? Message(bytes) else { return }
        let related = request.flatMap { Int($0) }.flatMap { upstream.call($0) }
        if message.method == .logMessage, era == .modern, let related {
            return related.caller.notice(message, bytes, for: related)
        }
        let suspect = related.map { SuspectedCall(call: $0, isOnly: true) }
        switch upstream.receive(message, bytes) {
        case .reply(let call): call.caller.reply(message, bytes, to: call)
        case .notice(let call):
            if message.method == .progress { upstream.noteProgress(of: call.id, at: backend.loop.now) }
            call.caller.notice(message, bytes, for: call)
        case .session: listener?.received(message, bytes, suspect: suspect)
        case .ask(let number):
            guard let listener else {
                let text = "No client is there to answer"
                return refuse(number, Failure(.methodNotFound, text, source: .client))
            }
            listener.asked(number, message, bytes, suspect: suspect)
        case .withdraw(let number): listener?.withdrew(number, message, bytes)
        case .refuse(let id, let failure): refuse(id, failure)
        case .broken(let call):
            let failure = Failure(
                .internalError,
                "The server's answer is no valid message",
                source: .upstream
            )
            call.caller.failed(failure, call)
        case .ping, .drop: break
        }
    }

    // MARK: Time and the end

    func heartbeat(now: UInt64) {
        for call in upstream.waiting { call.caller.stillWaiting(call, now: now) }
    }

    /// Ends calls that take too long.
    func expire(now: UInt64) {
        for call in upstream.expire(at: now) {
            line?.cancel(request: String(call.id))
            let failure = Failure(.internalError, "The server did not answer in time", source: .upstream)
            call.caller.failed(failure, call)
        }
    }

    func beginStopping() {
        for call in upstream.waiting { call.caller.stopping(call) }
    }

    func end(after milliseconds: UInt64) {
        endTimer = LoopTimer(backend.loop) { [weak self] in
            if self?.isBusy == false { self?.end() }
        }
        endTimer?.schedule(after: milliseconds)
    }

    func end() {
        guard let line else { return }
        self.line = nil
        endTimer?.close()
        line.close()
        backend.ended(self)
        let failure: Failure = backend.isStopping ? .stopping : .sessionEnded
        for call in upstream.failAll() { call.caller.failed(failure, call) }
    }
}
