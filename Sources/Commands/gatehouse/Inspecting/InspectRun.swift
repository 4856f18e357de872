// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Children
import EventLoop
import Foundation
import JSON
import JSONRPC
import MCPClient

/// One run of `gatehouse inspect`: connects, does what was asked, ends.
///
/// It is the loop's.
final class InspectRun {
    let command: InspectCommand
    let talk: Talk
    let style = Style(of: 1)
    /// The exit status, once the loop has ended.
    private(set) var status: Int32 = 0
    private let loop: EventLoop
    private var signals: SignalWatcher?
    private(set) var client: MCPClient?
    private var isEnding = false
    /// Whether standard output has refused something.
    private var hasLostOutput = false

    init(_ command: InspectCommand, on loop: EventLoop) {
        self.command = command
        self.loop = loop
        talk = Talk(isVerbose: command.isVerbose)
    }

    func begin() {
        signals = try? SignalWatcher(loop, signal: SIGINT) { [weak self] in self?.interrupt() }
        guard let target = target() else { return end(1) }
        var identity = ClientIdentity(name: "gatehouse-inspect", version: GatewayIdentity.version)
        identity.logLevel = command.isVerbose ? "debug" : "info"
        var options = MCPClient.Options(identity: identity)
        options.era = command.era
        options.requestTimeout = command.timeout
        options.connectTimeout = min(command.timeout, 30_000)
        let client = MCPClient(target, options: options, on: loop)
        self.client = client
        client.onEvent = { [talk] in talk.event($0) }
        client.connect { [weak self] outcome in
            switch outcome {
            case .success(let server): self?.perform(server)
            case .failure(let error): self?.fail(error)
            }
        }
    }

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
        if case .refused(let failure, _) = error, command.wantsJSON {
            var value: JSONValue = [
                "code": .number(String(failure.code.value)), "message": .string(failure.message),
            ]
            if let data = failure.data, let members = value.members {
                value = .object(members + [.init("data", data)])
            }
            show(json: ["error": value])
        }
        talk.failure(advice(error))
        end(1)
    }

    /// Writes lines to standard output.
    func output(_ text: String) {
        if !Terminal.put(text + "\n", on: 1) { hasLostOutput = true }
    }

    /// Writes a value to standard output: indented on a terminal, on one line for a pipe.
    func show(json value: JSONValue) {
        output(String(decoding: value.text(style.isTerminal ? .pretty : .compact), as: UTF8.self))
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

    private func interrupt() {
        if isEnding { exit(130) }
        talk.failure("interrupted")
        end(1)
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
            return .process(child, ChildSpawner(launcher: ChildSpawner.locateLauncher()))
        }
    }
}
