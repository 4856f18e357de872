// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Children
package import Configuration
package import Diagnostics
package import EventLoop
import FoundationEssentials
package import Gateway
import HTTPServer
import HTTPWire
import JSONRPC
import MCPCore
package import MCPServer
import Sessions
import TLS
import Telemetry

/// A gateway that runs: its listener, its sessions and its servers, on one loop.
///
/// It starts listening when it is made, and finds out what its servers speak in the background. It ends with `stop`:
/// nothing new is taken, what is being answered may finish within `shutdownGrace`, then every process is ended.
package final class GatewayServer {
    let context: FrontendContext
    private let servers: ServerSet
    /// Where clients come in: one of these.
    private let front: any GatewayFront
    private let entrance: GatewayEntrance
    let server: HTTPServer?
    private let identity: TLSIdentity?
    private var configuration: GatewayConfiguration
    private let log: Log
    private let clock: LoopTimer
    private let exporter: SpanExporter?
    private var clockTicks = 0
    private var nextSweep: UInt64 = 0
    /// When the schedule of cleaning up was last looked at, in seconds since 1970.
    private var lastCleanUpLook: Int?
    private var graceTimer: LoopTimer?
    private var onStopped: (() -> Void)?
    private var hasEndedServers = false

    /// Each stream and call that waits is looked at once in so many ticks of the heartbeat.
    private static let slots = 15

    /// Starts a gateway; this must be the loop's thread.
    ///
    /// - Parameters:
    ///   - configuration: What to offer.
    ///   - hosted: Servers of this process that are offered besides, by name.
    ///   - keys: Keys of which requests must bring one; nil asks for none.
    ///   - environment: Where commands and variables are found.
    ///   - loop: Where it lives.
    ///   - log: Where it says what happens.
    ///   - entrance: How clients come in.
    /// - Throws: Why it cannot listen or speak TLS, or why its state is refused, in words.
    package init(
        _ configuration: GatewayConfiguration,
        hosting hosted: [(name: String, server: MCPServer)] = [],
        keys: AccessKeys? = nil,
        in environment: ConfigurationEnvironment,
        on loop: EventLoop,
        log: Log,
        entrance: GatewayEntrance = .http
    ) throws {
        self.configuration = configuration
        self.entrance = entrance
        self.log = log
        if case .http = entrance {
            identity = try ListenerSecurity.identity(of: configuration)
        } else {
            identity = nil
        }
        let names = hosted.map(\.name)
        let lasting = try LastingSessions.open(configuration, hosting: names, on: loop, log: log)
        let tracer = configuration.tracer(on: loop, log: log)
        exporter = tracer?.exporter
        let own = hosted.map { name, server in
            HostedBackend(
                server,
                name: name,
                capacity: configuration.limits.connections,
                timeout: ServerConfiguration(name: name).requestTimeout,
                ceiling: ServerConfiguration(name: name).requestTimeoutCeiling,
                on: loop
            )
        }
        servers = ServerSet(configuration, hosting: own, in: environment, on: loop, tracer: tracer, log: log)
        let pipeline = Pipeline(
            admission: Self.admission(configuration),
            proxies: ProxyTrust(configuration.trustedProxies),
            keys: keys,
            registry: servers.registry,
            sessions: SessionTable(
                capacity: configuration.limits.sessions,
                principalCapacity: configuration.limits.sessionsPerPrincipal ?? .max,
                lifetime: entrance.sessionLifetime(configuration.timeouts)
            ),
            records: Records(log: log, tracer: tracer)
        )
        context = FrontendContext(
            loop: loop,
            pipeline: pipeline,
            limits: configuration.limits,
            timeouts: configuration.timeouts,
            lasting: lasting,
            showsMetrics: configuration.metrics ?? configuration.bindsToLoopback,
            pathPrefix: configuration.publicPath,
            log: log
        )
        switch entrance {
        case .http:
            let listening = try HTTPServer(
                loop: loop,
                host: configuration.host,
                port: configuration.port,
                limits: Self.limits(configuration),
                identity: identity,
                secureFields: ListenerSecurity.fields(of: configuration),
                handler: GatewayHandler(context)
            )
            (front, server) = (listening, listening)
        case .pipes(let pipes):
            (front, server) = (try pipes.open(context), nil)
        }
        let ticker = Ticker()
        clock = LoopTimer(loop) { ticker.tick() }
        ticker.server = self
        let period = max(configuration.timeouts.heartbeat.wholeMilliseconds / UInt64(Self.slots), 10)
        clock.repeat(every: configuration.timeouts.heartbeat == .zero ? 1_000 : period)
        GatewayReadings.register(in: pipeline, of: server)
        if let warning = identity?.context.warning { log.warning("\(warning)") }
    }

    private static func admission(_ configuration: GatewayConfiguration) -> Admission {
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        return Admission(
            hosts: configuration.hosts + [host],
            origins: configuration.origins,
            allowsLoopback: configuration.bindsToLoopback
        )
    }

    /// Goes on with another configuration.
    ///
    /// Servers that stay the same keep their processes and sessions. Those that changed, or are gone, take nothing new and
    /// end when they have finished, or after `shutdownGrace`. What only a restart can change is said in the log and stays.
    package func reload(_ next: GatewayConfiguration) {
        guard !context.isDraining else { return }
        for (name, isSame) in configuration.fixedParts(comparedTo: next) where !isSame {
            log.warning("gateway.\(name) has changed, which takes effect after a restart")
        }
        let next = next.keepingFixedParts(of: configuration)
        log.learn(secrets: next.secrets)
        configuration = next
        context.limits = next.limits
        context.timeouts = next.timeouts
        context.pipeline.admission = Self.admission(next)
        context.pipeline.sessions.change(
            capacity: next.limits.sessions,
            principalCapacity: next.limits.sessionsPerPrincipal ?? .max,
            lifetime: entrance.sessionLifetime(next.timeouts)
        )
        context.lasting?.change(to: next, hosting: servers.hostedNames)
        server?.limits = Self.limits(next)
        let gone = servers.apply(next)
        context.pipeline.registry = servers.registry
        for backend in gone {
            let sessions = context.pipeline.sessions.retire(server: backend.name)
            context.pipeline.channels.drain(server: backend.name)
            servers.retire(backend, sessions, within: next.timeouts.shutdownGrace.wholeMilliseconds)
        }
        context.pipeline.registry.retired = servers.registry.retired
        front.reloaded()
        log.info("the configuration is used; servers that have changed or are gone: \(gone.count)")
    }

    /// The name of what answers at `/mcp`; nil if nothing does.
    ///
    /// That of a federation is no server's.
    package var defaultName: String? { context.pipeline.registry.defaultName }
    /// The port that it listens on.
    package var port: UInt16 { server?.port ?? 0 }

    /// Where clients find it, without a path.
    package var url: String {
        if let publicURL = configuration.publicURL { return publicURL }
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        return "\(configuration.tls == nil ? "http" : "https")://\(host):\(port)"
    }

    /// Ends the gateway; calls back when no connection and no process is left.
    package func stop(_ completion: @escaping () -> Void) {
        guard !context.isDraining else { return }
        context.isDraining = true
        onStopped = completion
        for session in context.pipeline.sessions.all {
            for stream in session.streams.values where stream.isGeneral && stream !== session.channel {
                stream.finish()
            }
        }
        context.pipeline.channels.drain()
        for backend in servers.everyBackend { backend.beginStopping() }
        graceTimer = LoopTimer(context.loop) { [weak self] in self?.graceIsOver() }
        graceTimer?.schedule(after: configuration.timeouts.shutdownGrace.wholeMilliseconds)
        front.drain { [weak self] in self?.endServers() }
    }

    /// Closes what connects it with its clients; to be called when it has stopped.
    package func close() {
        front.close()
    }

    /// What is still being answered is answered with an error, and nobody is waited for any more.
    private func graceIsOver() {
        endServers()
        context.loop.onNextTurn { [weak self] in self?.front.close() }
    }

    private func endServers() {
        guard !hasEndedServers else { return }
        hasEndedServers = true
        graceTimer?.close()
        clock.close()
        context.lasting?.suspend(context.pipeline.sessions.all, now: context.loop.now)
        context.pipeline.sessions.endAll()
        servers.end { [weak self] in self?.stopped() }
    }

    /// Milliseconds that the last spans may take to be sent.
    private static let exportGrace: UInt64 = 2_000

    private func stopped() {
        guard let completion = onStopped.take() else { return }
        let export = { [exporter] in
            guard let exporter else { return completion() }
            exporter.drain(within: Self.exportGrace, completion)
        }
        if let lasting = context.lasting { lasting.close(export) } else { export() }
    }

    // MARK: Time

    /// What has to be done every now and then: heartbeats, a fraction of the streams each time, and idle sessions.
    fileprivate func tick() {
        clockTicks += 1
        let slot = clockTicks % Self.slots
        if configuration.timeouts.heartbeat != .zero {
            for backend in servers.everyBackend { backend.heartbeat(slot: slot, of: Self.slots) }
            for session in context.pipeline.sessions.all where abs(session.id.hashValue % Self.slots) == slot
            {
                for stream in session.streams.values {
                    stream.outlet?.sendHeartbeat()
                }
            }
        }
        let now = context.loop.now
        guard now >= nextSweep else { return }
        nextSweep = now + 1_000
        renewIdentity()
        let idle = configuration.timeouts.session.wholeMilliseconds
        let registry = context.pipeline.registry
        servers.sweep(now: now)
        context.pipeline.registry.retired = servers.registry.retired
        cleanUpIfDue()
        context.lasting?.tick(context.pipeline.sessions.all, now: now)
        context.pipeline.channels.sweep(at: now)
        context.pipeline.sessions.sweep(at: now) { registry.find($0.server)?.sessionTimeout ?? idle }
    }

    /// At the times of `cleanupSchedule`, ends at once what would only end when it had been idle for long.
    private func cleanUpIfDue() {
        guard let schedule = configuration.cleanupSchedule else { return }
        let time = Int(Date().timeIntervalSince1970)
        let since = lastCleanUpLook ?? time - 1
        lastCleanUpLook = time
        guard schedule.isDue(after: since, upTo: time) else { return }
        log.info("cleaning up, as scheduled: \(servers.cleanUp()) conversations that nobody needs end")
    }

    /// Speaks TLS with new files, if there are any.
    private func renewIdentity() {
        guard let identity else { return }
        do {
            guard try identity.renewIfChanged() else { return }
            context.log.info("new connections use the certificate that has changed")
            if let warning = identity.context.warning { context.log.warning("\(warning)") }
        } catch {
            context.log.error("TLS goes on with the certificate that it has: \(error)")
        }
    }

    private static func limits(_ configuration: GatewayConfiguration) -> HTTPServerLimits {
        var limits = HTTPServerLimits()
        limits.wire.head = configuration.limits.head
        limits.wire.target = configuration.limits.target
        limits.wire.field = configuration.limits.field
        limits.wire.fieldCount = configuration.limits.fields
        limits.connections = configuration.limits.connections
        limits.head = configuration.timeouts.head.wholeMilliseconds
        limits.body = configuration.timeouts.body.wholeMilliseconds
        limits.idle = configuration.timeouts.idle.wholeMilliseconds
        limits.write = configuration.timeouts.write.wholeMilliseconds
        return limits
    }
}

/// Lets the clock be made before the server that it serves.
private final class Ticker {
    weak var server: GatewayServer?

    func tick() {
        server?.tick()
    }
}
