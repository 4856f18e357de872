// Gatehouse. SPDX-License-Identifier: MIT

package import JSON
package import JSONRPC

/// What a request of the modern era must be before anyone acts on it (2026-07-28, basic).
package enum ModernRules {
    /// The revisions of the modern era that we serve.
    package static let supported: [Revision] = [.modern]

    /// Checks a message in the order that the reference implementations use: the envelope, the headers, the version,
    /// the method.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - bytes: Its text.
    ///   - headers: The headers that it came with; nil on a transport that has none.
    /// - Returns: Why it is refused, or nil.
    package static func check(_ message: Message, _ bytes: Span<UInt8>, headers: RoutingHeaders?) -> Failure?
    {
        if let failure = shape(message) { return failure }
        guard message.envelope.kind == .request else {
            guard message.envelope.kind == .notification else {
                return Failure(
                    .invalidRequest,
                    "A client of this revision sends no responses",
                    source: .client
                )
            }
            return nil
        }
        let meta = message.params.meta
        guard meta.protocolVersion.isPresent else {
            return Failure(
                .invalidParams,
                "_meta must have io.modelcontextprotocol/protocolVersion, a string",
                source: .client
            )
        }
        guard meta.clientCapabilities.isPresent else {
            return Failure(
                .invalidParams,
                "_meta must have io.modelcontextprotocol/clientCapabilities, an object",
                source: .client
            )
        }
        if let failure = token(meta.progressToken, bytes, named: "progressToken") { return failure }
        if let failure = headers?.check(against: message, bytes) { return failure }
        guard let revision = Revision(meta.protocolVersion, in: bytes), supported.contains(revision) else {
            let stated = bytes.string(meta.protocolVersion) ?? []
            return unsupported(String(decoding: stated, as: UTF8.self), supported: supported)
        }
        if message.method.isRemovedInModern {
            return Failure(
                .methodNotFound,
                "\(message.method.rawValue) is not a method of revision \(revision.rawValue)",
                source: .client
            )
        }
        return nil
    }

    /// Checks that a message is one (JSON-RPC 2.0), in either era.
    package static func shape(_ message: Message) -> Failure? {
        guard let defect = message.envelope.defect else { return nil }
        let code: ErrorCode = defect == .params ? .invalidParams : .invalidRequest
        return Failure(code, "Invalid request: \(defect.description)", source: .client)
    }

    /// Checks that a token, if there is one, is a string or an integer.
    package static func token(_ slice: JSONSlice, _ bytes: Span<UInt8>, named name: String) -> Failure? {
        guard slice.isPresent else { return nil }
        let first = bytes[slice.start]
        let isNumber = first != UInt8(ascii: "\"")
        let isToken =
            isNumber
            ? bytes.integer(slice) != nil
            : slice.count <= 1024
        guard !isToken else { return nil }
        return Failure(.invalidParams, "\(name) must be a string or an integer", source: .client)
    }

    /// The refusal of a revision.
    package static func unsupported(_ requested: String, supported: [Revision]) -> Failure {
        Failure(
            .unsupportedVersion,
            "Unsupported protocol version",
            data: [
                "supported": .array(supported.map { .string($0.rawValue) }), "requested": .string(requested),
            ],
            source: .client
        )
    }

    /// The HTTP status that goes with an error (2026-07-28, basic, "Error Codes").
    ///
    /// - Parameters:
    ///   - code: The error's code.
    ///   - own: Whether it is our refusal of the request. What a server answers to a well-formed request stays in band,
    ///     except for the codes that the specification pins.
    /// - Returns: The status.
    package static func status(of code: ErrorCode, own: Bool) -> Int {
        switch code {
        case .parse, .invalidRequest, .headerMismatch, .missingClientCapability, .unsupportedVersion: 400
        case .methodNotFound: 404
        case .invalidParams: own ? 400 : 200
        default: 200
        }
    }
}
