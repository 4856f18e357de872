// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import Foundation

/// `gatehouse inspect`: shows what a server offers, and calls it, from the terminal.
enum Inspect {
    private static let usage = """
        Shows what an MCP server offers, and calls it.

        Usage: gatehouse inspect [OPTION…] URL [WHAT]
               gatehouse inspect [OPTION…] [WHAT] -- COMMAND [ARGUMENT…]

        The server is at a URL (Streamable HTTP), or a COMMAND that is started for this and spoken to
        over its standard input and output, with the environment of this shell.

        WHAT is one of these; without it, everything that the server offers is shown:
          tools                      the tools, with their parameters
          resources                  the resources
          templates                  the templates of resources
          prompts                    the prompts, with their arguments
          call NAME [KEY=VALUE…]     call a tool; a VALUE is JSON where the tool wants something other
          call NAME '{…}'            than text, and all arguments may be given as one JSON object
          read URI                   read a resource
          prompt NAME [KEY=VALUE…]   fill in a prompt
          METHOD [KEY=VALUE… | '{…}']   any method of the protocol, such as completion/complete;
                                     the result is shown as JSON

        Options:
          --era auto|legacy|modern   which era of the protocol to speak: auto (the default) asks the
                                     server; modern is 2026-07-28, legacy is all before it
          --header 'NAME: VALUE'     an HTTP header to send with every request; may be repeated
          --json                     show results as JSON, whole, for scripts
          --timeout SECONDS          how long to wait for each answer; 60 if not given
          --verbose                  also show what a command writes to its standard error, and
                                     warnings
          --help                     this text

        Results go to standard output, everything else (progress, log messages, warnings) to standard
        error. There are colours on a terminal, unless NO_COLOR is set.

        Exit status: 0 if all went well; 1 if not, also if a tool reports an error; 2 for bad usage.

        Examples:
          gatehouse inspect http://127.0.0.1:8080/mcp
          gatehouse inspect http://127.0.0.1:8080/mcp/time call get_current_time timezone=Europe/Oslo
          gatehouse inspect tools --json -- uvx mcp-server-git --repository .
        """

    static func run(arguments: [String]) -> Int32 {
        let command: InspectCommand
        do throws(Options.Misuse) {
            guard let parsed = try InspectCommand(arguments) else {
                print(usage)
                return 0
            }
            command = parsed
        } catch {
            Terminal.say("gatehouse inspect: \(error.message); see gatehouse inspect --help")
            return 2
        }
        do {
            let loop = try EventLoop(name: "gatehouse")
            let run = InspectRun(command, on: loop)
            let bound = LoopBound(run, loop)
            loop.post { bound.value.begin() }
            loop.run()
            return run.status
        } catch {
            Terminal.say("gatehouse inspect: \(error)")
            return 1
        }
    }
}
