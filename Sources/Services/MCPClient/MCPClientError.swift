// Gatehouse. SPDX-License-Identifier: MIT

package import JSONRPC

/// Why a request has no result.
package enum MCPClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The server answered with an error; over HTTP with this status, where that was no success.
    case refused(Failure, status: Int?)
    /// An HTTP status other than success, without an error of JSON-RPC.
    case http(status: Int, detail: String)
    /// The server cannot be reached or started.
    case unreachable(String)
    /// No answer came in time.
    case timedOut
    /// It was given up from our side.
    case cancelled
    /// The server, or the connection to it, ended before the answer.
    case ended(String)
    /// What the server sent is not what the protocol says.
    case malformed(String)
    /// The server asked something that nobody here could answer.
    case unanswered(String)
    /// Client and server have no revision in common.
    case incompatible(String)

    /// The reason in words; may quote the server, so it must be escaped before it is shown on a terminal.
    package var description: String {
        switch self {
        case .refused(let failure, _):
            "the server answered with error \(failure.code.value): \(failure.message)"
        case .http(let status, let detail):
            "the server answered with HTTP status \(status)" + (detail.isEmpty ? "" : ": \(detail)")
        case .unreachable(let reason), .ended(let reason), .malformed(let reason), .incompatible(let reason):
            reason
        case .unanswered(let reason): "the server asks for input, and there is none: \(reason)"
        case .timedOut: "no answer came in time"
        case .cancelled: "the request was cancelled"
        }
    }
}
