// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import JSON
import JSONRPC
import MCPCore

/// A listen of a modern client, as one listen at each server that has to do with it.
///
/// `FederatedListening` says when it is acknowledged. It lasts until the client ends it; parts of it that are lost are
/// opened again.
final class FederatedListen {
    let key: Int
    private weak var conversation: FederatedConversation?
    let outer: Call
    private let filter: ListenFilter
    private let meta: JSONValue
    private var machine: FederatedListening
    private var parts: [Int: ListenPart] = [:]
    private var retries: [Int: FederatedRetries] = [:]
    private var held: [[UInt8]] = []
    private var timer: LoopTimer?

    init(
        _ key: Int,
        _ outer: Call,
        _ filter: ListenFilter,
        _ meta: JSONValue,
        of conversation: FederatedConversation
    ) {
        self.key = key
        self.outer = outer
        self.filter = filter
        self.meta = meta
        self.conversation = conversation
        machine = FederatedListening(filter, asking: [])
    }

    // MARK: The parts

    /// Opens the parts.
    func begin() {
        guard let conversation else { return }
        let asked = conversation.members.filter { !part(of: $0).isEmpty }
        machine = FederatedListening(filter, asking: Set(asked.map(\.index)))
        timer = LoopTimer(conversation.loop) { [weak self] in
            guard let self else { return }
            self.perform(self.machine.expired())
        }
        timer?.schedule(after: conversation.backend.settings.memberDeadline)
        if asked.isEmpty { return perform(machine.expired()) }
        for member in asked { open(member) }
    }

    /// What of the listen is for one server, in its own words.
    private func part(of member: FederationMember) -> ListenFilter {
        var part = filter
        part.uris = filter.uris.filter { uri in
            conversation?.owners(of: Array(uri.utf8), for: .listen).contains { $0 === member } ?? false
        }
        part.tasks = tasks(of: member).map { String(decoding: $0.inner ?? [], as: UTF8.self) }
        return part
    }

    private func tasks(of member: FederationMember) -> [FederatedState] {
        filter.tasks.compactMap { FederatedState(Array($0.utf8)) }
            .filter { $0.server.elementsEqual(member.name.utf8) && $0.inner != nil }
    }

    private func open(_ member: FederationMember) {
        let text = Bridging.request(.listen, ["_meta": meta, "notifications": part(of: member).value])
        let instance = tasks(of: member).first?.instance
        let meta = meta
        member.whenReady { [weak self] failure in
            guard let self, self.conversation?.listens[self.key] === self else { return }
            do throws(Failure) {
                if let failure { throw failure }
                let message = try Bridging.read(text)
                let target = try member.target(instance) { FederatedConversation.declared(meta) }
                let part = ListenPart(self, member, target)
                self.parts[member.index] = part
                part.id = try target.conversation.call(message, text.span, from: part, edits: Edits())
            } catch {
                self.lost(member, error)
            }
        }
    }

    /// A part has ended without our doing; it is opened again later.
    func lost(_ member: FederationMember, _ failure: Failure) {
        parts.removeValue(forKey: member.index)?.release()
        conversation?.log(member, failure)
        retries[member.index, default: FederatedRetries()].failed(at: conversation?.loop.now ?? 0)
        perform(machine.ended(member.index))
    }

    func retry(now: UInt64) {
        for member in conversation?.members ?? [] where parts[member.index] == nil {
            if retries[member.index]?.take(at: now) == true { open(member) }
        }
    }

    // MARK: What is told

    /// A server has told something by its part.
    func told(_ message: Message, _ bytes: Span<UInt8>, by member: FederationMember) {
        if message.method == .acknowledged {
            retries[member.index] = nil
            let params = try? JSONValue(bytes.extracting(message.envelope.params.range))
            var honoured = ListenFilter(params?["notifications"]) ?? ListenFilter()
            honoured.tasks = tasks(of: member).filter { state in
                honoured.tasks.contains { $0.utf8.elementsEqual(state.inner ?? []) }
            }.map { String(decoding: $0.text, as: UTF8.self) }
            return perform(machine.acknowledged(member.index, honoured))
        }
        conversation?.noteChange(message.method, by: member)
        var edits = Edits()
        if message.method == .tasksNotice, let id = bytes.string(message.params.taskID) {
            guard let state = tasks(of: member).first(where: { $0.inner == id }) else { return }
            edits.replace(message.params.taskID.quoted, with: state.quoted)
        }
        switch machine.told() {
        case .drop: break
        case .pass where edits.isEmpty: outer.caller.notice(message, bytes, for: outer)
        case .pass, .hold:
            var text: [UInt8] = []
            edits.apply(to: bytes, onOneLine: message.envelope.hasLineBreaks, into: &text)
            if machine.isAcknowledged { send(text) } else { held.append(text) }
        }
    }

    /// Tells the client that a list has changed, if it wants to know.
    func tell(_ method: Method) {
        guard machine.isAcknowledged, filter.covers(method, uri: nil) else { return }
        send(Bridging.notification(method, ["_meta": Self.subscription]))
    }

    /// The member of `_meta` that the frontend puts the listen's id into.
    private static let subscription = JSONValue.object([.init("\(MetaKey.subscriptionID)", 0)])

    private func perform(_ actions: [FederatedListening.Action]) {
        for action in actions {
            switch action {
            case .acknowledge(let honoured):
                timer?.close()
                send(
                    Bridging.notification(
                        .acknowledged,
                        ["_meta": Self.subscription, "notifications": honoured.value]
                    )
                )
                let waiting = held
                held = []
                for text in waiting { send(text) }
            case .tellChanges:
                for kind in [FederatedKind.tools, .prompts, .resources] { tell(kind.changed) }
            }
        }
    }

    private func send(_ text: [UInt8]) {
        guard let message = try? Message(text.span) else { return }
        outer.caller.notice(message, text.span, for: outer)
    }

    /// Ends all parts.
    func end(_ reason: String) {
        timer?.close()
        for part in parts.values { part.end(reason) }
        parts = [:]
    }
}

/// The part of a listen that is at one server.
final class ListenPart: Caller {
    private weak var listen: FederatedListen?
    private let member: FederationMember
    private let target: ModernConversation
    var id: Int?

    init(_ listen: FederatedListen, _ member: FederationMember, _ target: ModernConversation) {
        self.listen = listen
        self.member = member
        self.target = target
    }

    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call) {
        listen?.told(message, bytes, by: member)
    }

    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call) {
        id = nil
        let what = message.envelope.kind == .error ? "refused" : "ended"
        let text = "The server \(what) the subscription"
        listen?.lost(member, Failure(.internalError, text, source: .upstream))
    }

    func failed(_ failure: Failure, _ call: Call) {
        id = nil
        listen?.lost(member, failure)
    }

    func cancelled(_ call: Call) {}
    func stopping(_ call: Call) {}
    func stillWaiting(_ call: Call, now: UInt64) {}

    func end(_ reason: String) {
        if let id { target.conversation.cancel(id, reason: reason) }
        id = nil
        release()
    }

    func release() {
        if target.isForOneCall { target.conversation.end(after: 0) }
    }
}

extension FederatedConversation {
    /// Opens a listen; what it says of resources needs to be known whose they are.
    func listen(_ key: Int, _ outer: Call, _ message: Message, _ bytes: Span<UInt8>) throws(Failure) {
        let filter = try ListenHub.filter(of: message, bytes)
        learn(message, bytes)
        let listen = FederatedListen(key, outer, filter, meta ?? .object([]), of: self)
        listens[key] = listen
        let needsOwners = !filter.uris.isEmpty && (!isKnown(.resources) || !isKnown(.templates))
        guard needsOwners else { return listen.begin() }
        gather([.resources, .templates]) { [weak self] in
            if let listen = self?.listens[key] { listen.begin() }
        }
    }
}
