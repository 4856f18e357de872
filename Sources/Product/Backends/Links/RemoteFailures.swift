// Gatehouse. SPDX-License-Identifier: MIT

import JSONRPC
import MCPClient

/// What the callers of a remote server are told when HTTP has failed them.
///
/// Nothing of it is passed on as if it were the gateway's own: a server that refuses the gateway's credentials does not
/// make the gateway refuse its client's.
enum RemoteFailures {
    /// The failure of a call.
    static func failure(_ error: MCPClientError) -> Failure {
        switch error {
        case .refused(_, 401?), .http(401, _), .refused(_, 403?), .http(403, _):
            return upstream("The server refused the gateway (\(status(of: error)))")
        case .refused(let failure, _):
            return upstream("The server refused the gateway's request: \(failure.message)")
        case .http(300..<400, _):
            return upstream(
                "The server wants to be reached elsewhere (\(status(of: error))), which is not done"
            )
        case .http:
            return upstream("The server answered with \(status(of: error))")
        case .unreachable(let reason):
            return upstream("The server cannot be reached: \(reason)")
        case .timedOut:
            return upstream("The server did not answer in time")
        case .ended(let reason), .malformed(let reason), .incompatible(let reason), .unanswered(let reason):
            return upstream("The server's answer did not come: \(reason)")
        case .cancelled:
            return upstream("The request was given up")
        }
    }

    /// The failure in words of the gateway alone: what the server said of it may hold what is not for everybody.
    static func summary(_ error: MCPClientError) -> String {
        switch error {
        case .refused(_, let status?) where status != 401 && status != 403:
            "The server refused the gateway's request (HTTP status \(status))"
        case .refused(_, nil): "The server refused the gateway's request"
        default: failure(error).message
        }
    }

    /// The error that the server has answered the call with; nil if it is about something else.
    static func answer(_ error: MCPClientError) -> Failure? {
        guard case .refused(let failure, let status) = error, status != 401, status != 403 else { return nil }
        // These speak of the gateway's own request, not of its caller's.
        guard failure.code != .headerMismatch, failure.code != .unsupportedVersion else { return nil }
        return failure
    }

    /// Whether it shows that the server is not there, rather than that it did not like the request.
    static func isUnreachable(_ error: MCPClientError) -> Bool {
        switch error {
        case .unreachable, .timedOut: true
        default: false
        }
    }

    /// Whether it shows that the server is there, whatever it thinks of the request.
    static func isAnswer(_ error: MCPClientError) -> Bool {
        switch error {
        case .http, .refused, .malformed, .incompatible: true
        default: false
        }
    }

    /// Whether the server says that it does not know the session (2025-11-25, transports, "Session Management").
    static func isForgotten(_ error: MCPClientError) -> Bool {
        switch error {
        case .http(404, _): true
        case .refused(let failure, 404?): failure.code != .methodNotFound
        default: false
        }
    }

    /// Whether it may mean that the server does not speak the era any more in which it was asked.
    static func speaksOfEra(_ error: MCPClientError) -> Bool {
        switch error {
        case .http(let status, _): status == 400 || status == 404 || status == 405
        case .refused(let failure, _): failure.code == .unsupportedVersion || failure.code == .headerMismatch
        default: false
        }
    }

    private static func status(of error: MCPClientError) -> String {
        switch error {
        case .http(let status, _), .refused(_, let status?): "HTTP status \(status)"
        default: "an error"
        }
    }

    private static func upstream(_ text: String) -> Failure {
        Failure(.internalError, text, source: .upstream)
    }
}
