// Gatehouse. SPDX-License-Identifier: MIT

public import JSON
import JSONRPC

/// A failure that the client is told as a JSON-RPC error.
///
/// A tool that fails in its own work should throw something else, or answer a result that says so: the model reads
/// that, while an error of the protocol is for the program that called.
public struct MCPError: Error, Sendable, Equatable {
    /// The code; those of one's own should be outside of -32768 to -32000 (2026-07-28, basic, "Error Codes").
    public var code: Int
    /// A sentence for the reader at the other end.
    public var message: String
    /// More, as the code's definition says.
    public var data: JSONValue?

    /// Makes an error.
    public init(code: Int, message: String, data: JSONValue? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }

    /// The parameters do not fit.
    public static func invalidParams(_ message: String, data: JSONValue? = nil) -> MCPError {
        MCPError(code: ErrorCode.invalidParams.value, message: message, data: data)
    }

    /// Something went wrong on this side.
    public static func internalError(_ message: String) -> MCPError {
        MCPError(code: ErrorCode.internalError.value, message: message)
    }

    /// There is no such resource; in words that fit the client's revision.
    public static func resourceNotFound(_ uri: String) -> MCPError {
        .invalidParams("Resource not found: \(uri)", data: ["uri": .string(uri)])
    }

    var failure: Failure { Failure(ErrorCode(code), message, data: data, source: .upstream) }
}
