// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Diagnostics
import Egress
import EventLoop
import HTTPClient
import JSON
import JSONRPC
import MCPClient
import MCPCore
import Sessions
import StdioFraming

/// Where the lines to a server come from that runs elsewhere and is reached over HTTP.
///
/// All of them send over one HTTP client, so that connections are shared; a session at the server belongs to one line, and so
/// to one conversation. What a request carries are the configuration's fields and the protocol's own: nothing that a client
/// of the gateway sent to say who it is. It ends with `end`, when the last session is closed.
final class RemoteSource: LinkSource {
    let context: ServerContext
    let endpoint: RemoteEndpoint
    /// Which arguments of the server's tools are mirrored in headers.
    private(set) var tools = ServerTraits(framing: .newline, eras: [])
    private let egress: EgressRules
    private var http: HTTPClient?
    /// How the server was found to be reached.
    var binding: HTTPBinding
    /// Keeps a server that cannot be reached from being tried for every call.
    private var breaker = CrashBreaker()
    /// Lines to the server that are open, which conversations hold.
    private var open: [ObjectIdentifier: WeakLine] = [:]
    /// What happened so far.
    private var report = RemoteReport()
    /// Lines that say goodbye to the server.
    private var leaving: [ObjectIdentifier: RemoteLink] = [:]
    private var onEnd: (() -> Void)?
    /// When it may be doubted again.
    private var nextDoubt: UInt64 = 0
    /// Milliseconds between two doubts, so that bad calls do not make it be asked each time.
    private static let certainty: UInt64 = 60_000
    /// Milliseconds that a notification may take to be delivered at most, where the server's start may take longer.
    private static let longestNotice: UInt64 = 30_000
    /// Is told that the server may speak otherwise than it was found to.
    var onDoubt: () -> Void = {}

    private struct WeakLine {
        weak var link: RemoteLink?
    }

    init(_ context: ServerContext, _ endpoint: RemoteEndpoint, egress: EgressRules) {
        self.context = context
        self.endpoint = endpoint
        self.egress = egress
        binding =
            switch endpoint.transport {
            case .found: .found
            case .streamable: .streamable
            case .eventStream: .eventStream
            }
    }

    /// None of them is ours.
    var processCount: Int { 0 }
    var reports: [ServerReport] { [] }
    var remote: RemoteReport? {
        var report = report
        if breaker.isOpen { report.state = .away }
        let links = open.values.compactMap(\.link) + leaving.values
        report.lines = links.map(\.report).sorted { $0.started < $1.started }
        return report
    }

    /// The fields that every request carries.
    var fields: [HTTPField] { endpoint.headers.map { HTTPField($0.name, $0.value) } }

    func probe(_ completion: @escaping (Result<ServerFinding, Failure>) -> Void) -> any ServerProbe {
        let probe = RemoteProbe(self, egress, completion)
        probe.start()
        return probe
    }

    func open(
        _ traits: ServerTraits,
        _ era: Era,
        for principal: Principal,
        _ completion: @escaping (Result<any ServerLink, Failure>) -> Void
    ) {
        if let refusal = egress.refusal(of: endpoint.url) {
            let text = "The server must not be reached: \(refusal)"
            return completion(.failure(Failure(.internalError, text, source: .gateway)))
        }
        do throws(HTTPClientFailure) {
            let patience = min(Self.longestNotice, context.server.startTimeout.wholeMilliseconds)
            let server = HTTPDestination(
                url: endpoint.url,
                fields: fields,
                limit: context.limits.line,
                over: try client(),
                ownsClient: false,
                noticeTimeout: Int(patience)
            )
            let transport: any ClientTransport =
                binding == .eventStream ? EventStreamTransport(server) : HTTPTransport(server)
            completion(.success(RemoteLink(transport, era, self)))
        } catch {
            completion(.failure(Failure(.internalError, error.description, source: .gateway)))
        }
    }

    private func client() throws(HTTPClientFailure) -> HTTPClient {
        if let http { return http }
        let made = try HTTPClient(context.loop, egress: egress)
        http = made
        return made
    }

    /// It starts none.
    func adopt(_ confinement: Confinement) {}

    func sweep(now: UInt64, _ traits: ServerTraits?) {}

    func end(_ completion: @escaping () -> Void) {
        onEnd = completion
        finishIfIdle()
    }

    // MARK: What lines tell

    /// The server may speak otherwise than before: the next conversation asks it again.
    func doubt() {
        let now = context.loop.now
        guard now >= nextDoubt else { return }
        nextDoubt = now &+ Self.certainty
        if endpoint.transport == .found { binding = .found }
        onDoubt()
    }

    /// Takes note of tools as the server lists them.
    func learn(_ list: [JSONValue]) { tools.learn(list) }

    /// Whether only one who tries is let through, and with it who has just been.
    var isTrying: Bool { breaker.isOpen }

    /// Why nothing is sent now, if the server cannot be reached; who is let through is expected to try.
    func refusal() -> Failure? {
        guard case .refuse(let wait) = breaker.ask(at: context.loop.now) else { return nil }
        let seconds = (wait + 999) / 1000
        return Failure(
            .internalError,
            "The server cannot be reached; it is tried again in \(seconds) s",
            retryAfter: Int(clamping: seconds),
            source: .upstream
        )
    }

    /// The server has answered something.
    func noteReached() {
        report.state = .reached
        breaker.noteAnswer()
    }

    /// A try has come to nothing, so that the next one may be made at once.
    func noteTryGivenUp() { breaker.noteTryGivenUp(at: context.loop.now) }

    /// The server was not reached.
    func noteUnreachable() {
        report.state = .away
        breaker.noteDeath(at: context.loop.now)
    }

    /// A request has come to nothing; counted, and otherwise without consequence.
    func note(_ error: MCPClientError) { report.note(error) }

    /// The search for what the server speaks has come to nothing, which callers are not kept from trying for.
    func note(ofProbe error: MCPClientError) {
        report.note(error)
        if RemoteFailures.isUnreachable(error) { report.state = .away }
        if RemoteFailures.isAnswer(error) { report.state = .reached }
    }

    /// The server has forgotten a session.
    func noteForgotten() { report.greetedAgain += 1 }

    /// A line is there.
    func entered(_ link: RemoteLink) {
        open[ObjectIdentifier(link)] = WeakLine(link: link)
        report.opened += 1
    }

    /// A line is on its way out, and is kept until it is gone.
    func leaves(_ link: RemoteLink) {
        open[ObjectIdentifier(link)] = nil
        leaving[ObjectIdentifier(link)] = link
    }

    func left(_ link: RemoteLink) {
        leaving[ObjectIdentifier(link)] = nil
        finishIfIdle()
    }

    private func finishIfIdle() {
        guard leaving.isEmpty, let onEnd = onEnd.take() else { return }
        http?.close()
        http = nil
        onEnd()
    }
}
