// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import JSON

/// A request on its way, until its caller has been told the end.
///
/// One call may be several requests on the wire: rounds of questions, a session that had to be opened anew, the watching
/// of a task. It ends with its completion, once.
package final class MCPCall {
    let method: String
    /// The parameters as the caller gave them.
    let params: JSONValue
    let onProgress: ((JSONValue) -> Void)?
    /// Is told what belongs to the subscription that this call is.
    var onNotice: ((String, JSONValue) -> Void)?
    /// The parameters as they are sent now.
    var sent: JSONValue
    /// The id of the request that is on the wire; nil while none is.
    var id: Int?
    /// The order of its beginning among all calls of the client.
    var serial = 0
    weak var client: MCPClient?

    /// Milliseconds for each request on the wire; nil for no limit.
    var timeout: UInt64?
    var timer: LoopTimer?
    /// When it began, in milliseconds of the loop.
    var began: UInt64 = 0

    /// Whether it belongs to the opening of a conversation, where refusals have meanings of their own.
    var isHandshake = false
    /// Whether it was sent again since the headers did not fit what the server has now.
    var isRelisted = false
    /// Whether it was sent again since the server refused the revision and named it.
    var isReversioned = false
    /// Whether it was sent again in a new session, and the session that it was last sent in.
    var isRenewed = false
    var session = 0

    var rounds: Rounds
    var questions: [ServerQuestion] = []
    var task: TaskWatch?
    /// How often in a row the task could not be looked at.
    var misses = 0
    private var completion: ((Result<JSONValue, MCPClientError>) -> Void)?

    init(
        _ method: String,
        _ params: JSONValue,
        _ onProgress: ((JSONValue) -> Void)?,
        _ completion: @escaping (Result<JSONValue, MCPClientError>) -> Void
    ) {
        self.method = method
        self.params = params
        sent = params
        rounds = Rounds(params: params)
        self.onProgress = onProgress
        self.completion = completion
    }

    /// Gives it up; it ends with `cancelled` unless it has ended already.
    package func cancel() { client?.abandon(self, .cancelled) }

    /// Whether the end has not been told yet.
    var isOpen: Bool { completion != nil }

    func stopTimer() {
        timer?.close()
        timer = nil
    }

    func finish(_ outcome: Result<JSONValue, MCPClientError>) {
        stopTimer()
        client?.forget(self)
        let left = questions
        questions = []
        for question in left { question.withdraw() }
        completion.take()?(outcome)
    }
}
