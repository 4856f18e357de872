// Gatehouse. SPDX-License-Identifier: MIT

package import JSON
package import JSONRPC

/// Something that a server asks of the client, until it is answered.
///
/// It starts when it is given to `MCPClient.onRequest` and ends with the first `answer`, or when nobody wants the answer
/// any more: the server took it back, or the call that it belongs to has ended.
package final class ServerQuestion {
    /// What is asked.
    package let request: ServerRequest
    /// Is told, once, that no answer is wanted any more.
    package var onWithdrawn: (() -> Void)?
    private var reply: ((Result<JSONValue, Failure>) -> Void)?

    init(_ request: ServerRequest, reply: @escaping (Result<JSONValue, Failure>) -> Void) {
        self.request = request
        self.reply = reply
    }

    /// Whether an answer is still wanted.
    package var isOpen: Bool { reply != nil }

    /// Answers: with a result of the method that asks, or with a failure.
    ///
    /// A form that was accepted is completed with the defaults of its schema. A second answer changes nothing.
    package func answer(_ outcome: Result<JSONValue, Failure>) {
        onWithdrawn = nil
        reply.take()?(outcome.map { Elicitation.filled($0, asked: request.params) })
    }

    func withdraw() {
        guard reply.take() != nil else { return }
        onWithdrawn.take()?()
    }
}
