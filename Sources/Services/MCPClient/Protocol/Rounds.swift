// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON
package import JSONRPC

/// The rounds of one call that needs input: what must be asked, and what is sent once all is answered (2026-07-28,
/// "Multi Round-Trip Requests").
///
/// It starts with the call's own parameters. Each `input_required` begins a round, each answer is taken by its key, and the
/// last one gives the parameters of the retry. In the legacy era it takes error -32042 in the same way: its URLs are
/// asked, then the call is sent again as it was. It ends by itself after `limit` rounds.
package struct Rounds: Sendable {
    /// How often a server may ask before a call counts as one without end.
    package static let limit = 10
    /// How many questions one round may have.
    package static let questionLimit = 100

    /// A question of a round.
    package struct Question: Sendable, Equatable {
        /// Under which key it is answered.
        package var key: String
        /// The method that asks.
        package var method: String
        /// Its parameters.
        package var params: JSONValue

        /// Makes a question.
        package init(key: String, method: String, params: JSONValue) {
            self.key = key
            self.method = method
            self.params = params
        }
    }

    /// What to do next.
    package enum Step: Sendable, Equatable {
        /// Ask all of these.
        case ask([Question])
        /// Wait for the answers that are missing.
        case wait
        /// Send the call again with these parameters, under a new id.
        case retry(JSONValue)
        /// The call ends like this.
        case fail(MCPClientError)
    }

    private let params: JSONValue
    private var count = 0
    private var open: [Question] = []
    private var answers: [JSONValue.Member] = []
    private var state: JSONValue?
    /// The error that started this round, if it is one of the legacy era.
    private var failure: Failure?

    /// Starts before the first round.
    ///
    /// `params` are the parameters that the caller gave.
    package init(params: JSONValue) { self.params = params }

    /// Takes a result of type `input_required`.
    package mutating func begin(_ result: JSONValue) -> Step {
        guard advance() else { return Self.endless }
        let requests = result["inputRequests"] ?? .object([])
        state = result["requestState"]
        guard let members = requests.members, members.count <= Self.questionLimit else {
            return .fail(.malformed("the server asks for input in a form that is not the protocol's"))
        }
        if let state, state.string == nil {
            return .fail(.malformed("the server's requestState is not a string"))
        }
        guard !members.isEmpty || state != nil else {
            return .fail(.malformed("the server asks for input and does not say which"))
        }
        for member in members {
            guard let method = member.value["method"]?.string else {
                return .fail(.malformed("the server's question \"\(member.name)\" names no method"))
            }
            let params = member.value["params"] ?? .object([])
            open.append(Question(key: member.name, method: method, params: params))
        }
        return open.isEmpty ? .retry(retry) : .ask(open)
    }

    /// Takes error -32042, which wants URLs to be visited first (2025-11-25, elicitation, "URL Elicitation Required").
    package mutating func begin(_ failure: Failure) -> Step {
        guard advance() else { return Self.endless }
        let elicitations = failure.data?["elicitations"]?.array ?? []
        guard !elicitations.isEmpty, elicitations.count <= Self.questionLimit else {
            return .fail(.refused(failure, status: nil))
        }
        self.failure = failure
        for (index, elicitation) in elicitations.enumerated() {
            let key = elicitation["elicitationId"]?.string ?? "url-\(index + 1)"
            guard elicitation["mode"]?.string == "url",
                !open.contains(where: { $0.key.hasSameBytes(as: key) })
            else {
                return .fail(.refused(failure, status: nil))
            }
            open.append(Question(key: key, method: "elicitation/create", params: elicitation))
        }
        return .ask(open)
    }

    /// Takes an answer. One to something that is not asked changes nothing.
    ///
    /// What could not be answered: an elicitation counts as cancelled, anything else ends the call, since there is no
    /// other way to say so.
    package mutating func answered(_ key: String, _ outcome: Result<JSONValue, Failure>) -> Step {
        guard let index = open.firstIndex(where: { $0.key.hasSameBytes(as: key) }) else { return .wait }
        let question = open.remove(at: index)
        let answer: JSONValue
        switch outcome {
        case .success(let value): answer = value
        case .failure where question.method.hasSameBytes(as: "elicitation/create"):
            answer = ["action": "cancel"]
        case .failure(let failure): return .fail(.unanswered(failure.message))
        }
        if let failure, answer["action"]?.string != "accept" { return .fail(.refused(failure, status: nil)) }
        answers.append(.init(question.key, answer))
        return open.isEmpty ? .retry(retry) : .wait
    }

    private static let endless = Step.fail(.malformed("the server asks for input again and again"))

    /// Begins a round, unless there were too many.
    private mutating func advance() -> Bool {
        count += 1
        open = []
        answers = []
        state = nil
        failure = nil
        return count <= Self.limit
    }

    /// The caller's parameters with what belongs to this round, and nothing of the round before.
    private var retry: JSONValue {
        guard failure == nil else { return params }
        var members = (params.members ?? []).filter {
            !$0.name.hasSameBytes(as: "inputResponses") && !$0.name.hasSameBytes(as: "requestState")
        }
        if !answers.isEmpty { members.append(.init("inputResponses", .object(answers))) }
        if let state { members.append(.init("requestState", state)) }
        return .object(members)
    }
}
