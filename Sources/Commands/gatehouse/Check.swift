// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Configuration
import FoundationEssentials
import Frontends

/// `gatehouse check`: says what is wrong with a configuration, and starts nothing.
enum Check {
    private static let usage = """
        Says every mistake in a configuration, with its place and what would be right.

        Usage: gatehouse check [--config FILE | FILE]

        Exit status: 0 if there is no mistake (there may be warnings), 2 if there is.
        """

    static func run(arguments: [String]) -> Int32 {
        var arguments = arguments
        if arguments.count == 1, let path = arguments.first, !path.hasPrefix("-") {
            arguments = ["--config", path]
        }
        do throws(Options.Misuse) {
            let options = try Options(
                arguments,
                valued: ["--config", "--host", "--port"],
                flags: ["--help", "-h"]
            )
            if options.has("--help") || options.has("-h") {
                print(usage)
                return 0
            }
            return check(options["--config"])
        } catch {
            Terminal.say("gatehouse check: \(error.message); see gatehouse check --help")
            return 2
        }
    }

    private static func check(_ path: String?) -> Int32 {
        let environment = ConfigurationEnvironment.current(variables: ProcessInfo.processInfo.environment)
        let report = ConfigurationReader.load(path, in: environment)
        for issue in report.issues { print(issue.description) }
        let errors = report.issues.count { $0.severity == .error }
        var warnings = report.issues.count - errors
        guard report.isValid else {
            Terminal.say(
                "\(errors) mistake\(errors == 1 ? "" : "s"), \(warnings) warning\(warnings == 1 ? "" : "s")"
            )
            return 2
        }
        if let problem = ListenerSecurity.problem(of: report.configuration)
            ?? Confinement.problem(of: report.configuration, in: environment)
        {
            Terminal.say("error: \(problem)")
            return 2
        }
        let hints = Confinement(report.configuration, in: environment).hints(on: report.configuration)
        for hint in hints { print("warning: \(hint)") }
        warnings += hints.count
        let servers = report.configuration.servers.filter(\.isEnabled).count
        Terminal.say(
            "ok: \(servers) server\(servers == 1 ? "" : "s")" + (warnings > 0 ? ", \(warnings) warnings" : "")
        )
        return 0
    }
}
