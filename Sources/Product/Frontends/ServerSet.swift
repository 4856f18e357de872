// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Children
import Configuration
import Diagnostics
import Egress
import EventLoop
import Gateway
import Sessions
import Telemetry

/// The servers that a gateway offers, and how another configuration becomes other servers.
///
/// It starts with those of the first configuration. A server whose configuration stays the same keeps its processes and its
/// sessions when another is applied; one that changed or went is retired: it takes nothing new, what it is doing may finish
/// within `shutdownGrace`, then it ends. One loop's; it ends with `end`.
final class ServerSet {
    /// All that answer calls, the federation among them; those that are retired are not.
    private(set) var backends: [any Backend] = []
    /// Who finds them, and knows of those that are retired.
    private(set) var registry = Registry([], defaultName: nil)
    private var configured: [String: Configured] = [:]
    private var federation: FederatedBackend?
    private var federationKey: FederationKey?
    /// Those before it, with sessions that go on although there are more servers now.
    private var former: [FederatedBackend] = []
    /// The sessions that federations hold with their servers.
    private let memberPlaces = MemberPlaces()
    private var retired: [RetiredServer] = [] {
        didSet { registry.retired = retired.map(\.backend) }
    }
    private let hosted: [any Backend]
    private let environment: ConfigurationEnvironment
    private let loop: EventLoop
    private let tracer: Tracer?
    private let log: Log
    private let spawner: ChildSpawner
    private let population: ChildPopulation

    /// A server of the configuration, and what it was made of.
    private struct Configured {
        let key: ServerKey
        let backend: ServerBackend
    }

    /// All that a server is made of: while it stays the same, so does the server.
    private struct ServerKey: Equatable {
        let server: ServerConfiguration
        let isolation: Isolation
        let egress: EgressRules
    }

    /// The same for the federation.
    private struct FederationKey: Equatable {
        let federation: FederationConfiguration?
        let members: [ObjectIdentifier]
    }

    init(
        _ configuration: GatewayConfiguration,
        hosting hosted: [any Backend],
        in environment: ConfigurationEnvironment,
        on loop: EventLoop,
        tracer: Tracer?,
        log: Log
    ) {
        self.tracer = tracer
        self.hosted = hosted
        self.environment = environment
        self.loop = loop
        self.log = log
        let launcher = ChildSpawner.locateLauncher()
        if launcher == nil, configuration.servers.contains(where: \.isEnabled) {
            log.warning("gatehouse-launcher is not beside this program: what children start may outlive them")
        }
        spawner = ChildSpawner(launcher: launcher)
        population = ChildPopulation(
            limit: configuration.limits.children,
            principalLimit: configuration.limits.childrenPerPrincipal ?? .max
        )
        _ = apply(configuration)
    }

    /// The names of the servers of this process.
    var hostedNames: [String] { hosted.map(\.name) }

    /// Makes the servers those of a configuration.
    ///
    /// - Returns: The servers that are no longer offered, or no longer as they were.
    func apply(_ configuration: GatewayConfiguration) -> [any Backend] {
        population.change(
            limit: configuration.limits.children,
            principalLimit: configuration.limits.childrenPerPrincipal ?? .max
        )
        let confinement = Confinement(configuration, in: environment)
        var kept: [String: Configured] = [:]
        var servers: [any Backend] = []
        for server in configuration.servers where server.isEnabled {
            // Off loopback nobody is known apart, so that nothing may stay in a process between two calls.
            let isolation = server.isolation ?? (configuration.bindsToLoopback ? .principal : .call)
            let key = ServerKey(
                server: server,
                isolation: isolation,
                egress: configuration.egress
            )
            let known = configured[server.name].flatMap { $0.key == key ? $0 : nil }
            known?.backend.adopt(configuration.limits, configuration.timeouts, confinement)
            let one = known ?? Configured(key: key, backend: backend(key, configuration, confinement))
            kept[server.name] = one
            servers.append(one.backend)
        }
        var gone: [any Backend] = configured.values
            .filter { kept[$0.key.server.name]?.backend !== $0.backend }.map(\.backend)
        configured = kept
        servers += hosted
        let single = configuration.defaultServer?.name ?? (servers.count == 1 ? servers[0].name : nil)
        let key = FederationKey(
            federation: single == nil ? configuration.federation : nil,
            members: servers.map { ObjectIdentifier($0) }
        )
        if key != federationKey {
            let next =
                single == nil
                ? configuration.federation(of: servers, places: memberPlaces, on: loop, log: log) : nil
            if let federation {
                if let next, key.federation == federationKey?.federation, next.has(allOf: federation) {
                    federation.beginGivingWay()
                    former.append(federation)
                } else {
                    gone = [federation] + former + gone
                    former = []
                }
            }
            federation = next
            federationKey = key
        } else {
            for one in everyFederation { one.settings = configuration.federationSettings(log: log) }
        }
        backends = servers + (federation.map { [$0] } ?? [])
        registry = Registry(backends, former: former, defaultName: single ?? federation?.name)
        registry.retired = retired.map(\.backend)
        warmUp(configured.values.map(\.backend)[...])
        return gone
    }

    private var everyFederation: [FederatedBackend] { former + (federation.map { [$0] } ?? []) }

    /// All that may have conversations but those that are retired.
    var everyBackend: [any Backend] { backends + former }

    private func backend(
        _ key: ServerKey,
        _ configuration: GatewayConfiguration,
        _ confinement: Confinement
    ) -> ServerBackend {
        let context = ServerContext(
            server: key.server,
            limits: configuration.limits,
            loop: loop,
            timeouts: configuration.timeouts,
            tracer: tracer,
            log: log
        )
        if let endpoint = key.server.remote {
            return ServerBackend(context, isolation: key.isolation, endpoint: endpoint, egress: key.egress)
        }
        return ServerBackend(
            context,
            isolation: key.isolation,
            spawner: spawner,
            confinement: confinement,
            population: population
        )
    }

    /// Finds out what the servers speak, one after the other, so that the start is no storm of processes.
    ///
    /// A server that somebody asks for in the meantime is looked at at once.
    private func warmUp(_ rest: ArraySlice<ServerBackend>) {
        guard let next = rest.first else { return }
        guard configured[next.name]?.backend === next, !next.isKnown else { return warmUp(rest.dropFirst()) }
        next.warmUp { [weak self] in
            self?.loop.onNextTurn { self?.warmUp(rest.dropFirst()) }
        }
    }

    // MARK: Those that are no longer offered

    /// Lets a server finish what it is doing.
    ///
    /// - Parameters:
    ///   - backend: The server; nobody finds it any more.
    ///   - sessions: Its sessions; nobody finds them any more.
    ///   - grace: Milliseconds that it has.
    func retire(_ backend: any Backend, _ sessions: [Session], within grace: UInt64) {
        backend.beginStopping()
        for session in sessions {
            // A channel ends by itself when what was asked on it is answered.
            for stream in session.streams.values where stream.isGeneral && stream !== session.channel {
                stream.finish()
            }
        }
        retired.append(RetiredServer(backend: backend, sessions: sessions, deadline: loop.now &+ grace))
    }

    /// Ends what has finished, or had its time; to be called about every second.
    func sweep(now: UInt64) {
        for backend in everyBackend { backend.sweep(now: now) }
        former.removeAll { $0.isEmpty }
        guard !retired.isEmpty else { return }
        for server in retired { server.sweep(now: now) }
        retired.removeAll { $0.hasEnded }
    }

    /// Ends the conversations of modern callers that nobody needs now, and their processes; how many.
    func cleanUp() -> Int {
        configured.values.reduce(0) { $0 + $1.backend.endUnneeded() }
    }

    /// Ends all servers; calls back when no process is left.
    func end(_ completion: @escaping () -> Void) {
        for server in retired { server.endNow() }
        let all = everyBackend + retired.map(\.backend)
        var waiting = all.count
        guard waiting > 0 else { return completion() }
        for backend in all {
            backend.end {
                waiting -= 1
                if waiting == 0 { completion() }
            }
        }
    }
}

/// A server that finishes what it was doing when the configuration changed.
private final class RetiredServer {
    let backend: any Backend
    private var sessions: [Session]
    private let deadline: UInt64
    private var isEnding = false
    private(set) var hasEnded = false

    init(backend: any Backend, sessions: [Session], deadline: UInt64) {
        self.backend = backend
        self.sessions = sessions
        self.deadline = deadline
    }

    func sweep(now: UInt64) {
        let isLate = now >= deadline
        for session in sessions where isLate || !session.foundation.isBusy { session.end() }
        sessions.removeAll(where: \.hasEnded)
        guard sessions.isEmpty, isLate || !backend.isBusy, !isEnding else { return }
        isEnding = true
        backend.end { self.hasEnded = true }
    }

    func endNow() {
        for session in sessions { session.end() }
        sessions = []
    }
}
