// Gatehouse. SPDX-License-Identifier: MIT

import Backends
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
          --log-level LEVEL  debug, info, warning or error; else what the configuration says

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
            Log(report.configuration.logOutput(level), subsystem: "gateway")
        )
        return run.untilItEnds()
    }
}
