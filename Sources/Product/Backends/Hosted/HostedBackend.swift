// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
package import EventLoop
package import JSON
package import JSONRPC
package import MCPCore
package import MCPServer
package import Sessions

/// A server written in Swift, offered to many from within this process.
///
/// A legacy session has a line to it of its own; modern callers have one for each principal, so that nobody is asked what
/// another's call needs to know. It ends with `end`, which closes all lines.
package final class HostedBackend: Backend {
    package let name: String
    let server: MCPServer
    let loop: EventLoop
    /// Calls that may wait in one conversation.
    let capacity: Int
    /// Milliseconds that a call may take without progress.
    let patience: UInt64
    /// Milliseconds that it may take in all.
    let ceiling: UInt64
    private var conversations: [UInt64: HostedConversation] = [:]
    private var byPrincipal: [Principal: UInt64] = [:]
    /// The number of the next conversation.
    ///
    /// It begins anywhere: a state that another configuration's conversation gave must not name one of this.
    private var nextInstance = UInt64.random(in: 1...1 << 62)
    private var isEnding = false
    /// Whether it only finishes what it was doing.
    private(set) var isStopping = false

    /// Offers a server.
    ///
    /// - Parameters:
    ///   - server: The server.
    ///   - name: Its name in the path.
    ///   - capacity: How many calls may wait in one conversation.
    ///   - timeout: How long a call may take without progress.
    ///   - ceiling: How long it may take in all.
    ///   - loop: Where its frontends live.
    package init(
        _ server: MCPServer,
        name: String,
        capacity: Int,
        timeout: Duration,
        ceiling: Duration,
        on loop: EventLoop
    ) {
        self.server = server
        self.name = name
        self.capacity = capacity
        self.loop = loop
        patience = timeout.wholeMilliseconds
        self.ceiling = ceiling.wholeMilliseconds
    }

    package var summary: String? { server.summary }
    package var problem: String? { nil }
    package var sessionTimeout: UInt64? { nil }
    package var sessionLimit: Int? { nil }
    package var isBusy: Bool { conversations.values.contains(where: \.isBusy) }
    package var processCount: Int { 0 }
    package var isKnown: Bool { true }

    package func whenKnown(_ body: @escaping (Failure?) -> Void) throws(Failure) {
        body(nil)
    }

    package func openSession(for principal: Principal) throws(Failure) -> any Conversation {
        try open(.legacy)
    }

    package func modern(
        for principal: Principal,
        instance: UInt64?,
        declared: () -> JSONValue
    ) throws(Failure) -> ModernConversation {
        // A state of a conversation that is gone is refused by any other, which never gave it.
        for known in [instance, byPrincipal[principal]] {
            guard let known, let conversation = conversations[known] else { continue }
            return ModernConversation(conversation, instance: known, isForOneCall: false)
        }
        let opened = try open(.modern)
        byPrincipal[principal] = opened.instance
        return ModernConversation(opened, instance: opened.instance, isForOneCall: false)
    }

    private func open(_ era: Era) throws(Failure) -> HostedConversation {
        guard !isEnding else { throw .stopping }
        let conversation = HostedConversation(era, instance: nextInstance, of: self)
        conversations[nextInstance] = conversation
        nextInstance += 1
        return conversation
    }

    func ended(_ conversation: HostedConversation) {
        conversations[conversation.instance] = nil
        for (principal, instance) in byPrincipal where instance == conversation.instance {
            byPrincipal[principal] = nil
        }
    }

    package func headerParameters(
        ofTool name: @autoclosure () -> [UInt8]?,
        for principal: Principal
    ) -> HeaderParameters? {
        name().flatMap { server.inputSchema(ofTool: String(decoding: $0, as: UTF8.self)) }
            .flatMap(HeaderParameters.init)
    }

    package func learnTools(_ tools: Span<UInt8>) {}

    package func heartbeat(slot: Int, of slots: Int) {
        let now = loop.now
        for conversation in Array(conversations.values)
        where conversation.instance % UInt64(slots) == UInt64(slot) {
            conversation.heartbeat(now: now)
        }
    }

    package func sweep(now: UInt64) {
        for conversation in Array(conversations.values) { conversation.expire(now: now) }
    }

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
