// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON
import JSONRPC

/// One task of a server, watched until it has ended (extension `io.modelcontextprotocol/tasks`).
///
/// It starts with the result of type `task`, takes each answer to `tasks/get`, and says when to ask again and what to ask
/// the user. A question is given out once, however often the server repeats it.
package struct TaskWatch: Sendable {
    /// The name of the extension.
    package static let `extension` = "io.modelcontextprotocol/tasks"
    /// Milliseconds between polls where the server suggests none, and the least and the most that is followed.
    package static let interval: UInt64 = 1000
    package static let shortestInterval: UInt64 = 50
    package static let longestInterval: UInt64 = 60_000

    /// What follows from a look at the task.
    package enum Step: Sendable, Equatable {
        /// Ask these, without waiting for the answers, and look again after so many milliseconds.
        case poll(after: UInt64, asking: [Rounds.Question])
        /// The call has ended.
        case done(Result<JSONValue, MCPClientError>)
    }

    /// The id, which every request about the task carries.
    package let id: String
    /// What the server last said: a word of the extension's, such as `working`.
    package private(set) var status: String
    /// More about it, for people.
    package private(set) var message: String?
    private var asked: Set<[UInt8]> = []

    /// Starts with a result of type `task`; nil if it is none.
    package init?(_ created: JSONValue) {
        guard let id = created["taskId"]?.string, let status = created["status"]?.string else { return nil }
        self.id = id
        self.status = status
        message = created["statusMessage"]?.string
    }

    /// Milliseconds until the first look.
    package static func interval(of state: JSONValue) -> UInt64 {
        guard let wanted = state["pollIntervalMs"]?.integer, wanted > 0 else { return interval }
        return min(max(UInt64(wanted), shortestInterval), longestInterval)
    }

    /// The parameters of `tasks/get` and `tasks/cancel`.
    package var params: JSONValue { ["taskId": .string(id)] }

    /// The parameters of `tasks/update` for an answer.
    package func update(_ key: String, _ answer: JSONValue) -> JSONValue {
        .object([
            .init("taskId", .string(id)), .init("inputResponses", .object([.init(key, answer)])),
        ])
    }

    /// Takes a result of `tasks/get`.
    package mutating func take(_ state: JSONValue) -> Step {
        guard let status = state["status"]?.string else {
            return .done(.failure(.malformed("the server does not say how its task is")))
        }
        self.status = status
        message = state["statusMessage"]?.string
        switch status {
        case "completed":
            guard let result = state["result"], result.members != nil else {
                return .done(.failure(.malformed("the server's task is completed and has no result")))
            }
            return .done(.success(result))
        case "failed":
            guard let failure = state["error"].flatMap(Failure.init(upstream:)) else {
                return .done(.failure(.ended(message ?? "the server's task failed")))
            }
            return .done(.failure(.refused(failure, status: nil)))
        case "cancelled": return .done(.failure(.cancelled))
        case "working", "input_required":
            return .poll(after: Self.interval(of: state), asking: questions(in: state))
        default:
            return .done(.failure(.malformed("the server's task has the unknown status \"\(status)\"")))
        }
    }

    private mutating func questions(in state: JSONValue) -> [Rounds.Question] {
        var new: [Rounds.Question] = []
        for member in state["inputRequests"]?.members ?? [] {
            guard asked.count < Rounds.questionLimit, let method = member.value["method"]?.string,
                asked.insert(Array(member.name.utf8)).inserted
            else { continue }
            let params = member.value["params"] ?? .object([])
            new.append(Rounds.Question(key: member.name, method: method, params: params))
        }
        return new
    }
}
