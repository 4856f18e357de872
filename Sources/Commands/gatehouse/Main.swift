// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Glibc

/// The program: one file for each subcommand.
@main
struct Main {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let rest = Array(arguments.dropFirst())
        switch arguments.first {
        case "serve": exit(Serve.run(arguments: rest))
        case "connect": exit(Connect.run(arguments: rest))
        case "check": exit(Check.run(arguments: rest))
        case "status": exit(Status.run(arguments: rest))
        case "inspect": exit(Inspect.run(arguments: rest))
        case "demo": exit(Demo.run(arguments: rest))
        case "everything": exit(Everything.run(arguments: rest))
        case "--version", "version":
            print("gatehouse \(GatewayIdentity.version)")
        case "--help", "-h", "help":
            print(usage)
        case nil:
            Terminal.say(usage)
            exit(2)
        case let word?:
            Terminal.say("gatehouse: there is no command \"\(word)\"; see gatehouse --help")
            exit(2)
        }
    }

    private static let usage = """
        Gatehouse offers MCP servers to many clients at once.

        Usage: gatehouse COMMAND [OPTION…]

          serve       offer the servers of a configuration, over HTTP or by pipes
          connect     make a remote server a local one
          check       say what is wrong with a configuration
          status      show what a running gateway is at
          inspect     list and call what a server offers, from the terminal
          demo        a small MCP server on stdio, to try a gateway with
          everything  a server with every feature of MCP, to test with
          version     print the version

        gatehouse COMMAND --help tells more about each.
        """
}
