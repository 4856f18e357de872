// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON
import JSONRPC
import MCPCore

extension ConnectionMachine {
    /// Answers a request with a result, given in the form of revision 2026-07-28 without what every result has.
    mutating func respond(
        _ id: RequestID,
        _ result: JSONValue,
        of method: Method,
        for revision: Revision,
        mayBeKept: Bool = true
    ) {
        let whole = complete(result, of: method, mayBeKept: mayBeKept)
        let fitting =
            revision.era == .modern ? whole : Translation.legacyResult(whole, of: method, for: revision)
        var text: [UInt8] = []
        text.append(literal: "{\"jsonrpc\":\"2.0\",\"id\":")
        text.append(id.text)
        text.append(literal: ",\"result\":")
        text.append(contentsOf: fitting.text())
        text.append(literal: "}")
        actions.append(.send(text, request: id.text))
    }

    /// A result with its type, who made it, and how long it may be kept.
    private func complete(_ result: JSONValue, of method: Method, mayBeKept: Bool) -> JSONValue {
        let isComplete = result["resultType"] == nil
        var members = isComplete ? [JSONValue.Member("resultType", "complete")] : []
        members += result.members ?? []
        if isComplete, Self.isCacheable(method) {
            let scope = mayBeKept ? options.cacheScope : .private
            members.append(.init("ttlMs", .number(String(mayBeKept ? max(0, options.cacheTTL) : 0))))
            members.append(.init("cacheScope", .string(scope.rawValue)))
        }
        return JSONValue.object(members).settingMeta("\(MetaKey.serverInfo)", info)
    }

    private static func isCacheable(_ method: Method) -> Bool {
        switch method {
        case .discover, .toolsList, .promptsList, .resourcesList, .resourcesTemplatesList, .resourcesRead:
            true
        default: false
        }
    }

    /// Answers a request with an error; without an id if none could be read.
    mutating func refuse(_ id: RequestID?, _ failure: Failure) {
        var text: [UInt8] = []
        failure.append(id: id?.text, to: &text)
        actions.append(.send(text, request: id?.text))
    }

    /// Ends a request with what its handler came to.
    mutating func respond(
        _ id: RequestID,
        _ outcome: Outcome,
        of method: Method,
        for revision: Revision,
        mayBeKept: Bool
    ) {
        switch outcome {
        case .result(let result): respond(id, result, of: method, for: revision, mayBeKept: mayBeKept)
        case .failure(let failure): refuse(id, failure, of: method, for: revision)
        }
    }

    /// Answers a request with an error, given in the codes of revision 2026-07-28.
    mutating func refuse(_ id: RequestID, _ failure: Failure, of method: Method, for revision: Revision) {
        var failure = failure
        if revision.era == .legacy, method == .resourcesRead, failure.code == .invalidParams,
            failure.data?["uri"] != nil
        {
            failure.code = .resourceNotFound
        }
        refuse(id, failure)
    }

    /// The text of a notification.
    static func notification(_ method: Method, _ params: JSONValue) -> [UInt8] {
        JSONValue.of(["jsonrpc": "2.0", "method": .string(method.rawValue), "params": params]).text()
    }

    /// Sends a notification that belongs to a request, or to none.
    mutating func notify(_ method: Method, _ params: JSONValue, request: String?) {
        actions.append(.send(Self.notification(method, params), request: request))
    }
}

/// What a handler came to.
enum Outcome: Sendable {
    /// A result in the form of revision 2026-07-28.
    case result(JSONValue)
    /// An error in its codes.
    case failure(Failure)

    /// The outcome of what a handler threw.
    init(_ error: any Error) {
        switch error {
        case let error as MCPError:
            self = .failure(error.failure)
        case AskError.missingCapability(let capabilities):
            self = .failure(
                Failure(
                    .missingClientCapability,
                    "The client did not declare a capability that this needs",
                    data: ["requiredCapabilities": capabilities],
                    source: .client
                )
            )
        default:
            self = .failure(Failure(.internalError, "\(error)", source: .upstream))
        }
    }
}
