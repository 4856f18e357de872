// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON
import JSONRPC
import MCPCore

/// Which server a call goes to.
extension FederatedConversation {
    // MARK: By name

    /// Sends a call of a tool or a prompt to its server, under the name that it has there.
    func route(
        _ call: FederatedCall,
        _ kind: FederatedKind,
        _ message: Message,
        _ bytes: Span<UInt8>
    ) throws(Failure) {
        guard let name = bytes.string(message.params.name) else {
            throw Failure(.invalidParams, "name must be a string", source: .client)
        }
        if let origin = names[kind]?.origin(of: name) {
            return try send(call, origin, message.params.name.quoted, message, bytes)
        }
        guard mayHaveChanged(kind) else { throw unknown(kind, name) }
        retryAfterGathering([kind], call, message, bytes) { conversation, message, bytes throws(Failure) in
            guard let origin = conversation.names[kind]?.origin(of: name) else {
                throw conversation.unknown(kind, name)
            }
            try conversation.send(call, origin, message.params.name.quoted, message, bytes)
        }
    }

    private func unknown(_ kind: FederatedKind, _ name: [UInt8]) -> Failure {
        let missing = members.filter { $0.missed.contains(kind) && $0.lists[kind] == nil }.map(\.name)
        let hint = missing.isEmpty ? "" : " (no answer from \(missing.joined(separator: ", ")))"
        let what = kind == .tools ? "tool" : "prompt"
        let text = "Unknown \(what): \(String(decoding: name, as: UTF8.self))\(hint)"
        return Failure(.invalidParams, text, source: .client)
    }

    /// Gathers lists that say where a call belongs, and goes on then.
    private func retryAfterGathering(
        _ kinds: [FederatedKind],
        _ call: FederatedCall,
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ next: @escaping (FederatedConversation, Message, Span<UInt8>) throws(Failure) -> Void
    ) {
        learn(message, bytes)
        let kept = [UInt8](bytes)
        let key = call.key
        gather(kinds, isPatient: true) { [weak self] in
            guard let self, let call = self.calls[key] else { return }
            do throws(Failure) {
                try next(self, Bridging.read(kept), kept.span)
            } catch {
                self.fail(call, error)
            }
        }
    }

    /// Sends a call to the server that something belongs to, with the server's own name for it at `place`.
    private func send(
        _ call: FederatedCall,
        _ origin: FederatedNames.Origin,
        _ place: JSONSlice,
        _ message: Message,
        _ bytes: Span<UInt8>
    ) throws(Failure) {
        let member = members[origin.member]
        var edits = Edits()
        let state = try self.state(of: message, bytes, &edits)
        if let state, !state.server.elementsEqual(member.name.utf8) { throw Self.foreignState }
        let isRenamed = !bytes.extracting(place.start + 1..<place.end - 1).equals(origin.name.span)
        if isRenamed {
            var quoted: [UInt8] = []
            quoted.append(json: origin.name)
            edits.replace(place, with: quoted)
        }
        try send(call, to: member, message, bytes, edits, instance: state?.instance)
    }

    private func send(
        _ call: FederatedCall,
        to member: FederationMember,
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ edits: Edits,
        instance: UInt64?
    ) throws(Failure) {
        guard !edits.isEmpty else { return try call.send(to: member, message, bytes, instance: instance) }
        var text: [UInt8] = []
        edits.apply(to: bytes, onOneLine: false, into: &text)
        try call.send(to: member, Bridging.read(text), text.span, instance: instance)
    }

    // MARK: By state

    /// The state that a retry gives back, and the server's own in its place; nil if it is no retry.
    private func state(
        of message: Message,
        _ bytes: Span<UInt8>,
        _ edits: inout Edits
    ) throws(Failure) -> FederatedState? {
        guard message.method.mayNeedInput, message.params.requestStateValue.isPresent else { return nil }
        guard let text = bytes.string(message.params.requestState), let state = FederatedState(text) else {
            throw Self.foreignState
        }
        if let inner = state.inner {
            var quoted: [UInt8] = []
            quoted.append(json: inner)
            edits.replace(message.params.requestState.quoted, with: quoted)
        } else {
            edits.remove(message.params.requestStateName, message.params.requestState.quoted, of: bytes)
        }
        return state
    }

    private static let foreignState = Failure(
        .invalidParams,
        "requestState is not one that was given for this request",
        source: .client
    )

    private func member(named name: [UInt8]) -> FederationMember? {
        members.first { $0.name.utf8.elementsEqual(name) }
    }

    /// Sends a question about a task to the server that made it.
    func routeTask(_ call: FederatedCall, _ message: Message, _ bytes: Span<UInt8>) throws(Failure) {
        guard let id = bytes.string(message.params.taskID), let state = FederatedState(id),
            let inner = state.inner, let member = member(named: state.server)
        else {
            throw Failure(.invalidParams, "taskId is not one that was given here", source: .client)
        }
        var edits = Edits()
        var quoted: [UInt8] = []
        quoted.append(json: inner)
        edits.replace(message.params.taskID.quoted, with: quoted)
        try send(call, to: member, message, bytes, edits, instance: state.instance)
    }

    // MARK: By URI

    /// Sends a read to the server that the resource belongs to.
    func read(_ call: FederatedCall, _ message: Message, _ bytes: Span<UInt8>) throws(Failure) {
        var edits = Edits()
        if let state = try state(of: message, bytes, &edits) {
            guard let member = member(named: state.server) else { throw Self.foreignState }
            return try send(call, to: member, message, bytes, edits, instance: state.instance)
        }
        try send(call, resource: message.params.uri, "resources", message, bytes)
    }

    private func send(
        _ call: FederatedCall,
        resource place: JSONString,
        _ capability: String,
        _ message: Message,
        _ bytes: Span<UInt8>
    ) throws(Failure) {
        guard let uri = bytes.string(place) else {
            throw Failure(.invalidParams, "uri must be a string", source: .client)
        }
        call.uri = uri
        if resources.owner(of: uri) == nil, !isKnown(.resources) || !isKnown(.templates) {
            retryAfterGathering([.resources, .templates], call, message, bytes) {
                conversation,
                message,
                bytes throws(Failure) in
                try conversation.send(call, toOwnersOf: uri, message, bytes)
            }
        } else {
            try send(call, toOwnersOf: uri, message, bytes)
        }
    }

    private func send(
        _ call: FederatedCall,
        toOwnersOf uri: [UInt8],
        _ message: Message,
        _ bytes: Span<UInt8>
    ) throws(Failure) {
        let candidates = owners(of: uri, for: message.method)
        guard candidates.count != 1 else { return try call.send(to: candidates[0], message, bytes) }
        guard !candidates.isEmpty else { throw unknownResource(message.method, uri) }
        call.send(toEachOf: candidates, bytes)
    }

    /// The servers that a resource may be of, the likeliest first.
    ///
    /// One that lets others wait for its lists is asked only for what it has listed before.
    func owners(of uri: [UInt8], for method: Method) -> [FederationMember] {
        let isSubscription = method == .subscribe || method == .unsubscribe
        let owner = resources.owner(of: uri)
        let able = members.filter { member in
            guard member.standing == .present, member.declares("resources"),
                member.index == owner || !member.isLate
            else { return false }
            guard isSubscription else { return !member.lacks.contains(.resources) }
            return member.greeting?["capabilities"]?["resources"]?["subscribe"]?.bool == true
        }
        return resources.candidates(for: uri, among: able.map(\.index)).map { members[$0] }
    }

    /// Nobody has the resource, in the words of the client's era.
    func unknownResource(_ method: Method, _ uri: [UInt8]?) -> Failure {
        let text = String(decoding: uri ?? [], as: UTF8.self)
        let code: ErrorCode = era == .legacy && method == .resourcesRead ? .resourceNotFound : .invalidParams
        return Failure(
            code,
            "No server has the resource \(text)",
            data: ["uri": .string(text)],
            source: .client
        )
    }

    func subscribe(_ call: FederatedCall, _ message: Message, _ bytes: Span<UInt8>) throws(Failure) {
        guard subscriptions.count < ListenFilter.uriLimit else {
            let text = "No more than \(ListenFilter.uriLimit) resources can be subscribed to"
            throw Failure(.invalidParams, text, source: .client)
        }
        try send(call, resource: message.params.uri, "resources", message, bytes)
    }

    func unsubscribe(_ call: FederatedCall, _ message: Message, _ bytes: Span<UInt8>) throws(Failure) {
        guard let uri = bytes.string(message.params.uri) else {
            throw Failure(.invalidParams, "uri must be a string", source: .client)
        }
        guard let owner = subscriptions.removeValue(forKey: uri), members[owner].standing == .present else {
            return give(Bridging.response(.object([])), to: call)
        }
        try call.send(to: members[owner], message, bytes)
    }

    /// Takes note of what an answer means for later calls.
    func noteAnswer(_ call: FederatedCall, _ message: Message) {
        guard call.outer.method == .subscribe, message.envelope.kind == .result, let uri = call.uri,
            let member = call.member
        else { return }
        subscriptions[uri] = member.index
    }

    // MARK: Completions

    /// Sends a completion to the server of the prompt, or of the resource.
    func complete(_ call: FederatedCall, _ message: Message, _ bytes: Span<UInt8>) throws(Failure) {
        guard let reference = FederatedReference(message, bytes) else {
            throw Failure(.invalidParams, "ref must name a prompt or a resource", source: .client)
        }
        let kinds: [FederatedKind] = reference.isPrompt ? [.prompts] : [.resources, .templates]
        if try complete(call, reference, message, bytes) { return }
        guard kinds.contains(where: mayHaveChanged) else { throw Self.unknownReference }
        retryAfterGathering(kinds, call, message, bytes) { conversation, message, bytes throws(Failure) in
            guard try conversation.complete(call, reference, message, bytes) else {
                throw Self.unknownReference
            }
        }
    }

    private static let unknownReference = Failure(
        .invalidParams,
        "ref names no prompt and no resource of a server",
        source: .client
    )

    private func complete(
        _ call: FederatedCall,
        _ reference: FederatedReference,
        _ message: Message,
        _ bytes: Span<UInt8>
    ) throws(Failure) -> Bool {
        if reference.isPrompt {
            guard let origin = names[.prompts]?.origin(of: reference.key) else { return false }
            try send(call, origin, reference.place, message, bytes)
            return true
        }
        let owner = resources.owner(ofTemplate: reference.key) ?? resources.owner(of: reference.key)
        if let owner {
            try call.send(to: members[owner], message, bytes)
            return true
        }
        guard isKnown(.resources), isKnown(.templates) else { return false }
        let candidates = owners(of: reference.key, for: message.method)
        guard !candidates.isEmpty else { return false }
        call.send(toEachOf: candidates, bytes)
        return true
    }
}
