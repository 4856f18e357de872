// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import HTTPClient
import JSON
import MCPCore

extension MCPClient {
    /// Milliseconds for a server to answer the first question after it has shown that it lives.
    static let patience: UInt64 = 5_000

    /// Finds out how the server speaks, and opens a session where its era has them.
    ///
    /// Once. After a failure the client is of no more use, but must still be closed.
    package func connect(_ completion: @escaping (Result<ServerDescription, MCPClientError>) -> Void) {
        onConnected = completion
        guard openTransport() else { return }
        take(negotiation.begin())
    }

    /// False if there is no way, which has been told then.
    private func openTransport() -> Bool {
        do throws(HTTPClientFailure) {
            let transport = try makeTransport()
            self.transport = transport
            transport.delegate = self
            transport.open()
            return true
        } catch {
            connected(.failure(MCPClientError(error)))
            return false
        }
    }

    private func makeTransport() throws(HTTPClientFailure) -> any ClientTransport {
        switch target {
        case .http(let url, let fields):
            try HTTPTransport(url: url, fields: fields, limit: options.messageLimit, on: loop)
        case .process(let command, let spawner, let framing):
            StdioTransport(command, spawner, framing, limit: options.messageLimit, on: loop)
        }
    }

    private func take(_ step: Negotiation.Step) {
        switch step {
        case .discover:
            shake(Method.discover.rawValue, .null) { $0.negotiation.discovered($1) }
        case .initialize(let revision):
            replaceProbedProcess()
            guard transport != nil else { return }
            conversation.revision = revision
            shake(Method.initialize.rawValue, conversation.initializeParams) {
                $0.negotiation.initialized($1)
            }
        case .done(let description):
            server = description
            conversation.revision = description.revision
            conversation.isSettled = true
            if description.era == .legacy { notify(Method.initialized.rawValue) }
            connected(.success(description))
        case .fail(let error):
            connected(.failure(error))
        }
    }

    /// Sends a request of the handshake, and takes the step that follows from its outcome.
    private func shake(
        _ method: String,
        _ params: JSONValue,
        _ next: @escaping (MCPClient, Result<JSONValue, MCPClientError>) -> Negotiation.Step
    ) {
        let call = MCPCall(method, params, nil) { [weak self] outcome in
            guard let self, self.handshake != nil else { return }
            self.handshake = nil
            // The transport may be in the middle of telling this; it can be replaced only afterwards.
            self.loop.onNextTurn { self.take(next(self, outcome)) }
        }
        call.client = self
        handshake = call
        guard let transport else { return connected(.failure(.cancelled)) }
        send(call, over: transport, within: options.connectTimeout)
    }

    /// A process that was asked `server/discover` may be of no more use for `initialize`, so it was a throw-away one.
    private func replaceProbedProcess() {
        guard case .process = target, conversation.count == 0, handshake == nil, hasProbed else { return }
        retire()
        _ = openTransport()
    }

    /// Whether the process has been asked something else before `initialize`.
    private var hasProbed: Bool { options.era == .auto && conversation.revision == .modern }

    private func connected(_ outcome: Result<ServerDescription, MCPClientError>) {
        onConnected.take()?(outcome)
    }
}
