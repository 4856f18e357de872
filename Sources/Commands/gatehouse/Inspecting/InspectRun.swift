// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Children
import EventLoop
import FoundationEssentials
import Glibc
import JSON
import JSONRPC
import MCPClient
import MCPCore

/// One run of `gatehouse inspect`: connects, does what was asked, ends.
///
/// It is the loop's.
final class InspectRun {
    let command: InspectCommand
    let talk: Talk
    let style = Style(of: 1)
    let lines: LineSource
    let asker: Asker
    /// The exit status, once the loop has ended.
    private(set) var status: Int32 = 0
    let loop: EventLoop
    private var signals: SignalWatcher?
    private(set) var client: MCPClient?
    private var shell: InspectShell?
    /// Is told the status of what is being done.
    private var onDone: ((Int32) -> Void)?
    /// The subscription that a `subscribe` on the command line is.
    var subscription: MCPSubscription?
    private var isEnding = false
    /// Whether the running call was interrupted.
    private var isInterrupted = false
    /// Whether standard output has refused something.
    private var hasLostOutput = false

    init(_ command: InspectCommand, answers: PreparedAnswers, on loop: EventLoop) {
        self.command = command
        self.loop = loop
        talk = Talk(isVerbose: command.isVerbose)
        lines = LineSource(loop)
        asker = Asker(answers, roots: command.roots.map(Self.uri), lines, talk)
    }

    /// The URI of a directory, whether it exists or not, without a slash at its end.
    private static func uri(_ directory: String) -> String {
        let uri = URL(fileURLWithPath: directory).standardizedFileURL.absoluteString
        return uri.hasSuffix("/") && uri != "file:///" ? String(uri.dropLast()) : uri
    }

    func begin() {
        signals = try? SignalWatcher(loop, signal: SIGINT) { [weak self] in self?.interrupt() }
        guard let target = target() else { return end(1) }
        var options = MCPClient.Options(identity: identity)
        options.era = command.era
        options.requestTimeout = command.timeout
        options.connectTimeout = min(command.timeout, 30_000)
        let client = MCPClient(target, options: options, on: loop)
        self.client = client
        client.onEvent = { [talk] in talk.event($0) }
        client.onRequest = { [asker] in asker.take($0) }
        asker.onIdle = { [weak self] in self?.shell?.prompt() }
        client.connect { [weak self] outcome in
            switch outcome {
            case .success(let server): self?.connected(server)
            case .failure(let error): self?.fail(error)
            }
        }
    }

    /// Who we are: what is declared here, `Asker` answers.
    private var identity: ClientIdentity {
        var identity = ClientIdentity(name: "gatehouse-inspect", version: GatewayIdentity.version)
        identity.logLevel = command.logLevel ?? (command.isVerbose ? "debug" : "info")
        var capabilities: [JSONValue.Member] = [
            .init("elicitation", ["form": [:], "url": [:]]), .init("sampling", [:]),
        ]
        if !command.roots.isEmpty { capabilities.append(.init("roots", [:])) }
        if command.usesTasks {
            capabilities.append(.init("extensions", .object([.init(TaskWatch.extension, [:])])))
        }
        identity.capabilities = .object(capabilities)
        return identity
    }

    private func connected(_ server: ServerDescription) {
        let wantsLevel = command.logLevel != nil || command.isVerbose
        if wantsLevel, server.era == .legacy, server.offers("logging") {
            client?.setLogLevel(identity.logLevel)
        }
        let isAttended = lines.isTerminal && style.isTerminal && !command.wantsJSON
        switch command.verb {
        case .shell: converse(server)
        case .unspecified where isAttended: converse(server)
        case .unspecified: perform(.overview, server) { [weak self] in self?.end($0) }
        case let verb: perform(verb, server) { [weak self] in self?.end($0) }
        }
    }

    private func converse(_ server: ServerDescription) {
        let shell = InspectShell(self, server)
        self.shell = shell
        shell.begin { [weak self] in self?.end($0) }
    }

    // MARK: One thing after the other

    /// Does one thing, and tells its status.
    func perform(
        _ verb: InspectCommand.Verb,
        _ server: ServerDescription,
        done: @escaping (Int32) -> Void
    ) {
        onDone = done
        isInterrupted = false
        begin(verb, server)
    }

    /// What was being done is over.
    func finish(_ status: Int32) {
        talk.endProgress()
        onDone.take()?(status)
    }

    /// Whether something is being done.
    var isBusy: Bool { onDone != nil }

    /// Ends the client in order, then the loop.
    func end(_ status: Int32) {
        guard !isEnding else { return }
        isEnding = true
        talk.endProgress()
        self.status = hasLostOutput ? 1 : status
        guard let client else { return loop.stop() }
        client.close { [loop] in loop.stop() }
    }

    func fail(_ error: MCPClientError) {
        guard !isEnding else { return }
        if command.wantsJSON { show(json: ["error": Self.value(of: error)]) }
        talk.failure(isInterrupted && error == .cancelled ? "interrupted" : advice(error))
        if onDone == nil { end(1) } else { finish(1) }
    }

    private static func value(of error: MCPClientError) -> JSONValue {
        guard case .refused(let failure, _) = error else { return ["message": .string("\(error)")] }
        let members: [JSONValue.Member] = [
            .init("code", .number(String(failure.code.value))), .init("message", .string(failure.message)),
        ]
        return .object(members + (failure.data.map { [.init("data", $0)] } ?? []))
    }

    /// Writes lines to standard output.
    func output(_ text: String) {
        talk.beside {
            if !Terminal.put(text + "\n", on: 1) { hasLostOutput = true }
        }
    }

    /// Writes a value to standard output, on one line.
    func show(json value: JSONValue) {
        output(String(decoding: value.text(), as: UTF8.self))
    }

    private func advice(_ error: MCPClientError) -> String {
        switch error {
        case .http(401, _), .refused(_, 401?), .http(403, _), .refused(_, 403?):
            "\(error); perhaps it wants --header 'Authorization: Bearer …'"
        case .http(404, _), .http(405, _): "\(error); is this the URL of an MCP endpoint?"
        case .timedOut: "\(error); --timeout gives it longer"
        default: error.description
        }
    }

    /// The first interrupt ends what is being done; where nothing is, or for the second time, it ends the program.
    private func interrupt() {
        if isEnding { exit(1) }
        if let subscription = subscription.take() {
            subscription.cancel()
            return finish(0)
        }
        talk.promptEnded()
        guard isBusy, !isInterrupted, let client else {
            if shell == nil || isBusy { talk.failure("interrupted") } else { talk.say("") }
            return end(shell == nil || isBusy ? 1 : shell?.status ?? 1)
        }
        isInterrupted = true
        if !client.cancelCalls() { fail(.cancelled) }
    }

    private func target() -> ServerTarget? {
        switch command.target {
        case .url(let url): return .http(url: url, fields: command.headers)
        case .command(let words):
            let environment = ProcessInfo.processInfo.environment
            guard let name = words.first, let path = ExecutableSearch.resolve(name, path: environment["PATH"])
            else {
                talk.failure("the command \"\(words.first ?? "")\" was not found")
                return nil
            }
            let child = ChildCommand(
                executable: path,
                arguments: Array(words.dropFirst()),
                environment: environment
            )
            let spawner = ChildSpawner(launcher: ChildSpawner.locateLauncher())
            return .process(child, spawner, framing: command.framing)
        }
    }
}
