// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON

/// Error codes of JSON-RPC 2.0 §5.1 and of MCP (schema 2026-07-28; basic, "Error Codes").
package struct ErrorCode: Equatable, Sendable {
    /// The number on the wire.
    package let value: Int

    /// Makes a code of a number that a peer sent.
    package init(_ value: Int) { self.value = value }

    /// The text is not JSON.
    package static let parse = ErrorCode(-32700)
    /// The JSON is not a message that fits here.
    package static let invalidRequest = ErrorCode(-32600)
    /// Nobody here knows the method.
    package static let methodNotFound = ErrorCode(-32601)
    /// The parameters do not fit the method.
    package static let invalidParams = ErrorCode(-32602)
    /// The fault is on our side, or behind us.
    package static let internalError = ErrorCode(-32603)
    /// The session is unknown or has ended; what SDKs of the legacy era send with 404.
    package static let sessionNotFound = ErrorCode(-32001)
    /// A routing header is missing, malformed, or says something else than the body.
    package static let headerMismatch = ErrorCode(-32020)
    /// The request needs a capability that the client did not declare.
    package static let missingClientCapability = ErrorCode(-32021)
    /// The request's revision is not served here.
    package static let unsupportedVersion = ErrorCode(-32022)
}

/// Whose fault a failure is; metrics and logs tell them apart.
package enum FaultSource: String, Sendable {
    /// The one who asked.
    case client
    /// The server behind the gateway.
    case upstream
    /// The gateway.
    case gateway
}

/// A failure that is told to a peer as a JSON-RPC error.
package struct Failure: Error, Sendable, Equatable {
    /// The code.
    package var code: ErrorCode
    /// A sentence for the reader at the other end, without secrets.
    package var message: String
    /// More, as the code's definition says.
    package var data: JSONValue?
    /// Whose fault it is.
    package var source: FaultSource

    /// Makes a failure.
    package init(_ code: ErrorCode, _ message: String, data: JSONValue? = nil, source: FaultSource) {
        self.code = code
        self.message = message
        self.data = data
        self.source = source
    }

    /// Makes a failure of something that was not begun, and that is worth trying again after so many seconds.
    package init(_ code: ErrorCode, _ message: String, retryAfter seconds: Int, source: FaultSource) {
        self.init(code, message, data: ["retryAfter": .number(String(seconds))], source: source)
    }

    /// After how many seconds it is worth trying again, if that is known: then it is part of what the client is told.
    package var retryAfter: Int? {
        data?["retryAfter"]?.integer.map { min(max($0, 1), 3600) }
    }

    /// Appends the error response.
    ///
    /// - Parameters:
    ///   - id: The request's id as written. Nil if it could not be read: then it is left out, as the schema has it.
    ///   - output: Where to.
    package func append(id: String?, to output: inout [UInt8]) {
        output.append(literal: "{\"jsonrpc\":\"2.0\",")
        if let id {
            output.append(literal: "\"id\":")
            output.append(id)
            output.append(literal: ",")
        }
        output.append(literal: "\"error\":{\"code\":")
        output.append(decimal: code.value)
        output.append(literal: ",\"message\":")
        output.append(json: message)
        if let data {
            output.append(literal: ",\"data\":")
            output.append(contentsOf: data.text())
        }
        output.append(literal: "}}")
    }
}
