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
        let first = negotiation.begin()
        if case .openEventStream = first { return take(first) }
        guard openTransport() else { return }
        take(first)
    }

    /// False if there is no way, which has been told then.
    private func openTransport(toEventStream: Bool = false) -> Bool {
        do throws(HTTPClientFailure) {
            let transport = try makeTransport(toEventStream)
            self.transport = transport
            transport.delegate = self
            transport.open()
            return true
        } catch {
            connected(.failure(MCPClientError(error)))
            return false
        }
    }

    private func makeTransport(_ toEventStream: Bool) throws(HTTPClientFailure) -> any ClientTransport {
        switch target {
        case .http(let url, let fields):
            let server = HTTPDestination(
                url: url,
                fields: fields,
                limit: options.messageLimit,
                over: try HTTPClient(loop, egress: options.egress),
                ownsClient: true
            )
            return toEventStream ? EventStreamTransport(server) : HTTPTransport(server)
        case .process(let command, let spawner, _):
            return StdioTransport(command, spawner, framing, limit: options.messageLimit, on: loop)
        }
    }

    private func take(_ step: EraNegotiation.Step) {
        switch step {
        case .discover:
            shake(Method.discover.rawValue, .null) { $0.negotiation.discovered($1) }
        case .initialize(let revision):
            replaceProbedProcess()
            initialize(revision)
        case .openEventStream(let revision):
            retire()
            if openTransport(toEventStream: true) { initialize(revision) }
        case .done(let description):
            server = description
            conversation.revision = description.revision
            conversation.isSettled = true
            if description.era == .legacy { completeHandshake() }
            connected(.success(description))
        case .fail(let error):
            connected(.failure(error))
        }
    }

    private func initialize(_ revision: Revision) {
        guard transport != nil else { return }
        conversation.revision = revision
        shake(Method.initialize.rawValue, conversation.initializeParams) {
            $0.negotiation.initialized($1)
        }
    }

    /// Tells a legacy server that the session is open, and lets it speak first.
    func completeHandshake() {
        notify(Method.initialized.rawValue)
        if conversation.revision > .v2024_11_05 { transport?.listen(conversation.versionField) }
    }

    /// Sends a request of the handshake, and takes the step that follows from its outcome.
    private func shake(
        _ method: String,
        _ params: JSONValue,
        _ next: @escaping (MCPClient, Result<JSONValue, MCPClientError>) -> EraNegotiation.Step
    ) {
        let call = MCPCall(method, params, nil) { [weak self] outcome in
            guard let self, self.handshake != nil else { return }
            self.handshake = nil
            // The transport may be in the middle of telling this; it can be replaced only afterwards.
            self.loop.onNextTurn { self.take(next(self, outcome)) }
        }
        call.isHandshake = true
        call.timeout = options.connectTimeout
        handshake = call
        start(call)
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

// MARK: - A session that has to be opened anew

extension MCPClient {
    /// Opens another session in the place of one that the server has forgotten, and sends what waits for it (2025-11-25,
    /// transports, "Session Management").
    func renew() {
        guard !isRenewing, let server else { return }
        isRenewing = true
        session += 1
        conversation.isSettled = false
        onEvent(.warning("the server has forgotten the session; another one is opened"))
        let call = MCPCall(Method.initialize.rawValue, conversation.initializeParams, nil) { [weak self] in
            self?.renewed($0, server)
        }
        call.isHandshake = true
        call.timeout = options.connectTimeout
        start(call)
    }

    private func renewed(_ outcome: Result<JSONValue, MCPClientError>, _ server: ServerDescription) {
        guard isRenewing else { return }
        isRenewing = false
        let held = waiting
        waiting = []
        var error = MCPClientError.incompatible("the server wants another revision than before")
        switch outcome {
        case .success(let result) where result["protocolVersion"]?.string == server.revision.rawValue:
            self.server = ServerDescription(initialized: result, revision: server.revision)
            conversation.isSettled = true
            completeHandshake()
            if let level = conversation.identity.logLevel, server.offers("logging") { setLogLevel(level) }
            for uri in watched.keys.sorted() {
                request(Method.subscribe.rawValue, ["uri": .string(uri)]) { _ in }
            }
            for call in held { send(call) }
            return
        case .success: break
        case .failure(let reason): error = reason
        }
        for call in held { call.finish(.failure(error)) }
    }
}
