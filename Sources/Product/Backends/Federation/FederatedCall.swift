// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import JSON
import JSONRPC
import MCPCore

/// A call of a client of a federation: it goes to one of the servers, or to each in turn until one knows what is meant.
final class FederatedCall: Caller {
    let key: Int
    private weak var conversation: FederatedConversation?
    let outer: Call
    /// The server that it is at.
    private(set) var member: FederationMember?
    private var target: ModernConversation?
    private(set) var innerID: Int?
    /// Counts what is sent and answered, so that an answer that comes while the call is being sent is noticed.
    private var step = 0
    /// The request, where it may have to be sent to another server.
    private var text: [UInt8] = []
    /// Servers that are asked if this one does not know what is meant.
    private var others: [FederationMember] = []
    /// The answer of the first server that did more than not know it.
    private var refusal: [UInt8]?
    /// The resource that it subscribes to or unsubscribes from.
    var uri: [UInt8]?

    init(_ key: Int, _ outer: Call, of conversation: FederatedConversation) {
        self.key = key
        self.outer = outer
        self.conversation = conversation
    }

    var isOwn: Bool { outer.caller.isOwn }

    /// The number of the call at a server.
    var isWaitingHere: Bool { innerID == nil }

    // MARK: Sending

    /// Sends the call to a server.
    ///
    /// - Parameters:
    ///   - member: The server.
    ///   - message: The request as the server is to get it, but for what belongs to the hop.
    ///   - bytes: Its text.
    ///   - instance: The conversation with the server that an earlier round went through.
    /// - Throws: Why the server cannot take it.
    func send(
        to member: FederationMember,
        _ message: Message,
        _ bytes: Span<UInt8>,
        instance: UInt64? = nil
    ) throws(Failure) {
        self.member = member
        guard !member.isReady else { return try dispatch(message, bytes, instance) }
        let kept = [UInt8](bytes)
        member.whenReady { [self] failure in
            guard conversation?.calls[key] === self else { return }
            do throws(Failure) {
                if let failure { throw failure }
                try dispatch(Bridging.read(kept), kept.span, instance)
            } catch {
                failed(error)
            }
        }
    }

    private func dispatch(_ message: Message, _ bytes: Span<UInt8>, _ instance: UInt64?) throws(Failure) {
        guard let member else { return }
        let target = try member.target(instance) {
            let declared = message.params.meta.clientCapabilities
            guard declared.isPresent else { return .object([]) }
            return (try? JSONValue(bytes.extracting(declared.range))) ?? .object([])
        }
        self.target = target
        do throws(Failure) {
            step += 1
            let sent = step
            let id = try target.conversation.call(message, bytes, from: self, edits: Edits())
            if step == sent { innerID = id }
        } catch {
            // One that an earlier round opened is still that round's: a bad retry must not take it away.
            if instance == nil { release(needsInput: false) }
            self.target = nil
            throw error
        }
    }

    /// Sends the call to the first of several servers, and to the next when one does not know what is meant.
    func send(toEachOf members: [FederationMember], _ bytes: Span<UInt8>) {
        text = [UInt8](bytes)
        others = members
        next()
    }

    private func next() {
        guard !others.isEmpty else { return giveUp() }
        let member = others.removeFirst()
        let request = text
        do throws(Failure) {
            try send(to: member, Bridging.read(request), request.span)
        } catch {
            failed(error)
        }
    }

    /// No server knows it: the client gets the answer that says most.
    private func giveUp() {
        guard let conversation else { return }
        conversation.give(
            refusal ?? Bridging.response(conversation.unknownResource(outer.method, uri)),
            to: self
        )
    }

    // MARK: From the server

    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call) {
        step += 1
        innerID = nil
        if message.envelope.kind == .error, !text.isEmpty {
            release(needsInput: false)
            if refusal == nil, !Self.saysUnknown(message) { refusal = [UInt8](bytes) }
            return next()
        }
        conversation?.noteAnswer(self, message)
        var outer = outer
        outer.resultStart = call.resultStart
        guard let rewritten = rewritten(message, bytes) else {
            conversation?.forget(self)
            release(needsInput: false)
            return outer.caller.reply(message, bytes, to: outer)
        }
        conversation?.forget(self)
        guard let read = try? Message(rewritten.span) else { return }
        outer.caller.reply(read, rewritten.span, to: outer)
    }

    /// Whether an error says no more than that the server does not have it.
    private static func saysUnknown(_ message: Message) -> Bool {
        let code = ErrorCode(message.errorCode ?? 0)
        return code == .resourceNotFound || code == .invalidParams || code == .methodNotFound
    }

    /// A result with the state of its round, or the id of its task, in the federation's words; nil if it has none.
    private func rewritten(_ message: Message, _ bytes: Span<UInt8>) -> [UInt8]? {
        guard let member, let target, message.envelope.kind == .result else { return nil }
        func state(_ inner: [UInt8]?) -> [UInt8] {
            FederatedState(server: Array(member.name.utf8), instance: target.instance, inner: inner).quoted
        }
        var edits = Edits()
        let type = message.result.hasType ? bytes.string(message.result.type) : nil
        let needsInput = type?.equals("input_required") == true
        if needsInput, !message.result.requestStateValue.isPresent {
            edits.prepend(
                Array(#""requestState":"#.utf8) + state(nil),
                toObject: message.envelope.result,
                of: bytes
            )
        } else if needsInput, let inner = bytes.string(message.result.requestState) {
            edits.replace(message.result.requestState.quoted, with: state(inner))
        } else if type?.equals("task") == true || outer.method.isAboutTask,
            let task = TasksExtension.task(in: message.envelope.result, bytes), let id = bytes.string(task.id)
        {
            edits.replace(task.id.quoted, with: state(id))
            // Its process stays for it, though nobody may call meanwhile.
            let lifetime = task.lifetime.map { UInt64(clamping: $0) } ?? Self.longestTask
            if outer.method == .toolsCall { target.conversation.keep(for: min(lifetime, Self.longestTask)) }
        }
        guard !edits.isEmpty else { return nil }
        var text: [UInt8] = []
        edits.apply(to: bytes, onOneLine: message.envelope.hasLineBreaks, into: &text)
        release(needsInput: needsInput)
        return text
    }

    /// Milliseconds that a conversation of its own is kept for a task at most.
    private static let longestTask: UInt64 = 3_600_000

    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call) {
        outer.caller.notice(message, bytes, for: outer)
    }

    func failed(_ failure: Failure, _ call: Call) {
        step += 1
        innerID = nil
        release(needsInput: false)
        failed(failure)
    }

    func cancelled(_ call: Call) {
        step += 1
        innerID = nil
        conversation?.forget(self)
        outer.caller.cancelled(outer)
    }

    func stopping(_ call: Call) {
        outer.caller.stopping(outer)
    }

    func stillWaiting(_ call: Call, now: UInt64) {
        outer.caller.stillWaiting(outer, now: now)
    }

    /// It failed at this server: the next one is asked, else the client is told, by which server.
    func failed(_ failure: Failure) {
        guard conversation?.calls[key] === self else { return }
        var named = failure
        if let member { named.message = "\(member.name): \(failure.message)" }
        guard text.isEmpty else {
            if refusal == nil { refusal = Bridging.response(named) }
            return next()
        }
        conversation?.forget(self)
        outer.caller.failed(named, outer)
    }

    // MARK: The end

    /// Takes it back from the server, if it is at one.
    func withdraw(_ reason: String) {
        if let innerID { target?.conversation.cancel(innerID, reason: reason) }
        innerID = nil
        release(needsInput: false)
    }

    /// Lets go of a conversation that was opened for this call, unless another round is to reach it.
    private func release(needsInput: Bool) {
        guard let target = target.take(), target.isForOneCall else { return }
        let patience = conversation?.backend.settings.patience ?? 0
        target.conversation.end(after: needsInput ? patience : 0)
    }
}
