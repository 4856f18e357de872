// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import Children
package import Configuration
import Diagnostics
package import Egress
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
package final class ServerBackend: Backend {
    package let context: ServerContext
    private let isolation: Isolation
    private var conversations: [UInt64: ServerConversation] = [:]
    /// Those that modern callers use.
    private let modern = ModernConversations()
    /// The subscriptions of each principal at a legacy server.
    private var hubs: [Principal: ListenHub] = [:]
    /// The number of the next conversation.
    ///
    /// It begins anywhere: a state that another configuration's conversation gave must not name one of this.
    private var nextInstance = UInt64.random(in: 1...1 << 62)
    /// Where lines to the server come from.
    private let source: any LinkSource
    private var breaker = CrashBreaker()
    private var traits: ServerTraits?
    private var probe: (any ServerProbe)?
    private var isProbing = false
    private var waitingForTraits: [(Result<ServerTraits, Failure>) -> Void] = []
    /// Whose process shows whether the server works again.
    private var trying: ObjectIdentifier?
    private var isEnding = false
    /// Whether it only finishes what it was doing.
    private(set) var isStopping = false
    private var hasEndedSource = false
    private var onEnd: (() -> Void)?
    /// Itself, for those who are not to keep it.
    private let reference = LoopReference<ServerBackend>()

    /// Makes the backend of a server that is started here.
    ///
    /// - Parameters:
    ///   - context: The server and its bounds.
    ///   - isolation: Who shares a process among modern callers.
    ///   - spawner: What starts processes.
    ///   - confinement: What they cannot see and do.
    ///   - population: The processes of all servers.
    package convenience init(
        _ context: ServerContext,
        isolation: Isolation,
        spawner: ChildSpawner,
        confinement: Confinement,
        population: ChildPopulation
    ) {
        let supply = ChildSupply(
            context,
            spawner: spawner,
            confinement: confinement,
            population: population
        )
        self.init(context, isolation: isolation, source: supply)
        supply.search { [reference] principal in reference.object?.idle(of: principal) }
    }

    /// Makes the backend of a server that runs elsewhere.
    ///
    /// - Parameters:
    ///   - context: The server and its bounds.
    ///   - isolation: Who shares a session at the server among modern callers.
    ///   - endpoint: Where it is.
    ///   - egress: What may be reached.
    package convenience init(
        _ context: ServerContext,
        isolation: Isolation,
        endpoint: RemoteEndpoint,
        egress: EgressRules
    ) {
        let source = RemoteSource(context, endpoint, egress: egress)
        self.init(context, isolation: isolation, source: source)
        source.onDoubt = { [reference] in reference.object?.traits = nil }
    }

    init(_ context: ServerContext, isolation: Isolation, source: any LinkSource) {
        self.context = context
        self.isolation = isolation
        self.source = source
        reference.set(self)
    }

    deinit { reference.clear() }

    /// Takes over what another configuration says of all servers, for what begins from now on.
    package func adopt(_ limits: Limits, _ timeouts: Timeouts, _ confinement: Confinement) {
        context.adopt(limits, timeouts)
        source.adopt(confinement)
    }

    package var name: String { context.server.name }
    package var summary: String? { context.server.summary }
    package var problem: String? { context.server.problem }
    package var sessionTimeout: UInt64? { context.server.sessionTimeout?.wholeMilliseconds }
    package var sessionLimit: Int? { context.server.limits.sessions }
    package var principalSessionLimit: Int? { context.server.limits.sessionsPerPrincipal }
    package var stateLost: StateLoss { context.server.stateLost }
    package var isBusy: Bool { conversations.values.contains(where: \.isBusy) }
    package var processCount: Int { source.processCount }
    package var statistics: BackendStatistics {
        var statistics = BackendStatistics()
        statistics.reports = source.reports
        statistics.remote = source.remote
        statistics.counts = context.counts
        statistics.isLeftAlone = breaker.isOpen
        statistics.dropped = context.dropped
        return statistics
    }

    // MARK: Conversations

    package func openSession(for principal: Principal) throws(Failure) -> any Conversation {
        guard try known().eras.contains(.legacy) else {
            return ModernServerBridge(try open(.modern, for: principal, isSession: true))
        }
        return try open(.legacy, for: principal, isSession: true)
    }

    package func modern(
        for principal: Principal,
        instance: UInt64?,
        declared: () -> JSONValue
    ) throws(Failure) -> ModernConversation {
        let now = context.loop.now
        if let instance, let conversation = modern.use(instance, at: now) {
            return ModernConversation(conversation, instance: instance, isForOneCall: isolation == .call)
        }
        let traits = try known()
        let isShared = isolation == .shared
        var owner = ModernConversations.Owner(principal: isShared ? .anonymous : principal, capabilities: [])
        guard !traits.eras.contains(.modern) else {
            return try modern(of: owner) { () throws(Failure) in
                try self.open(.modern, for: owner.principal, isSession: false)
            }
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
                try self.open(.legacy, for: owner.principal, isSession: false),
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
        let now = context.loop.now
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

    private func open(
        _ era: Era,
        for principal: Principal,
        isSession: Bool
    ) throws(Failure) -> ServerConversation {
        guard !isEnding else { throw .stopping }
        let conversation = ServerConversation(
            era: era,
            principal: principal,
            instance: nextInstance,
            isSession: isSession,
            backend: self
        )
        conversations[nextInstance] = conversation
        nextInstance += 1
        return conversation
    }

    func ended(_ conversation: ServerConversation) {
        conversations[conversation.instance] = nil
        if modern.remove(conversation.instance) {
            for (principal, hub) in hubs where hub.isDeserted { hubs[principal] = nil }
        }
        finishIfIdle()
    }

    package func heartbeat(slot: Int, of slots: Int) {
        let now = context.loop.now
        for conversation in conversations.values where conversation.instance % UInt64(slots) == UInt64(slot) {
            conversation.heartbeat(now: now)
            (conversation.listener as? any Bridge)?.heartbeat(now: now)
        }
    }

    // MARK: Lines

    /// Opens a line to the server for a conversation, `asker`; calls back later, or at once.
    func open(
        _ era: Era,
        for principal: Principal,
        by asker: ObjectIdentifier,
        _ completion: @escaping (Result<any ServerLink, Failure>) -> Void
    ) {
        withTraits { [reference] traits in
            guard let self = reference.object else { return }
            switch traits {
            case .failure(let failure): completion(.failure(failure))
            case .success(let traits):
                guard traits.eras.contains(era) else {
                    // It was found to speak otherwise since this conversation began.
                    return completion(.failure(ServerConversation.wrongEra(era)))
                }
                if let failure = self.refusal(asker) { return completion(.failure(failure)) }
                self.source.open(traits, era, for: principal) { result in
                    if case .failure(let failure) = result {
                        if failure.source == .upstream {
                            reference.object?.noteDeath()
                        } else {
                            reference.object?.noteTryGivenUp(by: asker)
                        }
                    }
                    completion(result)
                }
            }
        }
    }

    /// Why nothing is started now, if the server keeps dying.
    private func refusal(_ asker: ObjectIdentifier) -> Failure? {
        guard case .refuse(let wait) = breaker.ask(at: context.loop.now) else {
            trying = breaker.isOpen ? asker : nil
            return nil
        }
        let seconds = (wait + 999) / 1000
        let isElsewhere = context.server.remote != nil
        let words = isElsewhere ? "cannot be reached" : "keeps dying as soon as it is started"
        return Failure(
            .internalError,
            "The server \(words); it is tried again in \(seconds) s",
            retryAfter: Int(clamping: seconds),
            source: .upstream
        )
    }

    /// A server has answered a call: it works.
    func noteAnswer() { breaker.noteAnswer() }

    /// A server has answered `initialize`, and no call so far.
    func noteGreeting() { breaker.noteGreeting(at: context.loop.now) }

    /// A conversation was ended before its server had answered anything: that says nothing about the server.
    ///
    /// Another than the one that tries has held nobody up.
    func noteTryGivenUp(by asker: ObjectIdentifier) {
        guard trying == asker else { return }
        breaker.noteTryGivenUp(at: context.loop.now)
    }

    /// A server died, or could not be reached, without having answered a call.
    func noteDeath() {
        let before = breaker.openings
        breaker.noteDeath(at: context.loop.now)
        if breaker.openings > before {
            let isElsewhere = context.server.remote != nil
            let words = isElsewhere ? "cannot be reached" : "keeps dying as soon as it is started"
            context.log.warning("it \(words), and is left alone for a while")
        }
    }

    /// The conversation of modern callers that nobody has needed for the longest time, and that has a process.
    private func idle(of principal: Principal?) -> ChildPopulation.Idle? {
        modern.leastUsed { instance in
            guard let conversation = self.conversations[instance], conversation.hasLink else { return false }
            return principal.map { conversation.principal == $0 } ?? true
        }
    }

    package func sweep(now: UInt64) {
        for conversation in conversations.values { (conversation.listener as? any Bridge)?.expire(now: now) }
        for conversation in modern.unused(since: now, for: context.idleLimit) { conversation.end() }
        if !breaker.isOpen { source.sweep(now: now, traits) }
    }

    /// Ends what modern callers used and nobody needs now, however short ago that was.
    ///
    /// - Returns: How many conversations ended.
    package func endUnneeded() -> Int {
        let unneeded = modern.unused(since: .max, for: 0)
        for conversation in unneeded { conversation.end() }
        return unneeded.count
    }

    package func beginStopping() {
        isStopping = true
        for conversation in Array(conversations.values) {
            conversation.beginStopping()
            (conversation.listener as? any Bridge)?.beginStopping()
        }
    }

    package func end(_ completion: @escaping () -> Void) {
        isEnding = true
        onEnd = completion
        probe?.abandon()
        for conversation in Array(conversations.values) {
            (conversation.listener as? any Bridge)?.end()
            conversation.end()
        }
        source.end { [reference] in
            reference.object?.hasEndedSource = true
            reference.object?.finishIfIdle()
        }
    }

    private func finishIfIdle() {
        guard isEnding, hasEndedSource, conversations.isEmpty, probe == nil, let onEnd else { return }
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
        guard !isEnding else { return body(.failure(.stopping)) }
        guard probe == nil, !isProbing else { return waitingForTraits.append(body) }
        if let failure = refusal(ObjectIdentifier(self)) { return body(.failure(failure)) }
        waitingForTraits.append(body)
        isProbing = true
        let begun = source.probe { [reference] result in reference.object?.probed(result) }
        if isProbing { probe = begun }
    }

    private func probed(_ result: Result<ServerFinding, Failure>) {
        isProbing = false
        probe = nil
        let answer: Result<ServerTraits, Failure>
        switch result {
        case .failure(let failure):
            answer = .failure(failure)
            if failure.source == .upstream { noteDeath() } else { noteTryGivenUp(by: ObjectIdentifier(self)) }
            context.log.warning(failure.message)
        case .success(let finding):
            answer = .success(finding.traits)
            breaker.noteAnswer()
            traits = finding.traits
            let eras = finding.traits.eras.map(\.rawValue).sorted().joined(separator: " and ")
            context.log.info("speaks the \(eras) era\(finding.isCertain ? "" : ", presumably")")
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
        guard waitingForTraits.count < context.limits.inFlight else {
            throw Failure(.internalError, "Too many calls wait for the server to start", source: .gateway)
        }
        withTraits { result in
            if case .failure(let failure) = result { return body(failure) }
            body(nil)
        }
    }

    // MARK: Tools

    package func headerParameters(
        ofTool name: @autoclosure () -> [UInt8]?,
        for principal: Principal
    ) -> HeaderParameters? {
        guard let known = traits?.headerParameters, !known.isEmpty, let name = name() else { return nil }
        return known[name]
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
