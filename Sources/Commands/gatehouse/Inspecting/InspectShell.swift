// Gatehouse. SPDX-License-Identifier: MIT

import MCPClient
import MCPCore

/// Does what is typed, line by line.
///
/// It starts after the server is connected, and ends with `quit` or with the input. Its status is that of the last thing
/// that failed, so that a script notices.
final class InspectShell {
    private static let help = """
        overview                   everything that the server offers
        tools, resources, templates, prompts
        tool NAME                  one tool, with its schemas
        call NAME [KEY=VALUE…]     call a tool; or with all arguments as one JSON object
        read URI                   read a resource
        prompt NAME [KEY=VALUE…]   fill in a prompt
        subscribe [tools|prompts|resources|URI]…
                                   be told of changes while other things are done
        unsubscribe                no more of that
        level LEVEL                which log messages the server should send
        METHOD [KEY=VALUE…]        any method of the protocol
        help, quit
        """

    private weak var run: InspectRun?
    private let server: ServerDescription
    private(set) var status: Int32 = 0
    private var onEnd: ((Int32) -> Void)?
    private var subscriptions: [MCPSubscription] = []

    init(_ run: InspectRun, _ server: ServerDescription) {
        self.run = run
        self.server = server
    }

    func begin(_ end: @escaping (Int32) -> Void) {
        onEnd = end
        guard let run else { return }
        if run.lines.isTerminal {
            run.talk.say(Overview(style: run.talk.style).header(server))
            run.talk.say(run.talk.style.dim("Type help for what can be done, quit to end."))
        }
        prompt()
    }

    /// Waits for the next line, unless something is being done.
    func prompt() {
        guard let run, onEnd != nil, !run.isBusy, !run.asker.isAsking else { return }
        if run.lines.isTerminal { run.talk.prompt(run.talk.style.bold("> ")) }
        run.lines.next { [weak self] in self?.take($0) }
    }

    private func take(_ line: String?) {
        guard let run else { return }
        guard let line else {
            if run.lines.isTerminal { run.talk.say("") }
            return end()
        }
        guard let words = Words.split(line) else { return fail("a quote is not closed") }
        guard let first = words.first, !first.hasPrefix("#") else { return prompt() }
        let rest = Array(words.dropFirst())
        switch first {
        case "quit", "exit": end()
        case "help", "?":
            run.talk.say(Self.help)
            prompt()
        case "subscribe": subscribe(rest)
        case "unsubscribe":
            for subscription in subscriptions { subscription.cancel() }
            subscriptions = []
            prompt()
        case "level":
            guard let level = rest.first, rest.count == 1 else {
                return fail("a level must follow \"level\"")
            }
            let verb = InspectCommand.Verb.method("logging/setLevel", ["level=\(level)"])
            if server.era == .legacy { return perform(verb) }
            run.client?.setLogLevel(level)
            prompt()
        default:
            do throws(Options.Misuse) {
                perform(try InspectCommand.verb(words))
            } catch {
                fail(error.message + "; type help")
            }
        }
    }

    private func perform(_ verb: InspectCommand.Verb) {
        if verb == .shell { return prompt() }
        run?.perform(verb, server) { [weak self] status in
            guard let self else { return }
            if status != 0 { self.status = status }
            self.prompt()
        }
    }

    /// Subscribes, and goes on at once: changes are shown as they come.
    private func subscribe(_ words: [String]) {
        guard let run else { return }
        let filter = InspectRun.filter(words, server)
        guard !filter.isEmpty else { return fail("name a resource by its URI: no list is told of") }
        var hasBegun = false
        let subscription = run.client?.subscribe(filter) { [weak self, weak run] event in
            guard let self, let run else { return }
            run.show(event)
            if case .ended(let error?) = event {
                run.talk.failure("\(error)")
                self.status = 1
            }
            // The first word of it, so that a script's next line finds it in place.
            guard !hasBegun else { return }
            hasBegun = true
            self.prompt()
        }
        if let subscription { subscriptions.append(subscription) }
    }

    private func fail(_ text: String) {
        run?.talk.failure(text)
        status = 2
        prompt()
    }

    private func end() {
        onEnd.take()?(status)
    }
}
