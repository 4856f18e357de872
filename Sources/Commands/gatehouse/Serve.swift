// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Diagnostics
import EventLoop
import Foundation
import Frontends

/// `gatehouse serve`: runs a gateway until it is told to stop.
enum Serve {
    private static let usage = """
        Offers the servers of a configuration over HTTP.

        Usage: gatehouse serve [OPTION…]

          --config FILE      the configuration; else gatehouse.json here, or one of the files that
                             other clients use (mcp.json, .mcp.json, .vscode/mcp.json, …)
          --host ADDRESS     listen on this address instead of the configured one
          --port NUMBER      listen on this port; 0 for any that is free
          --mode http        the way clients come in; http is the only one in this version
          --log-level LEVEL  debug, info, warning or error; info if not given

        SIGTERM and SIGINT end it in order; a second one ends it at once.
        """

    static func run(arguments: [String]) -> Int32 {
        do throws(Options.Misuse) {
            let options = try Options(
                arguments,
                valued: ["--config", "--host", "--port", "--mode", "--log-level"],
                flags: ["--help", "-h"]
            )
            if options.has("--help") || options.has("-h") {
                print(usage)
                return 0
            }
            if let mode = options["--mode"], mode != "http" {
                throw Options.Misuse(message: "this version serves only --mode http")
            }
            return serve(options, try options.logLevel(), try overrides(options))
        } catch {
            Terminal.say("gatehouse serve: \(error.message); see gatehouse serve --help")
            return 2
        }
    }

    private static func overrides(_ options: Options) throws(Options.Misuse) -> ConfigurationOverrides {
        var overrides = ConfigurationOverrides(host: options["--host"])
        if let text = options["--port"] {
            guard let port = UInt16(text) else {
                throw Options.Misuse(message: "--port is a number up to 65535")
            }
            overrides.port = port
        }
        return overrides
    }

    /// Takes as many descriptors as the system lets us: a connection costs one, a child up to five.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    private static func serve(
        _ options: Options,
        _ level: LogLevel,
        _ overrides: ConfigurationOverrides
    ) -> Int32 {
        let environment = ConfigurationEnvironment.current(variables: ProcessInfo.processInfo.environment)
        let report = ConfigurationReader.load(options["--config"], overrides: overrides, in: environment)
        for issue in report.issues { Terminal.say(issue.description) }
        guard report.mayStart else { return 2 }
        raiseDescriptorLimit()
        Allocator.keepFreedMemory()
        let loop: EventLoop
        do {
            loop = try EventLoop(name: "gatehouse")
        } catch {
            Terminal.say("gatehouse serve: \(error)")
            return 1
        }
        let run = ServeRun(report.configuration, environment, Log(level: level, subsystem: "gateway"))
        let bound = LoopBound(run, loop)
        loop.post { bound.value.begin(on: loop) }
        loop.run()
        return run.status
    }
}

/// One run of the gateway, with the signals that end it.
///
/// The loop's.
private final class ServeRun {
    private let configuration: GatewayConfiguration
    private let environment: ConfigurationEnvironment
    private let log: Log
    private var server: GatewayServer?
    private var signals: [SignalWatcher] = []
    /// The exit status, once the loop has ended.
    private(set) var status: Int32 = 0

    init(_ configuration: GatewayConfiguration, _ environment: ConfigurationEnvironment, _ log: Log) {
        self.configuration = configuration
        self.environment = environment
        self.log = log
    }

    func begin(on loop: EventLoop) {
        do {
            for signal in [SIGTERM, SIGINT] {
                signals.append(try SignalWatcher(loop, signal: signal) { [weak self] in self?.end(loop) })
            }
            let server = try GatewayServer(configuration, in: environment, on: loop, log: log)
            self.server = server
            announce(server)
        } catch {
            Terminal.say("gatehouse serve: \(error)")
            status = 1
            loop.stop()
        }
    }

    private func end(_ loop: EventLoop) {
        guard let server else { return loop.stop() }
        log.info("stopping")
        self.server = nil
        server.stop { [stopped = server] in
            _ = stopped
            loop.stop()
        }
    }

    /// Says where the gateway is, and what to do with that.
    private func announce(_ server: GatewayServer) {
        let enabled = configuration.servers.filter(\.isEnabled)
        let url = server.url
        Terminal.say("listening on \(url)")
        for offered in enabled {
            let isDefault = configuration.defaultServer?.name == offered.name
            Terminal.say(
                "  \(offered.name): \(url)/mcp/\(offered.name)" + (isDefault ? " and \(url)/mcp" : "")
            )
        }
        guard let first = enabled.first(where: { $0.problem == nil }) else { return }
        let endpoint = "\(url)/mcp/\(first.name)"
        let program = CommandLine.arguments.first ?? "gatehouse"
        Terminal.say(
            """

            VS Code (.vscode/mcp.json):
              { "servers": { "\(first.name)": { "type": "http", "url": "\(endpoint)" } } }
            Claude Code:
              claude mcp add --transport http \(first.name) \(endpoint)
            Try it:
              \(program) inspect \(endpoint)
            """
        )
    }
}
