// Gatehouse. SPDX-License-Identifier: MIT

package import JSON
package import JSONRPC

extension ParkedCalls {
    /// Bounds, and times in milliseconds.
    package struct Limits: Sendable {
        /// How many calls may wait for their turn.
        package var queued = 128
        /// How many calls may be parked.
        package var parked = 1024
        /// How many questions one call may ask at once.
        package var questions = 32
        /// How often a server that asks on after its call was given up is waited for.
        package var patienceWithAskers = 8
        /// How long the server must be silent after a question.
        package var silence: UInt64 = 20
        /// How long a parked call waits for its retry.
        package var patience: UInt64 = 300_000

        /// The defaults.
        package init() {}
    }

    /// A question of the server, as its caller is asked.
    package struct Question: Sendable, Equatable {
        /// Our number for it.
        package let number: Int
        /// The method.
        package let method: Method
        /// Its name among the questions of the round.
        package let key: String
        /// The entry in `inputRequests`.
        package let request: JSONValue
    }

    /// What is to be done.
    package enum Action: Equatable, Sendable {
        /// Send the call to the server.
        case start(Int)
        /// Answer the caller with a round of questions and this state; the call no longer has a deadline at the server.
        case ask(Int, [Question], state: Int)
        /// The call has a deadline again: its caller is back.
        case resume(Int)
        /// Answer a question of the server.
        case answer(Int, JSONValue)
        /// Refuse a question of the server.
        case refuse(Int, Failure)
        /// Give the caller what came of the call.
        case deliver(Int)
        /// Keep what came of the call for the retry.
        case keep(Int)
        /// Take the call back at the server, and forget it.
        case cancel(Int)
        /// Ask the server for a sign of life, and say `drained` when it has come: the server reads in order.
        case drain(Int)
        /// End the server's process: it goes on with calls that were given up.
        case replace
        /// Forget what was kept.
        case forget(Int)
        /// Tell the caller that the call failed.
        case fail(Int, Failure)

        func isAnswer(to number: Int) -> Bool {
            switch self {
            case .answer(number, _), .refuse(number, _): true
            default: false
            }
        }
    }

    /// What a retry comes to.
    package enum Retry: Equatable, Sendable {
        /// It goes on with this call.
        case taken(Int, [Action])
        /// It is refused, and nothing has changed.
        case refused(Failure)
    }
}
