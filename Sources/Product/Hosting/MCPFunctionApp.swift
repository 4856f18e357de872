// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Configuration
import Diagnostics
import EventLoop
import FoundationEssentials
import Frontends
import Gateway
import JSON
public import MCPServer

/// A gateway inside a program: offers servers over HTTP, by a configuration file, by values, or written in Swift.
///
/// It begins with `start`, or with `run`, which ends with its task; `stop` takes nothing new, lets what is being answered
/// finish, and ends every process. What it offers is fixed when it is made; it can be started again.
public final class MCPFunctionApp: Sendable {
    private let mode: MCPMode
    private let configuration: GatewayConfiguration
    /// What was found wrong with it, and does not keep it from starting.
    private let issues: [ConfigurationIssue]
    private let keys: AccessKeys?
    private let hosted: [(name: String, server: MCPServer)]
    private let state = Locked(State())

    private struct State {
        var run: GatewayRun?
        var url: String?
        var isStopping = false
        /// Others that have asked for the end, too.
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// Reads what is to be offered, and starts nothing.
    ///
    /// With neither a server nor a file nor hosted ones, the well-known configuration files are looked for. A mistake in one
    /// server of a file keeps only that server from being used; the log says so at the start.
    ///
    /// - Parameters:
    ///   - mode: How the server is reached.
    ///   - server: A server that is a program; it goes before `configurationFile`.
    ///   - configurationFile: A configuration (docs/configuration.md).
    ///   - accessLevel: Who may use it. Without a key, `function` is refused.
    ///   - hosted: Servers written in Swift, by the names under which they are offered.
    ///   - host: The address to listen on; nil leaves it to the configuration, else it is 127.0.0.1.
    ///   - hosts: What clients may write in `Host`, besides what the configuration says: `mcp.example.com`, with a port or
    ///     without one for any. An address that other machines can reach needs one.
    ///   - port: The port, 0 for any that is free; nil leaves it to the configuration, else it is 8080.
    /// - Throws: `ServingFailure` with every mistake that keeps it from starting.
    public init(
        mode: MCPMode = .stdio,
        server: MCPStdioConfiguration? = nil,
        configurationFile: String? = nil,
        accessLevel: MCPAccessLevel = .function(keys: []),
        hosted: [(name: String, server: MCPServer)] = [],
        host: String? = nil,
        hosts: [String] = [],
        port: UInt16? = nil
    ) throws {
        self.mode = mode
        self.hosted = hosted
        switch accessLevel {
        case .anonymous: keys = nil
        case .function(let given):
            guard let read = AccessKeys(given) else {
                throw ServingFailure(
                    description:
                        "accessLevel .function needs keys, none of them empty; say .anonymous to do without"
                )
            }
            keys = read
        }
        let environment = ConfigurationEnvironment.current(variables: ProcessInfo.processInfo.environment)
        var overrides = ConfigurationOverrides(host: host, port: port)
        overrides.hosts = hosts
        overrides.prefix = ""
        let report: ConfigurationReport
        if server == nil, configurationFile != nil || hosted.isEmpty {
            // Keys say who is let in. Where there are none, the file has to say that everybody is.
            if keys != nil { overrides.authentication = Authentication.none }
            report = ConfigurationReader.load(configurationFile, overrides: overrides, in: environment)
            configuration = try Self.checked(report, report.mayStart)
        } else {
            // The access level has said who is let in.
            overrides.authentication = Authentication.none
            report =
                server.map {
                    ConfigurationReader.read(
                        $0.document.text(),
                        file: $0.name,
                        overrides: overrides,
                        in: environment
                    )
                } ?? ConfigurationReader.withoutFile("MCPFunctionApp", overrides, in: environment)
            // The only server there is: what is wrong with it is wrong with all.
            configuration = try Self.checked(report, report.isValid)
        }
        issues = report.issues
        if let problem = ListenerSecurity.problem(of: configuration)
            ?? Confinement.problem(of: configuration, in: environment)
        {
            throw ServingFailure(description: problem)
        }
        let names = hosted.map(\.name) + configuration.servers.filter(\.isEnabled).map(\.name)
        let counts = Dictionary(names.map { ($0, 1) }, uniquingKeysWith: +)
        if let name = names.first(where: { counts[$0] != 1 }) {
            throw ServingFailure(description: "two servers have the name \(name)")
        }
    }

    private static func checked(
        _ report: ConfigurationReport,
        _ isGood: Bool
    ) throws(ServingFailure) -> GatewayConfiguration {
        guard !isGood else { return report.configuration }
        let errors = report.issues.filter { $0.severity == .error }
        throw ServingFailure(description: errors.map(\.description).joined(separator: "\n"))
    }

    /// Starts listening.
    ///
    /// - Returns: Where clients find it, without a path.
    /// - Throws: `ServingFailure` if it runs already or cannot listen.
    public func start() async throws -> String {
        try await start(loggingTo: LogOutput.toStandardError)
    }

    /// Starts listening; the lines of the log go to `sink`.
    func start(loggingTo sink: @escaping @Sendable ([UInt8]) -> Void) async throws -> String {
        let run = try GatewayRun.make()
        let isFirst = state.withLock { state in
            guard state.run == nil else { return false }
            state.run = run
            return true
        }
        guard isFirst else {
            run.abandon()
            throw ServingFailure(description: "it runs already")
        }
        do {
            let log = Log(configuration.logOutput(usual: .warning, sink: sink), subsystem: .gateway)
            for issue in issues {
                if issue.severity == .error { log.error("\(issue)") } else { log.warning("\(issue)") }
            }
            let url = try await run.start(configuration, hosting: hosted, keys: keys, log: log)
            state.withLock { $0.url = url }
            return url
        } catch {
            state.withLock { $0 = State() }
            throw error
        }
    }

    /// Ends it; returns when nothing of it runs any more.
    ///
    /// Harmless if it does not run, or has not said yet where it listens.
    public func stop() async {
        let found = state.withLock { state -> GatewayRun? in
            guard state.url != nil, !state.isStopping else { return nil }
            state.isStopping = true
            return state.run
        }
        guard let found else { return await ended() }
        await found.stop()
        let waiting = state.withLock { state in
            defer { state = State() }
            return state.waiting
        }
        for one in waiting { one.resume() }
    }

    /// Waits for the end, if somebody else has asked for it.
    private func ended() async {
        await withCheckedContinuation { continuation in
            let isWaiting = state.withLock { state in
                if state.isStopping { state.waiting.append(continuation) }
                return state.isStopping
            }
            if !isWaiting { continuation.resume() }
        }
    }

    /// Runs until the task is cancelled.
    ///
    /// - Parameter onReady: Is told where clients find it, once.
    /// - Throws: `ServingFailure` if it runs already or cannot listen.
    public func run(onReady: @Sendable (_ url: String) -> Void = { _ in }) async throws {
        onReady(try await start())
        await untilCancelled()
        await stop()
    }

    /// What it is at.
    public var status: MCPServerStatus {
        get async {
            let (run, url, isStopping) = state.withLock { ($0.run, $0.url, $0.isStopping) }
            guard let run, let url, let status = await run.status() else {
                return MCPServerStatus(isStopping ? .stopping : .stopped, mode, url: nil, nil)
            }
            return MCPServerStatus(isStopping ? .stopping : .running, mode, url: url, status)
        }
    }
}
