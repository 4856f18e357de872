// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import JSON
import JSONRPC
import MCPCore

/// The lists of all servers as one.
extension FederatedConversation {
    /// Answers with what all servers list, in the order of the configuration and in one page.
    func list(_ call: FederatedCall, _ message: Message, _ bytes: Span<UInt8>) throws(Failure) {
        guard let kind = FederatedKind(message.method) else { return }
        guard !message.params.cursorValue.isPresent else {
            throw Failure(.invalidParams, "Invalid cursor", source: .client)
        }
        learn(message, bytes)
        let key = call.key
        // Clients may keep a list: an empty one because all servers are starting would be no answer.
        let isFirst = !isListed(kind)
        gather([kind], isPatient: isFirst, needsOne: isFirst) { [weak self] in
            guard let self, let call = self.calls[key] else { return }
            self.give(self.answer(kind), to: call)
        }
    }

    /// Whether a server has listed such things.
    private func isListed(_ kind: FederatedKind) -> Bool {
        members.contains { $0.lists[kind] != nil }
    }

    /// Asks all servers for some of their lists.
    ///
    /// One that has let others wait in vain already is waited for again only by those who are patient: calls that would
    /// else fail. They also wait for servers that are being greeted.
    ///
    /// - Parameters:
    ///   - kinds: Which lists.
    ///   - isPatient: Whether all are waited for.
    ///   - needsOne: Whether it goes on past the servers' time until one has listed, or none is awaited.
    ///   - completion: Hears that it is over.
    func gather(
        _ kinds: [FederatedKind],
        isPatient: Bool = false,
        needsOne: Bool = false,
        _ completion: @escaping () -> Void
    ) {
        let greeted = members.filter { isPatient && $0.standing == .greeting }
        guard greeted.isEmpty else {
            let fanout = ask(greeted.count) { [weak self] in
                !needsOne || self?.canList(kinds) ?? true
            } _: { [weak self] in
                self?.collect(kinds, isPatient, needsOne, completion)
            }
            for member in greeted { member.whenGreeted { [weak fanout] in fanout?.settle() } }
            return
        }
        collect(kinds, isPatient, needsOne, completion)
    }

    /// Whether a server is there that can list such things.
    private func canList(_ kinds: [FederatedKind]) -> Bool {
        members.contains { member in member.standing == .present && kinds.contains { member.offers($0) } }
    }

    private func collect(
        _ kinds: [FederatedKind],
        _ isPatient: Bool,
        _ needsOne: Bool,
        _ completion: @escaping () -> Void
    ) {
        var awaited: [MemberListing] = []
        for kind in kinds {
            for member in members where member.offers(kind) {
                guard let listing = begin(kind, by: member), isPatient || !listing.isOverdue else {
                    member.missed.insert(kind)
                    continue
                }
                // It may be over already.
                guard member.listings[kind] === listing else { continue }
                member.missed.remove(kind)
                awaited.append(listing)
            }
        }
        let fanout = ask(awaited.count) { [weak self] in
            !needsOne || kinds.contains { self?.isListed($0) ?? true }
        } _: { [weak self] in
            guard let self else { return }
            for listing in awaited { listing.isOverdue = true }
            for kind in kinds {
                for member in self.members where member.listings[kind] != nil { member.missed.insert(kind) }
                self.settle(kind)
            }
            completion()
        }
        for listing in awaited { listing.whenOver { [weak fanout] in fanout?.settle() } }
        fanout.begin()
    }

    /// Asks a server for a list, unless it is being asked already and the answer will do; nil if it cannot be asked.
    @discardableResult
    func begin(_ kind: FederatedKind, by member: FederationMember) -> MemberListing? {
        guard member.standing == .present else { return nil }
        if let known = member.listings[kind], !known.isOutdated || known.isOverdue { return known }
        member.listings[kind]?.abandon()
        let listing = MemberListing(kind, of: member, for: self, meta)
        member.listings[kind] = listing
        listing.begin()
        return listing
    }

    /// A server has listed, or will not.
    func listed(
        _ kind: FederatedKind,
        by member: FederationMember,
        _ listing: MemberListing,
        _ list: FederatedList?,
        _ failure: Failure?
    ) {
        if member.listings[kind] === listing { member.listings[kind] = nil }
        guard let list else {
            if let failure { log(member, failure) }
            member.missed.insert(kind)
            return member.retries.failed(at: loop.now)
        }
        member.lists[kind] = list
        if !listing.isOutdated { member.stale.remove(kind) }
        member.retries.succeeded()
        guard member.missed.remove(kind) != nil else { return }
        // The client has a list without it.
        settle(kind)
        changed(kind)
    }

    /// Puts names and owners in the place of those before.
    private func settle(_ kind: FederatedKind) {
        gathered[kind] = loop.now
        let keys = members.map { $0.lists[kind]?.items.map(\.key) ?? [] }
        switch kind {
        case .tools, .prompts: names[kind]?.update(keys)
        case .resources: resources.update(keys)
        case .templates: resources.update(templates: keys)
        }
        backend.remember(self)
    }

    /// Takes what was known about the principal before.
    func recall() {
        guard let known = backend.known(principal, era) else { return }
        for (member, lists) in zip(members, known) { member.lists = lists }
        for kind in FederatedKind.allCases {
            let keys = members.map { $0.lists[kind]?.items.map(\.key) ?? [] }
            switch kind {
            case .tools, .prompts: names[kind]?.update(keys)
            case .resources: resources.update(keys)
            case .templates: resources.update(templates: keys)
            }
        }
    }

    private func answer(_ kind: FederatedKind) -> [UInt8] {
        var items: [(FederatedList.Item, [UInt8]?)] = []
        var remarks = FederatedList.Remarks()
        var lifetime = Int.max
        for member in members where member.offers(kind) {
            let list = member.lists[kind]
            if member.missed.contains(kind) {
                list == nil ? remarks.missing.append(member.name) : remarks.outdated.append(member.name)
                lifetime = 0
            }
            guard let list else { continue }
            if list.isCut { remarks.cut.append(member.name) }
            lifetime = min(lifetime, list.lifetime ?? 0)
            var seen: Set<[UInt8]> = []
            for item in list.items where seen.insert(item.key).inserted {
                switch kind {
                case .tools, .prompts:
                    let name = names[kind]?.name(of: .init(member.index, item.key))
                    items.append((item, name == item.key ? nil : name))
                case .resources:
                    if resources.owner(of: item.key) == member.index { items.append((item, nil)) }
                case .templates:
                    if resources.owner(ofTemplate: item.key) == member.index { items.append((item, nil)) }
                }
            }
        }
        return FederatedList.response(
            kind,
            era,
            items,
            remarks,
            lifetime: lifetime == .max ? 0 : lifetime,
            server: GatewayIdentity.implementation
        )
    }

    /// Whether a list is known whole, and as new as can be.
    func isKnown(_ kind: FederatedKind) -> Bool {
        gathered[kind] != nil
            && !members.contains { $0.stale.contains(kind) && $0.listings[kind]?.isOverdue != true }
    }

    /// Whether it is worth asking for a list again because of something that is not in it.
    func mayHaveChanged(_ kind: FederatedKind) -> Bool {
        guard let time = gathered[kind], isKnown(kind) else { return true }
        return loop.now >= time &+ 1_000
    }

    /// Tells the client that a list has changed.
    func changed(_ kind: FederatedKind) {
        for listen in Array(listens.values) { listen.tell(kind.changed) }
        guard era == .legacy, let listener else { return }
        let text = Bridging.notification(kind.changed)
        if let message = try? Message(text.span) { listener.received(message, text.span, suspect: nil) }
    }

    /// A server says that one of its lists has changed.
    func noteChange(_ method: Method, by member: FederationMember) {
        for kind in FederatedKind.allCases where kind.changed == method {
            member.stale.insert(kind)
            member.lacks.remove(kind)
            member.listings[kind]?.isOutdated = true
        }
    }
}
