// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import JSON
import JSONRPC
import MCPCore

extension MCPClient {
    // MARK: Requests of a legacy session

    /// Puts a request of the server to whoever answers here.
    func ask(_ request: ServerRequest) {
        if let refusal = refusal(of: request) {
            transport?.send(conversation.answer(request.id, .failure(refusal)))
            return
        }
        guard questions[request.id] == nil, let onRequest else {
            return onEvent(.warning("the server asked again under the id of an open request"))
        }
        let question = ServerQuestion(request) { [weak self] outcome in
            guard let self, self.questions.removeValue(forKey: request.id) != nil else { return }
            self.transport?.send(self.conversation.answer(request.id, outcome))
        }
        questions[request.id] = question
        onRequest(question)
    }

    /// Why something is not asked here, if so.
    private func refusal(of request: ServerRequest) -> Failure? {
        let identity = conversation.identity
        guard onRequest != nil, identity.offers(request.method, request.params) else {
            // A kind that was declared in another mode exists, but not with these parameters.
            let isKnown =
                onRequest != nil && request.method == Method.elicit.rawValue
                && identity.capabilities["elicitation"] != nil
            return Failure(
                isKnown ? .invalidParams : .methodNotFound,
                "This client does not offer \(request.method)" + (isKnown ? " in this mode" : ""),
                source: .client
            )
        }
        guard questions.count < options.questionLimit else {
            return Failure(.internalError, "Too many requests wait for their answers", source: .client)
        }
        return nil
    }

    // MARK: Rounds of a call

    func take(_ step: Rounds.Step, _ call: MCPCall) {
        switch step {
        case .wait: break
        case .fail(let error): call.finish(.failure(error))
        case .retry(let params):
            call.sent = params
            // The caller should not wait within the server's word.
            loop.onNextTurn { [weak self] in self?.send(call) }
        case .ask(let questions):
            if let refused = questions.first(where: { !canAsk($0) }) {
                return call.finish(.failure(.unanswered("this client does not offer \(refused.method)")))
            }
            giveTime(call)
            for question in questions {
                ask(question, of: call) { [weak self] in
                    self?.take(call.rounds.answered(question.key, $0), call)
                }
            }
        }
    }

    func canAsk(_ question: Rounds.Question) -> Bool {
        onRequest != nil && conversation.identity.offers(question.method, question.params)
    }

    /// Puts one question of a call; it is withdrawn when the call ends.
    func ask(
        _ question: Rounds.Question,
        of call: MCPCall,
        answered: @escaping (Result<JSONValue, Failure>) -> Void
    ) {
        guard call.isOpen, let onRequest else { return }
        let request = ServerRequest(
            id: "",
            key: question.key,
            method: question.method,
            params: question.params
        )
        let asked = ServerQuestion(request) { [weak call] outcome in
            guard let call, call.isOpen else { return }
            call.questions.removeAll { !$0.isOpen }
            answered(outcome)
        }
        call.questions.append(asked)
        onRequest(asked)
    }
}
