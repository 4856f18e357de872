// Gatehouse. SPDX-License-Identifier: MIT

package import JSON
package import JSONRPC

extension Translation {
    /// An error of a modern server, for a legacy client.
    ///
    /// - Parameters:
    ///   - code: The error's code.
    ///   - message: Its message.
    ///   - data: Its data, if there are any.
    ///   - method: What the client asked for.
    /// - Returns: The failure to tell the client. A resource that does not exist has a code of its own in the legacy era.
    ///   What is about the hop between us and the server is our failure, not the client's.
    package static func legacyError(
        code: Int,
        message: String,
        data: JSONValue?,
        method: Method
    ) -> Failure {
        switch ErrorCode(code) {
        case .invalidParams where method == .resourcesRead && data?["uri"]?.string != nil:
            return Failure(.resourceNotFound, message, data: data, source: .client)
        case .missingClientCapability:
            guard let required = data?["requiredCapabilities"], required.isObject else {
                return upstream(message, code)
            }
            return missing(required)
        case .headerMismatch, .unsupportedVersion:
            return upstream(message, code)
        default:
            return relayed(code, message, data)
        }
    }

    /// What an error of a legacy server means to a modern client.
    package enum ModernOutcome: Sendable {
        /// The request failed.
        case failure(Failure)
        /// The user must visit these URLs, after which the request can be made again.
        case askURLs([(key: String, params: JSONValue)])
    }

    /// An error of a legacy server, for a modern client.
    ///
    /// - Parameters:
    ///   - code: The error's code.
    ///   - message: Its message.
    ///   - data: Its data, if there are any.
    ///   - method: What the client asked for.
    ///   - declared: The capabilities that the client declared with it.
    /// - Returns: What it means. The codes from -32099 to -32020 belong to the modern specification: those that a legacy
    ///   server sends are told as failures behind us, except for the capabilities that the client really lacks.
    package static func modernOutcome(
        code: Int,
        message: String,
        data: JSONValue?,
        method: Method,
        declared: JSONValue
    ) -> ModernOutcome {
        switch ErrorCode(code) {
        case .resourceNotFound where method == .resourcesRead || method == .complete:
            return .failure(Failure(.invalidParams, message, data: data, source: .client))
        case .resourceNotFound:
            // The code has no meaning elsewhere, and the modern era forbids it.
            return .failure(Failure(.internalError, message, data: data, source: .upstream))
        case .missingClientCapability:
            guard let required = data?["requiredCapabilities"], required.isObject,
                !isDeclared(required, in: declared)
            else { return .failure(upstream(message, code)) }
            return .failure(missing(required))
        case .urlElicitationRequired:
            return urls(message: message, data: data, method: method, declared: declared)
        default:
            guard !(-32099 ... -32020).contains(code) else { return .failure(upstream(message, code)) }
            return .failure(relayed(code, message, data))
        }
    }

    /// A resource that does not exist, for a modern client, which is told its URI.
    ///
    /// - Parameters:
    ///   - message: What to say.
    ///   - uri: What the client asked for.
    ///   - data: What the server said besides; its own `uri` stays.
    /// - Returns: The failure.
    package static func notFound(_ message: String, uri: String?, data: JSONValue? = nil) -> Failure {
        var told = data?.isObject == true ? data : nil
        if let uri, told?["uri"]?.string == nil {
            told = (told ?? .emptyObject).setting("uri", .string(uri))
        }
        return Failure(.invalidParams, message, data: told ?? data, source: .client)
    }

    private static func urls(
        message: String,
        data: JSONValue?,
        method: Method,
        declared: JSONValue
    ) -> ModernOutcome {
        let asked = (data?["elicitations"]?.array ?? []).prefix(maximumURLs).compactMap(urlParams)
        guard !asked.isEmpty, method.mayNeedInput else {
            return .failure(upstream(message, ErrorCode.urlElicitationRequired.value))
        }
        let required = requiredCapabilities(for: .elicit, params: ["mode": "url"])
        guard isDeclared(required, in: declared) else { return .failure(missing(required)) }
        return .askURLs(asked.enumerated().map { (key: "url-\($0.offset + 1)", params: $0.element) })
    }

    private static func urlParams(_ elicitation: JSONValue) -> JSONValue? {
        guard let message = elicitation["message"]?.string, let url = elicitation["url"]?.string else {
            return nil
        }
        return ["mode": "url", "message": .string(message), "url": .string(url)]
    }

    /// The failure of a client that cannot answer what the server would have to ask.
    static func missing(_ required: JSONValue) -> Failure {
        let names = (required.members ?? []).map { capability in
            let parts = (capability.value.members ?? []).map(\.name)
            return parts.isEmpty ? capability.name : "\(capability.name) (\(parts.joined(separator: ", ")))"
        }
        return Failure(
            .missingClientCapability,
            "The server needs what this client did not declare: \(names.joined(separator: ", "))",
            data: ["requiredCapabilities": required],
            source: .client
        )
    }

    private static func upstream(_ message: String, _ code: Int) -> Failure {
        Failure(
            .internalError,
            "The server refused what the gateway sent it (\(code)): \(message)",
            source: .upstream
        )
    }

    private static func relayed(_ code: Int, _ message: String, _ data: JSONValue?) -> Failure {
        let code = ErrorCode(code)
        let isClients = code == .invalidParams || code == .methodNotFound
        return Failure(code, message, data: data, source: isClients ? .client : .upstream)
    }
}
