// Gatehouse. SPDX-License-Identifier: MIT

import Children
import Configuration
import Diagnostics
import EventLoop
import JSONRPC
import MCPCore
import Sessions
import StdioFraming

/// Where a server's processes come from: started when they are needed or kept ready, within the bounds on their number.
///
/// It ends with `end`, when the last process is gone.
final class ChildSupply: LinkSource {
    private let context: ServerContext
    private let spawner: ChildSpawner
    private var confinement: Confinement
    /// The server's own processes, against its own limit.
    let own: ChildPopulation
    /// Those of all servers.
    private let all: ChildPopulation
    /// Processes that run, those that are ending among them.
    private var links: [ObjectIdentifier: ChildLink] = [:]
    /// Those that are kept ready, the oldest first.
    private var ready: [ChildLink] = []
    private var pool: WarmPool
    /// Processes that are being made.
    private var starting = 0
    private var isEnding = false
    private var onEnd: (() -> Void)?

    init(
        _ context: ServerContext,
        spawner: ChildSpawner,
        confinement: Confinement,
        population: ChildPopulation
    ) {
        self.context = context
        self.spawner = spawner
        self.confinement = confinement
        all = population
        let limits = context.server.limits
        own = ChildPopulation(
            limit: limits.children ?? .max,
            principalLimit: limits.childrenPerPrincipal ?? .max
        )
        pool = WarmPool(size: context.server.warm)
        for population in [own, all] {
            population.search(for: self) { [weak self] principal in
                principal == nil ? self?.readyToGiveWay : nil
            }
        }
    }

    var processCount: Int { links.values.count { $0.place != nil } }
    var reports: [ServerReport] { links.values.map(\.report).sorted { $0.started < $1.started } }

    /// Lets a way be known to find a conversation with a process that may be ended.
    func search(_ find: @escaping (Principal?) -> ChildPopulation.Idle?) {
        own.search(for: self, find)
        all.search(for: self, find)
    }

    func probe(_ completion: @escaping (Result<ServerFinding, Failure>) -> Void) -> any ServerProbe {
        let probe = Probe(self, context, completion: completion)
        probe.start()
        return probe
    }

    // MARK: Starting

    func open(
        _ traits: ServerTraits,
        _ era: Era,
        for principal: Principal,
        _ completion: @escaping (Result<any ServerLink, Failure>) -> Void
    ) {
        if let link = takeReady(for: principal) { return completion(.success(link)) }
        guard let place = ChildPlace(own, all, for: principal) else {
            // It is tried again when the place of one that nobody needs is free.
            let retry = { [weak self] in
                guard let self, !self.isEnding else { return completion(.failure(.stopping)) }
                self.open(traits, era, for: principal, completion)
            }
            let full = own.hasRoom(for: principal) ? all : own
            if full.makeRoom(for: principal, retry) { return }
            let whose = full.mayTake(principal) ? "Too many processes run" : "Too many processes of yours run"
            let text = "\(whose); try again later"
            return completion(
                .failure(Failure(.internalError, text, retryAfter: .random(in: 1...5), source: .gateway))
            )
        }
        spawn(traits.framing, place) { result in
            completion(result.map { $0 })
        }
    }

    /// Starts a process; without a place it is one that only shows what the server speaks, and is not counted.
    func spawn(
        _ framing: Framing,
        _ place: ChildPlace?,
        _ completion: @escaping (Result<ChildLink, Failure>) -> Void
    ) {
        let command: ChildCommand
        do {
            command = try self.command()
        } catch {
            place?.leave()
            return completion(.failure(Self.cannotStart("\(error)")))
        }
        starting += 1
        let asked = WallClock.now
        spawner.spawn(command, on: context.loop) { [weak self, context] result in
            self?.starting -= 1
            defer { self?.finishIfEmpty() }
            switch result {
            case .failure(let failure):
                context.noteStart(since: asked, failure: "\(failure)")
                place?.leave()
                completion(.failure(Self.cannotStart("\(failure)")))
            case .success(let child):
                context.noteStart(since: asked, failure: nil)
                context.log.debug("started process \(child.pid)")
                guard let self else { return child.kill() }
                let link = ChildLink(child, framing, place, context, self)
                self.links[ObjectIdentifier(link)] = link
                completion(.success(link))
            }
        }
    }

    /// The command with its place in the file system; looked up at each start, since programs come and go; confined as
    /// the server asks.
    private func command() throws(CommandFailure) -> ChildCommand {
        try confinement.command(of: context.server)
    }

    private static func cannotStart(_ reason: String) -> Failure {
        Failure(.internalError, "The server cannot be started: \(reason)", source: .upstream)
    }

    // MARK: Ready ones

    /// One that is ready, given to a principal for good: who has served one is never given to another.
    private func takeReady(for principal: Principal) -> ChildLink? {
        guard let index = ready.firstIndex(where: { !$0.isOfNoUse }) else { return nil }
        let link = ready[index]
        guard link.place?.give(to: principal) == true else { return nil }
        ready.remove(at: index)
        pool.noteTaken()
        return link
    }

    /// One that is ready may be ended where a place is needed.
    private var readyToGiveWay: ChildPopulation.Idle? {
        guard let link = ready.first else { return nil }
        return ChildPopulation.Idle(lastUse: 0) { [weak self] in
            guard let self, let index = self.ready.firstIndex(where: { $0 === link }) else { return }
            self.ready.remove(at: index)
            self.pool.noteEnded()
            link.stop()
        }
    }

    func sweep(now: UInt64, _ traits: ServerTraits?) {
        guard let traits, !isEnding, pool.wantsStart(at: now) else { return }
        guard let place = ChildPlace(own, all, for: nil) else { return pool.noteNoRoom() }
        spawn(traits.framing, place) { [weak self] result in
            guard let self else { return }
            let now = self.context.loop.now
            switch result {
            case .failure(let failure):
                self.context.log.warning("no process could be kept ready: \(failure.message)")
                self.pool.noteFailure(wasReady: false, at: now)
            case .success(let link):
                guard !self.isEnding else { return link.stop() }
                self.pool.noteReady(at: now)
                self.ready.append(link)
                // The next at once, so that a pool is full soon after it was emptied.
                self.sweep(now: now, traits)
            }
        }
    }

    func adopt(_ confinement: Confinement) {
        let isSame = confinement.hides(sameAs: self.confinement)
        self.confinement = confinement
        guard !isSame, context.server.sandbox.level != .none else { return }
        // Those that are ready see what there was before.
        endReady()
    }

    // MARK: The end

    /// A process is gone: another may take its place.
    func gone(_ link: ChildLink, _ exit: ChildExit) {
        links[ObjectIdentifier(link)] = nil
        context.counts.note(exit, isExpected: link.isStopping)
        if let index = ready.firstIndex(where: { $0 === link }) {
            ready.remove(at: index)
            pool.noteFailure(wasReady: true, at: context.loop.now)
            context.log.warning("a process that was kept ready ended (\(exit))")
        }
        link.place?.leave()
        finishIfEmpty()
    }

    func end(_ completion: @escaping () -> Void) {
        isEnding = true
        onEnd = completion
        own.giveUp()
        endReady()
        finishIfEmpty()
    }

    private func endReady() {
        let links = ready
        ready = []
        for link in links {
            pool.noteEnded()
            link.stop()
        }
    }

    private func finishIfEmpty() {
        guard isEnding, starting == 0, links.isEmpty, let onEnd else { return }
        self.onEnd = nil
        onEnd()
    }
}
