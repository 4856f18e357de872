// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON
package import JSONRPC

/// A task of a modern server that is waited for on behalf of a caller who knows no tasks (extension
/// `io.modelcontextprotocol/tasks`).
///
/// It starts with the server's `CreateTaskResult`; `tasks/get` is asked at the pace that the server wishes, within bounds, until
/// the task has ended. Questions of the task are asked of the caller once each, and answered with `tasks/update`.
package struct TaskPolling: Sendable {
    /// What is to be done.
    package enum Action: Equatable, Sendable {
        /// Ask for the task's state after so many milliseconds.
        case poll(after: UInt64)
        /// Ask the caller this: entries of `inputRequests`.
        case ask(JSONValue)
        /// Give the caller this result.
        case complete(JSONValue)
        /// Tell the caller that the call failed: code, message and data of the task's error.
        case refuse(code: Int, message: String, data: JSONValue?)
        /// Tell the caller that the call failed here.
        case fail(Failure)
    }

    /// The extension's name.
    package static let `extension` = "io.modelcontextprotocol/tasks"
    private static let pace: ClosedRange<Int> = 50...10_000
    private static let usualPace = 1_000

    /// The task, as the server names it.
    package let id: String
    private var interval: UInt64
    private var asked: [String] = []
    private var isAsking = false

    /// Starts with what the server answered the call with; nil if that is no task.
    package init?(_ result: JSONValue) {
        guard let id = result["taskId"]?.string, !id.isEmpty else { return nil }
        self.id = id
        interval = Self.interval(result)
    }

    private static func interval(_ result: JSONValue) -> UInt64 {
        let stated = result["pollIntervalMs"]?.integer ?? usualPace
        return UInt64(min(max(stated, pace.lowerBound), pace.upperBound))
    }

    /// What to do at the beginning.
    package var begin: Action { .poll(after: min(interval, 100)) }

    /// The server has said how the task is.
    package mutating func received(_ result: JSONValue) -> Action {
        interval = Self.interval(result)
        switch result["status"]?.string {
        case "working":
            return .poll(after: interval)
        case "input_required":
            let new = (result["inputRequests"]?.members ?? []).filter { member in
                !asked.contains { $0.hasSameBytes(as: member.name) }
            }
            guard !new.isEmpty, !isAsking, asked.count < 1000 else { return .poll(after: interval) }
            asked += new.map(\.name)
            isAsking = true
            return .ask(.object(new))
        case "completed":
            guard let inner = result["result"], inner.members != nil else { return .fail(Self.malformed) }
            return .complete(inner)
        case "failed":
            guard let error = result["error"], let code = error["code"]?.integer else {
                return .fail(Self.malformed)
            }
            return .refuse(code: code, message: error["message"]?.string ?? "", data: error["data"])
        case "cancelled":
            return .fail(Failure(.internalError, "The server cancelled the task", source: .upstream))
        default:
            return .fail(Self.malformed)
        }
    }

    /// The caller's answers were given to the server.
    package mutating func updated() -> Action {
        isAsking = false
        return .poll(after: min(interval, 100))
    }

    private static let malformed = Failure(
        .internalError,
        "The server's task has no valid state",
        source: .upstream
    )
}
