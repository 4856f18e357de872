// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Diagnostics
import EventLoop
import FoundationEssentials
import Frontends
import Glibc
import MCPServer

/// One run of the gateway, with the signals that end it.
///
/// The loop's.
final class ServeRun {
    private let configuration: GatewayConfiguration
    private let environment: ConfigurationEnvironment
    /// Servers of this process, offered besides those of the configuration.
    private let hosted: [(name: String, server: MCPServer)]
    private let log: Log
    private var server: GatewayServer?
    private var signals: [SignalWatcher] = []
    private var reloading: Reloading?
    /// Where the configuration came from, if it is read again; nil for one that was never a file.
    private let reload: Reloading.Source?
    /// The exit status, once the loop has ended.
    private(set) var status: Int32 = 0

    init(
        _ configuration: GatewayConfiguration,
        hosting hosted: [(name: String, server: MCPServer)] = [],
        _ environment: ConfigurationEnvironment,
        _ log: Log,
        reloading reload: Reloading.Source? = nil
    ) {
        self.reload = reload
        self.configuration = configuration
        self.hosted = hosted
        self.environment = environment
        self.log = log
    }

    /// Runs the gateway on this thread until a signal ends it; the exit status.
    func untilItEnds() -> Int32 {
        DescriptorLimit.raise()
        Allocator.keepFreedMemory()
        let loop: EventLoop
        do {
            loop = try EventLoop(name: "gatehouse")
        } catch {
            Terminal.say("gatehouse: \(error)")
            return 1
        }
        let bound = LoopBound(self, loop)
        loop.post { bound.value.begin(on: loop) }
        loop.run()
        return status
    }

    func begin(on loop: EventLoop) {
        do {
            for signal in [SIGTERM, SIGINT] {
                signals.append(try SignalWatcher(loop, signal: signal) { [weak self] in self?.end(loop) })
            }
            let server = try GatewayServer(
                configuration,
                hosting: hosted,
                in: environment,
                on: loop,
                log: log
            )
            self.server = server
            reloading = try reload.map { source in
                try Reloading(source, in: environment, on: loop, log: log) { [weak self] in
                    self?.server?.reload($0)
                }
            }
            announce(server)
        } catch {
            Terminal.say("gatehouse: \(error)")
            status = 1
            loop.stop()
        }
    }

    private func end(_ loop: EventLoop) {
        guard let server else { return loop.stop() }
        log.info("stopping")
        reloading?.close()
        self.server = nil
        server.stop { [stopped = server] in
            _ = stopped
            loop.stop()
        }
    }

    /// Says where the gateway is, and what to do with that.
    private func announce(_ server: GatewayServer) {
        let enabled = configuration.servers.filter(\.isEnabled)
        let names = enabled.map(\.name) + hosted.map(\.name)
        let defaultName = server.defaultName
        let isFederated = defaultName.map { !names.contains($0) } ?? false
        let url = server.url
        Terminal.say("listening on \(url)")
        for name in names {
            Terminal.say("  \(name): \(url)/mcp/\(name)" + (name == defaultName ? " and \(url)/mcp" : ""))
        }
        if isFederated { Terminal.say("  together: \(url)/mcp") }
        let broken = Set(enabled.filter { $0.problem != nil }.map(\.name))
        guard var first = names.first(where: { !broken.contains($0) }) else { return }
        var endpoint = "\(url)/mcp/\(first)"
        if isFederated { (first, endpoint) = ("gatehouse", "\(url)/mcp") }
        let program = CommandLine.arguments.first ?? "gatehouse"
        Terminal.say(
            """

            VS Code (.vscode/mcp.json):
              { "servers": { "\(first)": { "type": "http", "url": "\(endpoint)" } } }
            Claude Code:
              claude mcp add --transport http \(first) \(endpoint)
            Try it:
              \(program) inspect \(endpoint)
            """
        )
    }
}
