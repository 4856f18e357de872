// Gatehouse. SPDX-License-Identifier: MIT

package import JSON
package import JSONRPC

/// A call of a legacy client at a modern server: the rounds of questions that come before its answer (2026-07-28, "Multi
/// Round-Trip Requests"), asked as real requests.
///
/// It starts with the call; each `input_required` of the server begins a round, which ends when the client has answered all
/// of it, and the call is sent again with the answers and the server's state. It ends after too many rounds, or with a
/// question that cannot be carried or that the client refuses.
package struct InputRounds: Sendable {
    /// How many rounds a call may take.
    package static let limit = 10
    /// How many questions a round may have.
    package static let questionLimit = 32

    /// What is to be done.
    package enum Action: Equatable, Sendable {
        /// Ask the client this, under our number for it.
        case ask(Int, Method, JSONValue)
        /// Take back a question that the client has not answered.
        case withdraw(Int)
        /// Send the call again, with these answers and this state.
        case retry(responses: JSONValue?, state: [UInt8]?)
        /// Tell the client that the call failed.
        case fail(Failure)
    }

    private struct Question {
        let number: Int
        let key: String
        let method: Method
        var answer: JSONValue?
    }

    private let capabilities: JSONValue
    private let revision: Revision
    private var round = 0
    private var open: [Question] = []
    private var state: [UInt8]?

    /// Starts before the first round.
    ///
    /// - Parameters:
    ///   - capabilities: What the client declared at `initialize`.
    ///   - revision: What it speaks.
    package init(capabilities: JSONValue, revision: Revision) {
        self.capabilities = capabilities
        self.revision = revision
    }

    /// Whether the client still has something to answer.
    package var isAsking: Bool { !open.isEmpty }
    /// The questions that wait, by number.
    package var numbers: [Int] { open.filter { $0.answer == nil }.map(\.number) }

    /// The server needs input.
    ///
    /// - Parameters:
    ///   - requests: `inputRequests`; nil if there are none.
    ///   - state: `requestState`, as written; nil if there is none.
    ///   - nextNumber: The number of the next question; raised by as many as are asked.
    /// - Returns: What is to be done.
    package mutating func needs(_ requests: JSONValue?, state: [UInt8]?, nextNumber: inout Int) -> [Action] {
        round += 1
        self.state = state
        open = []
        guard round <= Self.limit else {
            return [.fail(Self.fault("The server still asks after \(Self.limit) rounds"))]
        }
        guard requests != nil || state != nil else {
            return [.fail(Self.fault("The server needs input, but does not say which"))]
        }
        let members = requests?.members ?? []
        guard requests == nil || requests?.members != nil, members.count <= Self.questionLimit else {
            return [.fail(Self.fault("The server asks what is no list of questions, or too much at once"))]
        }
        guard !members.isEmpty else { return [.retry(responses: nil, state: state)] }
        var actions: [Action] = []
        for member in members {
            let number = nextNumber
            let question = Translation.question(
                fromInputRequest: member.value,
                elicitationID: "gatehouse-\(number)",
                capabilities: capabilities,
                revision: revision
            )
            switch question {
            case .failure(let failure):
                open = []
                return [.fail(failure)]
            case .success(let (method, params)):
                nextNumber += 1
                open.append(Question(number: number, key: member.name, method: method))
                actions.append(.ask(number, method, Self.named(params, member.name)))
            }
        }
        return actions
    }

    /// A question that carries the key that the server gave it.
    private static func named(_ params: JSONValue, _ key: String) -> JSONValue {
        let others = (params.members ?? []).filter { !$0.name.utf8.elementsEqual("_meta".utf8) }
        let meta = (params["_meta"]?.members ?? []) + [.init(Translation.inputKeyName, .string(key))]
        return .object(others + [.init("_meta", .object(meta))])
    }

    /// The client has answered a question.
    package mutating func answered(_ number: Int, _ result: JSONValue) -> [Action] {
        guard let index = open.firstIndex(where: { $0.number == number && $0.answer == nil }) else {
            return []
        }
        open[index].answer = Translation.inputResponse(fromAnswer: result, method: open[index].method)
        return goOnIfComplete()
    }

    /// The client has answered a question with an error, or it could not be asked.
    ///
    /// A form that nobody fills in was closed. Any other question has no answer that would say so, and ends the call.
    package mutating func refused(_ number: Int, _ failure: Failure) -> [Action] {
        guard let index = open.firstIndex(where: { $0.number == number && $0.answer == nil }) else {
            return []
        }
        if open[index].method == .elicit {
            open[index].answer = ["action": "cancel"]
            return goOnIfComplete()
        }
        open.remove(at: index)
        return end() + [.fail(failure)]
    }

    /// The call is over; the questions that wait are taken back.
    package mutating func end() -> [Action] {
        defer { open = [] }
        return numbers.map { .withdraw($0) }
    }

    private mutating func goOnIfComplete() -> [Action] {
        var responses: [JSONValue.Member] = []
        for question in open {
            guard let answer = question.answer else { return [] }
            responses.append(.init(question.key, answer))
        }
        open = []
        return [.retry(responses: .object(responses), state: state)]
    }

    private static func fault(_ text: String) -> Failure {
        Failure(.internalError, text, source: .upstream)
    }
}
