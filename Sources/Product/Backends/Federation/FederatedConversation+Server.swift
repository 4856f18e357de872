// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Configuration
import JSON
import JSONRPC
import MCPCore

/// What the servers of a legacy session say outside of answers; their questions get numbers of ours.
extension FederatedConversation {
    func received(
        _ message: Message,
        _ bytes: Span<UInt8>,
        suspect: SuspectedCall?,
        from member: FederationMember
    ) {
        noteChange(message.method, by: member)
        listener?.received(message, bytes, suspect: outer(suspect))
    }

    func asked(
        _ number: Int,
        _ message: Message,
        _ bytes: Span<UInt8>,
        suspect: SuspectedCall?,
        by member: FederationMember
    ) {
        guard let listener else {
            let text = "No client is there to answer"
            member.session?.refuse(number, Failure(.methodNotFound, text, source: .client))
            return
        }
        let own = nextQuestion
        nextQuestion += 1
        questions[own] = (member.index, number)
        listener.asked(own, message, bytes, suspect: outer(suspect))
    }

    func withdrew(_ number: Int, _ message: Message, _ bytes: Span<UInt8>, by member: FederationMember) {
        guard let own = question(number, of: member) else { return }
        questions[own] = nil
        listener?.withdrew(own, message, bytes)
    }

    /// A server died, and with it what it had asked: the client is told not to answer.
    func interrupted(_ member: FederationMember) {
        // Another process may have other things.
        for kind in FederatedKind.allCases where member.lists[kind] != nil { member.stale.insert(kind) }
        for (own, question) in questions where question.member == member.index {
            questions[own] = nil
            let text = Bridging.notification(.cancelled, ["requestId": .number(String(own))])
            if let message = try? Message(text.span) { listener?.withdrew(own, message, text.span) }
        }
    }

    /// The process of a server died, and with it what it knew of the session.
    ///
    /// Where that must not be lost the session ends: its client learns by 404 that it needs another.
    func lost(_ member: FederationMember) {
        interrupted(member)
        guard member.standing == .present else { return }
        if member.backend.stateLost == .end { listener?.gaveUp() } else { member.hasLostProcess = true }
    }

    /// Another process takes the place of one that died: it is told what that one was told, and the client that lists may
    /// have changed.
    func regain(_ member: FederationMember) {
        guard member.hasLostProcess else { return }
        member.hasLostProcess = false
        if member.session?.remembersSession == false { bring(member) }
        for kind in FederatedKind.allCases where kind != .templates && member.declares(kind.capability) {
            changed(kind)
        }
    }

    private func question(_ number: Int, of member: FederationMember) -> Int? {
        questions.first { $0.value.member == member.index && $0.value.number == number }?.key
    }

    /// The client's call for a server's.
    private func outer(_ suspect: SuspectedCall?) -> SuspectedCall? {
        guard let suspect, let call = suspect.call.caller as? FederatedCall else { return nil }
        return SuspectedCall(call: call.outer, isOnly: suspect.isOnly)
    }

    func answer(_ number: Int, _ message: Message, _ bytes: Span<UInt8>) -> Bool {
        guard let question = questions.removeValue(forKey: number) else { return false }
        return members[question.member].session?.answer(question.number, message, bytes) ?? false
    }

    func refuse(_ number: Int, _ failure: Failure) {
        guard let question = questions.removeValue(forKey: number) else { return }
        members[question.member].session?.refuse(question.number, failure)
    }
}
