// Gatehouse. SPDX-License-Identifier: MIT

package import EventLoop
package import JSON
package import JSONRPC
package import MCPCore
package import Sessions

/// Several servers under one name: what answers at `/mcp` where there are several and none is the default.
///
/// Its servers are those of the gateway, which own their processes; here are only the conversations that clients have with
/// all of them. It starts without any and ends with `end`, which ends the conversations, not the servers.
package final class FederatedBackend: Backend {
    package let name: String
    /// The servers, in the order in which they are listed.
    let members: [any Backend]
    /// How it does it; another configuration may say otherwise.
    package var settings: FederationSettings
    let loop: EventLoop
    private var conversations: [UInt64: FederatedConversation] = [:]
    private var byPrincipal: [Principal: UInt64] = [:]
    private let places: MemberPlaces
    /// The number of the next conversation.
    ///
    /// It begins anywhere: a state that another configuration's conversation gave must not name one of this.
    private var nextInstance = UInt64.random(in: 1...1 << 62)
    private var memory = FederatedMemory()
    private var isEnding = false
    /// Whether it only finishes what it was doing.
    private(set) var isStopping = false

    /// Makes one of several servers.
    ///
    /// - Parameters:
    ///   - members: The servers, in the order in which they are listed.
    ///   - name: Its own name, for logs.
    ///   - settings: How it does it.
    ///   - places: The sessions that federations hold with their servers.
    ///   - loop: Where all of it lives.
    package init(
        _ members: [any Backend],
        name: String = "federation",
        settings: FederationSettings,
        places: MemberPlaces = MemberPlaces(),
        on loop: EventLoop
    ) {
        self.places = places
        self.members = members
        self.name = name
        self.settings = settings
        self.loop = loop
    }

    package var summary: String? { nil }
    package var problem: String? {
        members.contains { $0.problem == nil } ? nil : members.first?.problem
    }
    package var sessionTimeout: UInt64? { nil }
    package var sessionLimit: Int? { nil }
    /// The processes are counted where they are.
    package var processCount: Int { 0 }

    package var isBusy: Bool { conversations.values.contains(where: \.isBusy) }

    /// Each server is asked when it is needed, so that one that is slow keeps nobody from the others.
    package var isKnown: Bool { true }

    package func whenKnown(_ body: @escaping (Failure?) -> Void) throws(Failure) {
        body(nil)
    }

    // MARK: Conversations

    package func openSession(for principal: Principal) throws(Failure) -> any Conversation {
        try open(.legacy, principal)
    }

    package func modern(
        for principal: Principal,
        instance: UInt64?,
        declared: () -> JSONValue
    ) throws(Failure) -> ModernConversation {
        let known = byPrincipal[principal].flatMap { conversations[$0] }
        let conversation: FederatedConversation
        if let known {
            conversation = known
        } else {
            conversation = try open(.modern, principal)
            byPrincipal[principal] = conversation.instance
        }
        // What a later round needs to know is in its state.
        return ModernConversation(conversation, instance: conversation.instance, isForOneCall: false)
    }

    private func open(_ era: Era, _ principal: Principal) throws(Failure) -> FederatedConversation {
        guard !isEnding else { throw .stopping }
        let conversation = FederatedConversation(era, instance: nextInstance, for: principal, of: self)
        conversations[nextInstance] = conversation
        nextInstance += 1
        return conversation
    }

    func ended(_ conversation: FederatedConversation) {
        conversations[conversation.instance] = nil
        if byPrincipal[conversation.principal] == conversation.instance {
            byPrincipal[conversation.principal] = nil
        }
    }

    /// Takes a place for a session with a server.
    func enter(_ member: FederationMember, for principal: Principal) throws(Failure) {
        try places.enter(member.backend, for: principal)
    }

    /// Gives the place back.
    func leave(_ member: FederationMember, for principal: Principal) {
        places.leave(member.backend, for: principal)
    }

    // MARK: Tools

    /// Only a principal's own conversation says what a name means.
    package func headerParameters(
        ofTool name: @autoclosure () -> [UInt8]?,
        for principal: Principal
    ) -> HeaderParameters? {
        guard let conversation = byPrincipal[principal].flatMap({ conversations[$0] }),
            let name = name(), let origin = conversation.names[.tools]?.origin(of: name)
        else { return nil }
        return members[origin.member].headerParameters(ofTool: origin.name, for: principal)
    }

    /// Each server's are learned as it lists them.
    package func learnTools(_ tools: Span<UInt8>) {}

    // MARK: Memory

    func known(_ principal: Principal, _ era: Era) -> [[FederatedKind: FederatedList]]? {
        memory.lists(of: principal, era)
    }

    func remember(_ conversation: FederatedConversation) {
        memory.remember(conversation.members.map(\.lists), of: conversation.principal, conversation.era)
    }

    // MARK: Time and the end

    package func heartbeat(slot: Int, of slots: Int) {
        let now = loop.now
        for conversation in Array(conversations.values)
        where conversation.instance % UInt64(slots) == UInt64(slot) {
            conversation.heartbeat(now: now)
        }
    }

    package func sweep(now: UInt64) {
        for conversation in Array(conversations.values) {
            conversation.retry(now: now)
            let isUnused = conversation.isIdle && now > conversation.lastUse &+ settings.idleLimit
            if conversation.era == .modern, isUnused { conversation.end() }
        }
    }

    /// Whether another has all of its servers, and perhaps more.
    package func has(allOf other: FederatedBackend) -> Bool {
        other.members.allSatisfy { member in members.contains { $0 === member } }
    }

    /// Another one with more servers takes its place: sessions go on with those that they have, and who listens without one
    /// comes back to the other.
    package func beginGivingWay() {
        for conversation in Array(conversations.values) where conversation.era == .modern {
            conversation.beginStopping()
        }
    }

    /// Whether nobody talks to it.
    package var isEmpty: Bool { conversations.isEmpty }

    package func beginStopping() {
        isStopping = true
        for conversation in Array(conversations.values) { conversation.beginStopping() }
    }

    package func end(_ completion: @escaping () -> Void) {
        isEnding = true
        for conversation in Array(conversations.values) { conversation.end() }
        loop.onNextTurn(completion)
    }
}
