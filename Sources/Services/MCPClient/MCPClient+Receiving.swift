// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import JSON
import JSONRPC
import MCPCore

extension MCPClient: ClientTransportDelegate {
    func transportReceived(_ message: Span<UInt8>) {
        switch conversation.receive(message) {
        case .reply(let call, let outcome): conclude(call, outcome)
        case .progress(let call, let params): call.onProgress?(params)
        case .notification(let method, let params): onEvent(.notification(method: method, params: params))
        case .request(let request): answer(request)
        case .answer(let message): transport?.send(message)
        case .ignored(let reason): onEvent(.warning(reason))
        }
    }

    func transportFailed(_ id: Int, _ error: MCPClientError) {
        guard let call = conversation.remove(id) else { return }
        conclude(call, .failure(error))
    }

    func transportEnded(_ error: MCPClientError) {
        retire()
        failAll(error)
    }

    func transportShowsLife() {
        guard let handshake, handshake.method == Method.discover.rawValue else { return }
        // A server that is up and does not answer is of the legacy era.
        handshake.timer?.schedule(after: min(Self.patience, options.connectTimeout))
    }

    func transportDiagnosed(_ bytes: Span<UInt8>) {
        onEvent(.diagnostics([UInt8](bytes)))
    }

    private func answer(_ request: ServerRequest) {
        guard let onRequest else {
            let failure = Failure(
                .methodNotFound,
                "This client does not offer \(request.method)",
                source: .client
            )
            transport?.send(conversation.answer(request.id, .failure(failure)))
            return
        }
        onRequest(request) { [weak self] outcome in
            guard let self else { return }
            self.transport?.send(self.conversation.answer(request.id, outcome))
        }
    }

    private func conclude(_ call: MCPCall, _ outcome: Result<JSONValue, MCPClientError>) {
        let mirrors = conversation.revision.era == .modern && transport?.mirrorsHeaders == true
        if mirrors, case .failure(.refused(let failure, _)) = outcome, failure.code == .headerMismatch,
            call.method == Method.toolsCall.rawValue, !call.isRepeated
        {
            return repeatAfterListing(call)
        }
        guard mirrors, call.method == Method.toolsList.rawValue, case .success(let result) = outcome else {
            return call.finish(outcome)
        }
        let (kept, dropped) = catalog.take(result)
        for name in dropped {
            onEvent(
                .warning("the tool \"\(name)\" is left out: an x-mcp-header of its schema breaks the rules")
            )
        }
        call.finish(.success(kept))
    }

    /// The tool's annotations have changed: they are read again, and the call is sent once more under a new id.
    private func repeatAfterListing(_ call: MCPCall) {
        call.isRepeated = true
        call.timer?.close()
        list(Method.toolsList.rawValue) { [weak self] outcome in
            guard let self, let transport = self.transport, case .success = outcome else {
                if case .failure(let error) = outcome { return call.finish(.failure(error)) }
                return call.finish(.failure(.cancelled))
            }
            self.send(call, over: transport, within: self.options.requestTimeout)
        }
    }
}
