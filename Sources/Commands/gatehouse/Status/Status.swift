// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import FoundationEssentials
import Glibc
import JSON

/// `gatehouse status`: asks a running gateway what it is at.
enum Status {
    private static let usage = """
        Shows what a running gateway is at: its servers, their processes or the lines to them, its sessions.

        Usage: gatehouse status [--json] [URL]

          URL      where the gateway listens; http://127.0.0.1:8080 if not given
          --json   what the gateway answers, as it is

        A gateway tells all of it only to this machine, and nothing where "metrics" is turned off.

        Exit status: 0 if the gateway answered, 1 if it did not, 2 for a mistake in the command line.
        """

    static func run(arguments: [String]) -> Int32 {
        var arguments = arguments
        let urls = arguments.filter { !$0.hasPrefix("-") }
        arguments.removeAll { !$0.hasPrefix("-") }
        do throws(Options.Misuse) {
            let options = try Options(arguments, valued: [], flags: ["--json", "--help", "-h"])
            if options.has("--help") || options.has("-h") {
                print(usage)
                return 0
            }
            guard urls.count <= 1 else { throw Options.Misuse(message: "it asks one gateway") }
            let url = try address(urls.first ?? "http://127.0.0.1:8080")
            return show(url, asJSON: options.has("--json"))
        } catch {
            Terminal.say("gatehouse status: \(error.message); see gatehouse status --help")
            return 2
        }
    }

    /// Where a gateway says what it is at; a path such as `/mcp` is left out, since people copy addresses of servers.
    static func address(_ text: String) throws(Options.Misuse) -> String {
        let whole = text.contains("://") ? text : "http://\(text)"
        guard let scheme = ["http://", "https://"].first(where: whole.hasPrefix) else {
            throw Options.Misuse(message: "the URL is neither http nor https")
        }
        let host = whole.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !host.isEmpty else { throw Options.Misuse(message: "the URL names no host") }
        return "\(scheme)\(host)/api/session_metrics"
    }

    private static func show(_ url: String, asJSON: Bool) -> Int32 {
        do throws(StatusFailure) {
            let bytes = try StatusQuestion.ask(url)
            guard let status = try? JSONValue(bytes.span), status["active_sessions"] != nil else {
                throw StatusFailure(description: "\(url) does not answer as a gateway does")
            }
            if asJSON {
                print(String(decoding: bytes, as: UTF8.self))
            } else {
                print(StatusText.of(status, Style(of: STDOUT_FILENO)))
            }
            return 0
        } catch {
            Terminal.say("gatehouse status: \(Style.safe(error.description))")
            return 1
        }
    }
}
