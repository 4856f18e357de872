// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import JSON
import JSONRPC
import MCPCore

/// The beginning: all servers are greeted at once, and answer as one.
extension FederatedConversation {
    /// Greets all servers as the client greets us.
    ///
    /// It is answered when all have, or when their time is over and one has. Those that come later join then.
    func greet(_ call: FederatedCall, _ message: Message, _ bytes: Span<UInt8>) throws(Failure) {
        guard greetingCall == nil, !members.contains(where: { $0.standing != .absent }) else {
            throw Failure(.invalidRequest, "This session has been initialized already", source: .client)
        }
        greetingCall = call
        isGreetingOverdue = false
        let text = [UInt8](bytes)
        initialize = Message.untraced(text)
        greetingTimer?.close()
        greetingTimer = LoopTimer(loop) { [weak self] in
            self?.isGreetingOverdue = true
            self?.settleGreeting()
        }
        greetingTimer?.schedule(after: backend.settings.memberDeadline)
        // All are expected before one may fail, so that it is not settled too early.
        for member in members { member.expect() }
        for member in members { member.open(text) }
    }

    /// A server was greeted.
    func arrived(_ member: FederationMember) {
        guard greetingCall == nil else { return settleGreeting() }
        bring(member)
        for kind in FederatedKind.allCases where kind != .templates && member.declares(kind.capability) {
            changed(kind)
        }
    }

    /// A server cannot be reached, or is lost.
    func departed(_ member: FederationMember) {
        interrupted(member)
        for kind in FederatedKind.allCases where member.lists[kind] != nil { member.missed.insert(kind) }
        backend.settings.log?("\(member.name) is left out: \(member.failure?.message ?? "")")
        settleGreeting()
    }

    private func settleGreeting() {
        guard let call = greetingCall else { return }
        let isPending = members.contains { $0.standing == .greeting }
        let isAnswered = members.contains { $0.standing == .present }
        guard !isPending || (isGreetingOverdue && isAnswered) else { return }
        greetingCall = nil
        greetingTimer?.close()
        guard isAnswered else { return fail(call, unreachable) }
        let parts = members.map { member in
            FederatedGreeting.Part(
                server: member.name,
                result: member.standing == .present ? member.greeting : nil
            )
        }
        let result = FederatedGreeting.initializeResult(parts, implementation: GatewayIdentity.implementation)
        give(Bridging.response(result), to: call)
    }

    /// Why nobody answers.
    private var unreachable: Failure {
        let reasons = members.map { "\($0.name): \($0.failure?.message ?? "no answer")" }
        return Failure(
            .internalError,
            "None of the servers can be reached (\(reasons.joined(separator: "; ")))",
            source: .upstream
        )
    }

    /// Tells a server that comes late what the client has said meanwhile.
    func bring(_ member: FederationMember) {
        if isInitialized {
            let text = Bridging.notification(.initialized)
            if let message = try? Message(text.span) { member.session?.notify(message, text.span) }
        }
        if let level, member.declares("logging") { tell(member, level) }
        for (uri, owner) in subscriptions where owner == member.index {
            let uri = JSONValue.string(String(decoding: uri, as: UTF8.self))
            tell(member, Bridging.request(.subscribe, ["uri": uri]))
        }
    }

    /// Sends a server a request whose answer nobody needs.
    private func tell(_ member: FederationMember, _ text: [UInt8]) {
        guard let message = try? Message(text.span) else { return }
        _ = try? member.session?.call(message, text.span, from: OwnCall { _ in }, edits: Edits())
    }

    /// Asks all servers what they are.
    ///
    /// It is answered when all have, or when their time is over and one has.
    func discover(_ call: FederatedCall, _ message: Message, _ bytes: Span<UInt8>) {
        learn(message, bytes)
        let text = Bridging.request(.discover, .object([.init("_meta", meta ?? .object([]))]))
        let key = call.key
        // Of this call alone: another that runs beside it has answers of its own.
        let found = Greetings()
        let fanout = ask(members.count, isEnough: { !found.results.isEmpty }) { [weak self] in
            self?.answerDiscover(key, found)
        }
        for member in members {
            discover(member, text) { [weak fanout] result in
                found.results[member.index] = result
                fanout?.settle()
            }
        }
        fanout.begin()
    }

    private func discover(
        _ member: FederationMember,
        _ text: [UInt8],
        _ completion: @escaping (JSONValue?) -> Void
    ) {
        let meta = meta
        member.whenReady { [weak self] failure in
            guard self != nil else { return }
            do throws(Failure) {
                if let failure { throw failure }
                let target = try member.target(nil) { Self.declared(meta) }
                let message = try Bridging.read(text)
                let call = OwnCall { outcome in
                    if target.isForOneCall { target.conversation.end(after: 0) }
                    member.greeting = try? outcome.get()
                    if case .failure(let failure) = outcome { self?.log(member, failure) }
                    completion(member.greeting)
                }
                _ = try target.conversation.call(message, text.span, from: call, edits: Edits())
            } catch {
                self?.log(member, error)
                completion(nil)
            }
        }
    }

    /// What the servers say they are, by their numbers.
    private final class Greetings {
        var results: [Int: JSONValue] = [:]
    }

    func log(_ member: FederationMember, _ failure: Failure) {
        backend.settings.log?("\(member.name) is left out: \(failure.message)")
    }

    private func answerDiscover(_ key: Int, _ found: Greetings) {
        guard let call = calls[key] else { return }
        guard !found.results.isEmpty else { return fail(call, unreachable) }
        let parts = members.map { FederatedGreeting.Part(server: $0.name, result: found.results[$0.index]) }
        let result = FederatedGreeting.discoverResult(parts, implementation: GatewayIdentity.implementation)
        give(Bridging.response(result), to: call)
    }

    /// Sends the level of the log to all servers that write one.
    func setLevel(_ call: FederatedCall, _ message: Message, _ bytes: Span<UInt8>) throws(Failure) {
        let writers = members.filter { $0.standing == .present && $0.declares("logging") }
        guard !writers.isEmpty else {
            throw Failure(.methodNotFound, "None of the servers writes log messages", source: .client)
        }
        let text = [UInt8](bytes)
        let key = call.key
        let answers = Answers()
        let fanout = ask(writers.count) { [weak self] in
            guard let self, let call = self.calls[key] else { return }
            guard let failure = answers.failure, !answers.hasSuccess else {
                if answers.hasSuccess { self.level = text }
                return self.give(Bridging.response(.object([])), to: call)
            }
            self.fail(call, failure)
        }
        for member in writers {
            let own = OwnCall { [weak fanout] outcome in
                answers.note(outcome)
                fanout?.settle()
            }
            do throws(Failure) {
                let message = try Bridging.read(text)
                _ = try member.session?.call(message, text.span, from: own, edits: Edits())
            } catch {
                answers.note(.failure(error))
                fanout.settle()
            }
        }
    }

    /// What several servers answered, as far as it matters.
    private final class Answers {
        private(set) var hasSuccess = false
        private(set) var failure: Failure?

        func note(_ outcome: Result<JSONValue, Failure>) {
            switch outcome {
            case .success: hasSuccess = true
            case .failure(let failure): self.failure = self.failure ?? failure
            }
        }
    }
}
