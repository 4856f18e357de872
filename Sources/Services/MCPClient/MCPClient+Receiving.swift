// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import JSON
import JSONRPC
import MCPCore

extension MCPClient: ClientTransportDelegate {
    package func transportReceived(_ message: Span<UInt8>, of request: Int?) {
        switch conversation.receive(message) {
        case .reply(let call, let outcome): conclude(call, outcome)
        case .progress(let call, let params):
            restartTimer(call)
            call.onProgress?(params)
        case .notice(let call, let method, let params):
            guard let onNotice = call.onNotice else { return }
            onNotice(method, params)
        case .notification(let method, let params):
            tellSubscriptions(method, params)
            onEvent(.notification(method: method, params: params))
        case .request(let request): ask(request)
        case .withdrawn(let id): questions.removeValue(forKey: id)?.withdraw()
        case .answer(let message): transport?.send(message)
        case .ignored(let reason): onEvent(.warning(reason))
        }
    }

    package func transportFailed(_ id: Int, _ error: MCPClientError) {
        guard let call = conversation.remove(id) else { return }
        conclude(call, .failure(error))
    }

    package func transportEnded(_ error: MCPClientError) {
        retire()
        failAll(error)
    }

    package func transportShowsLife() {
        guard let handshake, handshake.method == Method.discover.rawValue else { return }
        // A server that is up and does not answer is of the legacy era.
        handshake.timer?.schedule(after: min(Self.patience, options.connectTimeout))
    }

    package func transportDiagnosed(_ bytes: Span<UInt8>) {
        onEvent(.diagnostics([UInt8](bytes)))
    }

    package func transportAwaits(_ id: Int) -> Bool { conversation.awaits(id) }

    package func transportLostSession() {
        guard transport?.forgetSession() == true else { return }
        renew()
    }

    // MARK: The end of a request

    /// A request on the wire has ended; that may or may not be the end of the call.
    private func conclude(_ call: MCPCall, _ outcome: Result<JSONValue, MCPClientError>) {
        call.id = nil
        call.stopTimer()
        if call.isHandshake { return call.finish(outcome) }
        switch outcome {
        case .success(let result): conclude(call, result)
        case .failure(let error):
            if conversation.revision.era == .modern {
                concludeModern(call, error)
            } else {
                concludeLegacy(call, error)
            }
        }
    }

    private func conclude(_ call: MCPCall, _ result: JSONValue) {
        guard conversation.revision.era == .modern else { return call.finish(.success(result)) }
        switch result["resultType"]?.string {
        case "input_required":
            guard Method(call.method.utf8).mayNeedInput else {
                return call.finish(.failure(.malformed("the server asks for input where it must not")))
            }
            take(call.rounds.begin(result), call)
        case "task": watch(call, result)
        default:
            guard call.method == Method.toolsList.rawValue, transport?.mirrorsHeaders == true else {
                return call.finish(.success(result))
            }
            let (kept, dropped) = catalog.take(result)
            for name in dropped {
                onEvent(
                    .warning(
                        "the tool \"\(name)\" is left out: an x-mcp-header of its schema breaks the rules"
                    )
                )
            }
            call.finish(.success(kept))
        }
    }

    private func concludeModern(_ call: MCPCall, _ error: MCPClientError) {
        let mirrors = transport?.mirrorsHeaders == true
        // A broken stream loses the request (2026-07-28, transports): what only reads can be asked anew.
        if case .ended = error, mirrors, !call.isReissued, Method(call.method.utf8).onlyReads {
            call.isReissued = true
            return send(call)
        }
        guard case .refused(let failure, _) = error else { return call.finish(.failure(error)) }
        if mirrors, failure.code == .headerMismatch, call.method == Method.toolsCall.rawValue,
            !call.isRelisted
        {
            return repeatAfterListing(call)
        }
        let supported = failure.data?["supported"]?.array ?? []
        if failure.code == .unsupportedVersion, !call.isReversioned,
            supported.contains(.string(conversation.revision.rawValue))
        {
            call.isReversioned = true
            return send(call)
        }
        call.finish(.failure(error))
    }

    private func concludeLegacy(_ call: MCPCall, _ error: MCPClientError) {
        switch error {
        case .http(404, _), .refused(_, 404?):
            guard !call.isRenewed else { return call.finish(.failure(error)) }
            call.isRenewed = true
            // Another call may have found out before, and the next session may be open already.
            guard call.session == session, !isRenewing else { return send(call) }
            guard transport?.forgetSession() == true else { return call.finish(.failure(error)) }
            renew()
            send(call)
        case .refused(let failure, _) where failure.code == .urlElicitationRequired && onRequest != nil:
            take(call.rounds.begin(failure), call)
        default: call.finish(.failure(error))
        }
    }

    /// The tool's annotations have changed: they are read again, and the call is sent once more under a new id.
    private func repeatAfterListing(_ call: MCPCall) {
        call.isRelisted = true
        list(Method.toolsList.rawValue) { [weak self] outcome in
            if case .failure(let error) = outcome { return call.finish(.failure(error)) }
            self?.send(call)
        }
    }
}

extension Method {
    /// Whether asking twice does no harm.
    fileprivate var onlyReads: Bool {
        switch self {
        case .toolsList, .resourcesList, .resourcesTemplatesList, .promptsList, .resourcesRead, .promptsGet,
            .complete, .tasksGet:
            true
        default: false
        }
    }
}

extension ErrorCode {
    /// The legacy era's word for URLs that must be visited first (2025-11-25, elicitation).
    static let urlElicitationRequired = ErrorCode(-32042)
}
