// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Children
package import Configuration
import Diagnostics
import EventLoop
package import JSON
package import JSONRPC
package import MCPCore
package import Sessions

/// A stdio MCP server offered to many: a child process for each legacy session, and for modern callers as the server's
/// `isolation` says.
///
/// It starts with no process. What its command speaks is found out in a throw-away child when it is first needed, or when
/// `warmUp` asks. It ends with `end`, when the last process is gone.
package final class ProcessBackend: Backend {
    package let processes: ServerProcesses
    private let isolation: Isolation
    private var conversations: [UInt64: ChildConversation] = [:]
    /// Those that modern callers use.
    private let modern = ModernConversations()
    /// The subscriptions of each principal at a legacy server.
    private var hubs: [Principal: ListenHub] = [:]
    private var nextInstance: UInt64 = 1
    /// The server's own processes, against its own limit.
    private let own: ChildPopulation
    private var traits: ServerTraits?
    private var probe: Probe?
    private var waitingForTraits: [(Result<ServerTraits, Failure>) -> Void] = []
    /// Processes that are being stopped.
    private var leaving: [ObjectIdentifier: (Child, LeavingChild)] = [:]
    /// Processes that are being made.
    private var starting = 0
    private var isEnding = false
    private var onEnd: (() -> Void)?

    /// Makes the backend of a configured server.
    ///
    /// - Parameters:
    ///   - processes: How its processes are made.
    ///   - isolation: Who shares a process among modern callers.
    package init(_ processes: ServerProcesses, isolation: Isolation) {
        self.processes = processes
        self.isolation = isolation
        own = ChildPopulation(limit: processes.server.limits.children ?? .max)
        for population in [own, processes.population] {
            population.search { [weak self] in self?.idle }
        }
    }

    package var name: String { processes.server.name }
    package var summary: String? { processes.server.summary }
    package var problem: String? { processes.server.problem }
    package var sessionTimeout: UInt64? { processes.server.sessionTimeout?.wholeMilliseconds }
    package var sessionLimit: Int? { processes.server.limits.sessions }
    package var stateLost: StateLoss { processes.server.stateLost }
    package var processCount: Int { conversations.values.count(where: \.hasProcess) + leaving.count }

    var stopSchedule: StopSchedule { StopSchedule() }

    // MARK: Conversations

    package func openSession(for principal: Principal) throws(Failure) -> any Conversation {
        guard try known().eras.contains(.legacy) else {
            return ModernServerBridge(try open(.modern, isSession: true))
        }
        return try open(.legacy, isSession: true)
    }

    package func modern(
        for principal: Principal,
        instance: UInt64?,
        declared: () -> JSONValue
    ) throws(Failure) -> ModernConversation {
        let now = processes.loop.now
        if let instance, let conversation = modern.use(instance, at: now) {
            return ModernConversation(conversation, instance: instance, isForOneCall: isolation == .call)
        }
        let traits = try known()
        let isShared = isolation == .shared
        var owner = ModernConversations.Owner(principal: isShared ? .anonymous : principal, capabilities: [])
        guard !traits.eras.contains(.modern) else {
            return try modern(of: owner) { () throws(Failure) in try self.open(.modern, isSession: false) }
        }
        if instance != nil {
            // The state is a number of that conversation; in another one it would name somebody else's call.
            let text =
                "requestState names a call that is no longer there: the server's conversation has ended"
            throw Failure(.invalidParams, text, source: .client)
        }
        // One that is shared by principals is told of no capabilities, so that it asks nobody.
        let capabilities =
            isShared ? .object([]) : Translation.legacyCapabilities(fromModern: declared())
        owner.capabilities = capabilities.text()
        return try modern(of: owner) { () throws(Failure) in
            LegacyServerBridge(
                try self.open(.legacy, isSession: false),
                capabilities: capabilities,
                listens: self.listens(of: owner.principal),
                isShared: isShared
            )
        }
    }

    private func modern(
        of owner: ModernConversations.Owner,
        _ open: () throws(Failure) -> any Conversation
    ) throws(Failure) -> ModernConversation {
        let now = processes.loop.now
        let isForOneCall = isolation == .call
        if !isForOneCall, let (instance, known) = modern.use(owner, at: now) {
            return ModernConversation(known, instance: instance, isForOneCall: false)
        }
        let instance = nextInstance
        let opened = try open()
        modern.add(opened, instance, owner: isForOneCall ? nil : owner, at: now)
        return ModernConversation(opened, instance: instance, isForOneCall: isForOneCall)
    }

    /// The subscriptions of a principal; under `call` each conversation has its own.
    private func listens(of principal: Principal) -> ListenHub {
        guard isolation != .call else { return ListenHub() }
        if let hub = hubs[principal] { return hub }
        let hub = ListenHub()
        hubs[principal] = hub
        return hub
    }

    private func known() throws(Failure) -> ServerTraits {
        if let problem {
            throw Failure(.internalError, "The server \(name) cannot run: \(problem)", source: .upstream)
        }
        guard let traits else {
            throw Failure(.internalError, "It is not known yet what the server speaks", source: .gateway)
        }
        return traits
    }

    private func open(_ era: Era, isSession: Bool) throws(Failure) -> ChildConversation {
        guard !isEnding else { throw Failure(.internalError, "The gateway is stopping", source: .gateway) }
        let conversation = ChildConversation(
            era: era,
            instance: nextInstance,
            isSession: isSession,
            backend: self
        )
        conversations[nextInstance] = conversation
        nextInstance += 1
        return conversation
    }

    func ended(_ conversation: ChildConversation) {
        conversations[conversation.instance] = nil
        if modern.remove(conversation.instance) {
            for (principal, hub) in hubs where hub.isDeserted { hubs[principal] = nil }
        }
        if let child = conversation.child { track(child) }
        finishIfIdle()
    }

    package func heartbeat(slot: Int, of slots: Int) {
        let now = processes.loop.now
        for conversation in conversations.values where conversation.instance % UInt64(slots) == UInt64(slot) {
            conversation.heartbeat(now: now)
            (conversation.listener as? any Bridge)?.heartbeat(now: now)
        }
    }

    // MARK: Processes

    /// Starts a process of the server; the result comes on the loop.
    ///
    /// Those that only show what the server speaks are few and short-lived, and not counted against the limits.
    func spawn(isCounted: Bool = true, _ completion: @escaping (Result<Child, Failure>) -> Void) {
        guard !isCounted || enter() else {
            // It is tried again when the place of one that nobody needs is free.
            let retry = { [weak self] in
                guard let self, !self.isEnding else {
                    return completion(
                        .failure(Failure(.internalError, "The gateway is stopping", source: .gateway))
                    )
                }
                self.spawn(completion)
            }
            if own.hasRoom ? processes.population.makeRoom(retry) : own.makeRoom(retry) { return }
            completion(
                .failure(Failure(.internalError, "Too many processes run; try again later", source: .gateway))
            )
            return
        }
        let command: ChildCommand
        do {
            command = try processes.command()
        } catch {
            if isCounted { leave() }
            completion(
                .failure(Failure(.internalError, "The server cannot be started: \(error)", source: .upstream))
            )
            return
        }
        starting += 1
        processes.spawner.spawn(command, on: processes.loop) { [log = processes.log, weak self] result in
            self?.starting -= 1
            defer { self?.finishIfIdle() }
            switch result {
            case .failure(let failure):
                if isCounted { self?.leave() }
                completion(
                    .failure(
                        Failure(.internalError, "The server cannot be started: \(failure)", source: .upstream)
                    )
                )
            case .success(let child):
                log.debug("started process \(child.pid)")
                completion(.success(child))
            }
        }
    }

    /// Takes a place for a process among all servers' and among this one's; false if none is free.
    private func enter() -> Bool {
        guard own.hasRoom, processes.population.enter() else { return false }
        _ = own.enter()
        return true
    }

    private func leave() {
        own.leave()
        processes.population.leave()
        own.wake()
        processes.population.wake()
    }

    /// Stops a process that nobody talks to any more.
    func abandon(_ child: Child, isCounted: Bool = true) {
        child.stop(stopSchedule)
        track(child, isCounted: isCounted)
    }

    /// Waits for a process to be gone, so that the backend does not end before.
    private func track(_ child: Child, isCounted: Bool = true) {
        let leaver = LeavingChild { [weak self] in
            guard let self else { return }
            self.leaving[ObjectIdentifier(child)] = nil
            self.gone(isCounted: isCounted)
        }
        child.delegate = leaver
        guard child.isRunning else {
            gone(isCounted: isCounted)
            return
        }
        leaving[ObjectIdentifier(child)] = (child, leaver)
    }

    /// A process is gone: another may take its place.
    func gone(isCounted: Bool = true) {
        if isCounted { leave() }
        finishIfIdle()
    }

    /// The process of modern callers that nobody has needed for the longest time.
    private var idle: ChildPopulation.Idle? {
        modern.leastUsed { self.conversations[$0]?.hasProcess == true }
    }

    package func sweep(now: UInt64) {
        for conversation in conversations.values { (conversation.listener as? any Bridge)?.expire(now: now) }
        for conversation in modern.unused(since: now, for: processes.idleLimit) { conversation.end() }
    }

    package func beginStopping() {
        for conversation in Array(conversations.values) {
            conversation.beginStopping()
            (conversation.listener as? any Bridge)?.beginStopping()
        }
    }

    package func end(_ completion: @escaping () -> Void) {
        isEnding = true
        own.giveUp()
        onEnd = completion
        probe?.abandon()
        for conversation in Array(conversations.values) {
            (conversation.listener as? any Bridge)?.end()
            conversation.end()
        }
        finishIfIdle()
    }

    private func finishIfIdle() {
        guard isEnding, starting == 0, conversations.isEmpty, leaving.isEmpty, probe == nil, let onEnd else {
            return
        }
        self.onEnd = nil
        onEnd()
    }

    // MARK: What the command speaks

    /// Finds out what the command speaks before anybody asks.
    package func warmUp(_ completion: @escaping () -> Void) {
        guard problem == nil else { return completion() }
        withTraits { _ in completion() }
    }

    /// Calls back with what the command speaks; finds it out first if need be.
    func withTraits(_ body: @escaping (Result<ServerTraits, Failure>) -> Void) {
        if let traits { return body(.success(traits)) }
        guard !isEnding else {
            return body(.failure(Failure(.internalError, "The gateway is stopping", source: .gateway)))
        }
        waitingForTraits.append(body)
        guard probe == nil else { return }
        probe = Probe(self) { [weak self] result in self?.probed(result) }
        probe?.start()
    }

    private func probed(_ result: Result<Probe.Finding, Failure>) {
        probe = nil
        let answer: Result<ServerTraits, Failure>
        switch result {
        case .failure(let failure):
            answer = .failure(failure)
            processes.log.warning(failure.message)
        case .success(let finding):
            answer = .success(finding.traits)
            traits = finding.traits
            let eras = finding.traits.eras.map(\.rawValue).sorted().joined(separator: " and ")
            processes.log.info("speaks the \(eras) era\(finding.isCertain ? "" : ", presumably")")
        }
        let waiting = waitingForTraits
        waitingForTraits = []
        for body in waiting { body(answer) }
        // A guess is good for those who waited; the next one asks again.
        if case .success(let finding) = result, !finding.isCertain { traits = nil }
        finishIfIdle()
    }

    package var isKnown: Bool { traits != nil }

    package func whenKnown(_ body: @escaping (Failure?) -> Void) throws(Failure) {
        if let problem {
            throw Failure(.internalError, "The server \(name) cannot run: \(problem)", source: .upstream)
        }
        guard waitingForTraits.count < processes.limits.inFlight else {
            throw Failure(.internalError, "Too many calls wait for the server to start", source: .gateway)
        }
        withTraits { result in
            if case .failure(let failure) = result { return body(failure) }
            body(nil)
        }
    }

    // MARK: Tools

    package func headerParameters(ofTool name: [UInt8]) -> HeaderParameters? {
        traits?.headerParameters[name]
    }

    package func learnTools(_ tools: Span<UInt8>) {
        // Annotations are rare: most lists are only searched for the word.
        guard traits?.headerParameters.isEmpty == false || tools.contains("x-mcp-header") else { return }
        guard let list = try? JSONValue(tools).array else { return }
        traits?.learn(list)
    }
}

extension Span<UInt8> {
    /// Whether a word stands somewhere in the bytes.
    func contains(_ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard count >= length else { return false }
        for start in 0...count - length {
            if extracting(start..<start + length).equals(word) { return true }
        }
        return false
    }
}

/// Hears of the end of a process that nobody talks to any more.
private final class LeavingChild: ChildDelegate {
    private let onExit: () -> Void

    init(_ onExit: @escaping () -> Void) {
        self.onExit = onExit
    }

    func childOutput(_ bytes: Span<UInt8>, of child: Child) {}
    func childDiagnostics(_ bytes: Span<UInt8>, of child: Child) {}
    func childInputDrained(of child: Child) {}
    func childExited(_ exit: ChildExit, of child: Child) { onExit() }
}
