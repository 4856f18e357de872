// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Configuration
import Diagnostics
import EventLoop
import FoundationEssentials
import Frontends

/// `gatehouse serve`: runs a gateway until it is told to stop.
enum Serve {
    private static let usage = """
        Offers the servers of a configuration, over HTTP to many clients or by pipes to one.

        Usage: gatehouse serve [OPTION…] [FILE]

          FILE, --config FILE
                             the configuration; else gatehouse.json here, or one of the files that
                             other clients use (mcp.json, .mcp.json, .vscode/mcp.json, …)
          --host ADDRESS     listen on this address instead of the configured one
          --port NUMBER      listen on this port; 0 for any that is free
          --mode http        listen for clients; what is done if no mode is given
          --mode stdio       serve the one client on standard input and output
          --server NAME      with --mode stdio: the server to serve; else the default one, the only
                             one, or all of them as one
          --log-level LEVEL  debug, info, warning or error; else what the configuration says

        SIGTERM and SIGINT end it in order; a second one ends it at once. SIGHUP, or a change of the file,
        makes it use another configuration. With --mode stdio it also ends with its input, or when the
        session's server is changed or taken away, and standard output carries nothing but the protocol.
        """

    static func run(arguments: [String]) -> Int32 {
        do throws(Options.Misuse) {
            let options = try Options(
                arguments,
                valued: ["--config", "--host", "--port", "--mode", "--server", "--log-level"],
                flags: ["--help", "-h"],
                operand: "--config"
            )
            if options.has("--help") || options.has("-h") {
                print(usage)
                return 0
            }
            switch options["--mode"] {
            case nil, "http":
                guard options["--server"] == nil else {
                    throw Options.Misuse(message: "--server is for --mode stdio")
                }
                return serve(options, try options.logLevel(), try options.overrides())
            case "stdio":
                guard options["--host"] == nil, options["--port"] == nil else {
                    throw Options.Misuse(message: "--host and --port are for --mode http")
                }
                return servePipes(options, try options.logLevel())
            case "api":
                throw Options.Misuse(message: "--mode api serves agents, which this version does not have")
            case let mode?:
                throw Options.Misuse(message: "there is no mode \"\(mode)\": it is http or stdio")
            }
        } catch {
            Terminal.say("gatehouse serve: \(error.message); see gatehouse serve --help")
            return 2
        }
    }

    private static func serve(
        _ options: Options,
        _ level: LogLevel?,
        _ overrides: ConfigurationOverrides
    ) -> Int32 {
        let environment = ConfigurationEnvironment.current(variables: ProcessInfo.processInfo.environment)
        let report = ConfigurationReader.load(options["--config"], overrides: overrides, in: environment)
        for issue in report.issues { Terminal.say(issue.description) }
        guard report.mayStart else { return 2 }
        if let problem = ListenerSecurity.problem(of: report.configuration)
            ?? Confinement.problem(of: report.configuration, in: environment)
        {
            Terminal.say("gatehouse serve: \(problem)")
            return 2
        }
        let run = ServeRun(
            report.configuration,
            environment,
            Log(report.configuration.logOutput(level), subsystem: .gateway),
            // The well-known file that was found stays the one that is read again.
            reloading: Reloading.Source(
                path: report.configuration.file ?? options["--config"],
                overrides: overrides
            )
        )
        return run.untilItEnds()
    }

    private static func servePipes(_ options: Options, _ level: LogLevel?) -> Int32 {
        let environment = ConfigurationEnvironment.current(variables: ProcessInfo.processInfo.environment)
        // Nobody listens, so that it does not matter where the file says to.
        let overrides = ConfigurationOverrides(host: "127.0.0.1")
        let report = ConfigurationReader.load(options["--config"], overrides: overrides, in: environment)
        for issue in report.issues { Terminal.say(issue.description) }
        guard report.mayStart else { return 2 }
        let name = options["--server"]
        let configuration = forPipes(report.configuration, server: name)
        if let name, configuration.servers.isEmpty {
            Terminal.say("gatehouse serve: there is no server \"\(name)\" in the configuration")
            return 2
        }
        let run = PipeRun(
            configuration,
            server: name,
            environment,
            Log(configuration.logOutput(level), subsystem: .gateway),
            reloading: Reloading.Source(
                path: report.configuration.file ?? options["--config"],
                overrides: overrides
            ) { forPipes($0, server: name) }
        )
        return run.untilItEnds()
    }

    /// What of a configuration is for one client on pipes: nothing of listening, and perhaps one server only.
    private static func forPipes(
        _ configuration: GatewayConfiguration,
        server name: String?
    ) -> GatewayConfiguration {
        let plain = GatewayConfiguration()
        var configuration = configuration
        configuration.port = plain.port
        configuration.publicURL = plain.publicURL
        configuration.tls = plain.tls
        configuration.trustedProxies = plain.trustedProxies
        // What lasts belongs to the gateways that listen: its sessions end with this program.
        configuration.state = nil
        if let name {
            configuration.servers.removeAll { $0.name != name || !$0.isEnabled }
            configuration.statedDefault = nil
        }
        return configuration
    }
}
