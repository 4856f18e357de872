// Gatehouse. SPDX-License-Identifier: MIT

import Diagnostics
package import JSONRPC
package import Sessions

/// A call that was opened and waits to be closed: all that its metrics, its line of the log and its span need.
///
/// `Records.open` makes it; whoever answers the client gives it to `Records.close`, once.
package struct OpenCall {
    let series: CallSeries
    /// When it began, in nanoseconds of a clock that only goes forward.
    let started: UInt64
    /// The session that it belongs to, if it belongs to one.
    package var session: Session?
    /// Its place in a trace, if it has one.
    package let trace: CallTrace?
}

/// How a call ended.
package enum CallOutcome: Int, Sendable, CaseIterable {
    /// With a result.
    case ok
    /// With the result of a tool that says that it is an error.
    case toolError
    /// With a JSON-RPC error of the server.
    case error
    /// Without an answer of the server.
    case failed
    /// Nobody waits for it any more.
    case cancelled
    /// With questions to the client, who comes back with answers.
    case inputRequired
    /// With a task, which goes on.
    case task

    /// The value of the label `outcome`.
    package var label: String {
        switch self {
        case .ok: "ok"
        case .toolError: "tool_error"
        case .error: "error"
        case .failed: "failed"
        case .cancelled: "cancelled"
        case .inputRequired: "input_required"
        case .task: "task"
        }
    }
}

/// How a call ended, and whose fault it was if it did not end well.
package struct CallEnd {
    let outcome: CallOutcome
    let source: FaultSource?
    let failure: Failure?
    /// The code of the server's error.
    let code: Int?

    private init(
        _ outcome: CallOutcome,
        _ source: FaultSource? = nil,
        failure: Failure? = nil,
        code: Int? = nil
    ) {
        self.outcome = outcome
        self.source = source
        self.failure = failure
        self.code = code
    }

    /// With a result.
    package static let ok = CallEnd(.ok)
    /// With a tool's word that something went wrong.
    package static let toolError = CallEnd(.toolError, .upstream)
    /// With questions to the client.
    package static let inputRequired = CallEnd(.inputRequired)
    /// With a task.
    package static let task = CallEnd(.task)
    /// Taken back by its client.
    package static let cancelled = CallEnd(.cancelled, .client)

    /// Without an answer of the server.
    package static func failed(_ failure: Failure) -> CallEnd {
        CallEnd(.failed, failure.source, failure: failure)
    }

    /// With an error of the server; the code says whether the client asked for what cannot be.
    package static func error(code: Int) -> CallEnd {
        let isClients =
            code == ErrorCode.invalidParams.value || code == ErrorCode.invalidRequest.value
            || code == ErrorCode.methodNotFound.value || code == ErrorCode.missingClientCapability.value
            || code == resourceNotFound
        return CallEnd(.error, isClients ? .client : .upstream, code: code)
    }

    /// What servers of the legacy era say of a resource that they do not have (2025-11-25, resources).
    private static let resourceNotFound = -32002
}
