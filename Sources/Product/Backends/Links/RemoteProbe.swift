// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Egress
import EventLoop
import JSON
import JSONRPC
import MCPClient
import MCPCore
import StdioFraming

/// Finds out once what a server behind a URL speaks (2026-07-28, transports, "Backward Compatibility").
///
/// `server/discover` is asked first, then `initialize`, then the event stream of HTTP+SSE. A modern server is asked
/// `initialize` as well: if it speaks both eras, each client is let through to it in its own. What the configuration states
/// is not asked, and that nobody answers, or that the gateway is refused, says nothing about the era.
final class RemoteProbe: ServerProbe {
    private let source: RemoteSource
    private let egress: EgressRules
    private var completion: ((Result<ServerFinding, Failure>) -> Void)?
    private var traits = ServerTraits(framing: .newline, eras: [])
    private var client: MCPClient?

    init(
        _ source: RemoteSource,
        _ egress: EgressRules,
        _ completion: @escaping (Result<ServerFinding, Failure>) -> Void
    ) {
        self.source = source
        self.egress = egress
        self.completion = completion
    }

    func start() {
        let stated = source.context.server.era
        if source.binding != .found, stated == .legacy || source.binding == .eventStream {
            // All is stated, and a legacy server has nothing else that must be known.
            traits.eras = [.legacy]
            // Not at once: whoever asked keeps this object only after `start`.
            return source.context.loop.onNextTurn { self.finish(.success(self.traits)) }
        }
        ask(stated == .legacy ? .legacy : stated == .modern ? .modern : .auto) { [weak self] outcome in
            self?.answered(outcome)
        }
    }

    func abandon() {
        finish(.failure(.stopping))
    }

    /// Connects in an era, and parts again unless the callback keeps the client.
    private func ask(
        _ era: EraPreference,
        _ next: @escaping (Result<ServerDescription, MCPClientError>) -> Void
    ) {
        var options = MCPClient.Options(
            identity: ClientIdentity(name: "gatehouse", version: GatewayIdentity.version)
        )
        options.era = era
        options.egress = egress
        options.binding = source.binding
        options.messageLimit = source.context.limits.line
        options.connectTimeout = source.context.server.startTimeout.wholeMilliseconds
        options.requestTimeout = options.connectTimeout
        let url = source.endpoint.url
        let client = MCPClient(
            .http(url: url, fields: source.fields),
            options: options,
            on: source.context.loop
        )
        self.client = client
        client.connect(next)
    }

    private func answered(_ outcome: Result<ServerDescription, MCPClientError>) {
        switch outcome {
        case .failure(let error):
            source.note(ofProbe: error)
            finish(.failure(RemoteFailures.failure(error)))
        case .success(let server):
            source.noteReached()
            traits.eras.insert(server.era)
            if client?.usesEventStream == true { source.binding = .eventStream }
            guard server.era == .modern else {
                if source.binding == .found { source.binding = .streamable }
                return finish(.success(traits))
            }
            source.binding = .streamable
            guard server.offers("tools") else { return askOtherEra() }
            // Its tools tell which headers mirror which arguments.
            client?.list(Method.toolsList.rawValue) { [weak self] outcome in
                guard let self, self.completion != nil else { return }
                if case .success(let result) = outcome {
                    self.traits.learn(result["tools"]?.array ?? [])
                    self.source.learn(result["tools"]?.array ?? [])
                }
                self.askOtherEra()
            }
        }
    }

    private func askOtherEra() {
        switch source.context.server.era {
        case .modern: return finish(.success(traits))
        case .dual:
            traits.eras.insert(.legacy)
            return finish(.success(traits))
        case .auto, .legacy: break
        }
        part()
        ask(.legacy) { [weak self] outcome in
            guard let self else { return }
            if case .success = outcome { self.traits.eras.insert(.legacy) }
            self.finish(.success(self.traits))
        }
    }

    private func part() {
        guard let client = client.take() else { return }
        // It lives until it has said goodbye.
        client.close { _ = client }
    }

    private func finish(_ result: Result<ServerTraits, Failure>) {
        guard let completion = completion.take() else { return }
        part()
        completion(result.map { ServerFinding(traits: $0, isCertain: true) })
    }
}
