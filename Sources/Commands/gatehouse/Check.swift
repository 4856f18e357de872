// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Configuration
import FoundationEssentials
import Frontends

/// `gatehouse check`: says what is wrong with a configuration, and starts nothing.
enum Check {
    private static let usage = """
        Says every mistake in a configuration, with its place and what would be right.

        Usage: gatehouse check [OPTION…] [FILE]

          FILE, --config FILE
                             the configuration; else gatehouse.json here, or one of the files that
                             other clients use (mcp.json, .mcp.json, .vscode/mcp.json, …)
          --host ADDRESS     check it for this address instead of the configured one
          --port NUMBER      check it for this port instead of the configured one

        Exit status: 0 if there is no mistake (there may be warnings), 2 if there is.
        """

    static func run(arguments: [String]) -> Int32 {
        do throws(Options.Misuse) {
            let options = try Options(
                arguments,
                valued: ["--config", "--host", "--port"],
                flags: ["--help", "-h"],
                operand: "--config"
            )
            if options.has("--help") || options.has("-h") {
                print(usage)
                return 0
            }
            return check(options["--config"], try options.overrides())
        } catch {
            Terminal.say("gatehouse check: \(error.message); see gatehouse check --help")
            return 2
        }
    }

    private static func check(_ path: String?, _ overrides: ConfigurationOverrides) -> Int32 {
        let environment = ConfigurationEnvironment.current(variables: ProcessInfo.processInfo.environment)
        let report = ConfigurationReader.load(path, overrides: overrides, in: environment)
        for issue in report.issues { print(issue.description) }
        let errors = report.issues.count { $0.severity == .error }
        var warnings = report.issues.count - errors
        guard report.isValid else {
            Terminal.say("\(count(errors, "mistake")), \(count(warnings, "warning"))")
            return 2
        }
        if let problem = ListenerSecurity.problem(of: report.configuration)
            ?? Confinement.problem(of: report.configuration, in: environment)
        {
            print("\(report.configuration.file ?? path ?? "gatehouse.json"): error: \(problem)")
            Terminal.say("\(count(1, "mistake")), \(count(warnings, "warning"))")
            return 2
        }
        let hints = Confinement(report.configuration, in: environment).hints(on: report.configuration)
        for hint in hints { print("warning: \(hint)") }
        warnings += hints.count
        let servers = report.configuration.servers.filter(\.isEnabled).count
        Terminal.say(
            "ok: \(count(servers, "server"))" + (warnings > 0 ? ", \(count(warnings, "warning"))" : "")
        )
        return 0
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
