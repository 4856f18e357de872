// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import FoundationEssentials
import JSON

/// `gatehouse inspect`: shows what a server offers, and calls it, from the terminal.
enum Inspect {
    private static let usage = """
        Shows what an MCP server offers, and calls it.

        Usage: gatehouse inspect [OPTION…] URL [WHAT]
               gatehouse inspect [OPTION…] [WHAT] -- COMMAND [ARGUMENT…]

        The server is at a URL (Streamable HTTP, or HTTP+SSE), or a COMMAND that is started for this and
        spoken to over its standard input and output, with the environment of this shell.

        WHAT is one of these; without it, a prompt that takes them line by line, or, where standard
        input or output is no terminal, everything that the server offers:
          overview                   everything that the server offers
          tools                      the tools, with their parameters
          tool NAME                  one tool, with its schemas
          resources                  the resources
          templates                  the templates of resources
          prompts                    the prompts, with their arguments
          call NAME [KEY=VALUE…]     call a tool; a VALUE is JSON where the tool wants something other
          call NAME '{…}'            than text, and all arguments may be given as one JSON object
          read URI                   read a resource
          prompt NAME [KEY=VALUE…]   fill in a prompt
          subscribe [tools|prompts|resources|URI]…   show changes until Ctrl-C
          METHOD [KEY=VALUE… | '{…}']   any method of the protocol, such as completion/complete;
                                     the result is shown as JSON
          shell                      the prompt, also for a script on standard input

        Options:
          --era auto|legacy|modern   which era of the protocol to speak: auto (the default) asks the
                                     server; modern is 2026-07-28, legacy is all before it
          --header 'NAME: VALUE'     an HTTP header to send with every request; may be repeated
          --json                     show results as JSON, whole, each on one line, for scripts
          --timeout SECONDS          how long to wait for each answer; 60 if not given
          --log-level LEVEL          from which level on the server should send log messages
          --root DIRECTORY           a directory that the server may know of; may be repeated
          --answer KEY=JSON          the answer to a question of the server, so that nobody is asked;
                                     KEY is the question's key, a field of the form, or one of
                                     elicitation, sampling, roots; may be repeated
          --answers FILE             a JSON object of such answers
          --tasks                    let the server make tasks of long calls, and stay with them
          --framing auto|newline|content-length   how a COMMAND tells messages apart
          --verbose                  also show what a command writes to its standard error, and
                                     warnings
          --help                     this text

        When the server asks something, you are asked, on standard error; the answer is read from
        standard input. No URL is ever opened.

        Results go to standard output, everything else (progress, log messages, questions, warnings) to
        standard error. There are colours on a terminal, unless NO_COLOR is set. Ctrl-C ends a call,
        and the program if it is pressed again.

        Exit status: 0 if all went well; 1 if not, also if a tool reports an error; 2 for bad usage.

        Examples:
          gatehouse inspect http://127.0.0.1:8080/mcp
          gatehouse inspect http://127.0.0.1:8080/mcp/time call get_current_time timezone=Europe/Oslo
          gatehouse inspect tools --json -- uvx mcp-server-git --repository .
          gatehouse inspect http://127.0.0.1:8080/mcp call book --answer elicitation='{"seats":2}'
        """

    static func run(arguments: [String]) -> Int32 {
        let command: InspectCommand
        var answers = PreparedAnswers()
        do throws(Options.Misuse) {
            guard let parsed = try InspectCommand(arguments) else {
                print(usage)
                return 0
            }
            command = parsed
            for file in parsed.answerFiles { try read(file, into: &answers) }
            for answer in parsed.answers { answers.add(answer.name, answer.value) }
        } catch {
            Terminal.say("gatehouse inspect: \(error.message); see gatehouse inspect --help")
            return 2
        }
        do {
            let loop = try EventLoop(name: "gatehouse")
            let run = InspectRun(command, answers: answers, on: loop)
            let bound = LoopBound(run, loop)
            loop.post { bound.value.begin() }
            loop.run()
            return run.status
        } catch {
            Terminal.say("gatehouse inspect: \(error)")
            return 1
        }
    }

    private static func read(_ file: String, into answers: inout PreparedAnswers) throws(Options.Misuse) {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw Options.Misuse(message: "the file \"\(file)\" cannot be read")
        }
        guard let value = try? JSONValue(Array(data).span), answers.add(value) else {
            throw Options.Misuse(message: "the file \"\(file)\" is no JSON object")
        }
    }
}
