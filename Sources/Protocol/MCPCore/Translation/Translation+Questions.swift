// Gatehouse. SPDX-License-Identifier: MIT

package import JSON
package import JSONRPC

// A modern server asks, a legacy client answers.

extension Translation {
    /// A question of a modern server, as a real request to a legacy client.
    ///
    /// - Parameters:
    ///   - request: An entry of `inputRequests`.
    ///   - elicitationID: The id that a URL gets, which the modern era no longer has.
    ///   - capabilities: What the client declared with `initialize`.
    ///   - revision: The one that was agreed on with it.
    /// - Returns: The method and its parameters; or why this client cannot be asked, with the capabilities it lacks.
    package static func question(
        fromInputRequest request: JSONValue,
        elicitationID: String,
        capabilities: JSONValue,
        revision: Revision
    ) -> Result<(method: Method, params: JSONValue), Failure> {
        let params = request["params"] ?? .emptyObject
        guard let name = request["method"]?.string, params.isObject else {
            return .failure(unaskable("it has no method, or parameters that are no object"))
        }
        let method = Method(Array(name.utf8))
        guard isQuestion(method) else { return .failure(unaskable("\(name) is no question")) }
        if let reason = fault(in: params, of: method) { return .failure(unaskable(reason)) }
        let declared = modernCapabilities(fromLegacy: capabilities, revision: revision)
        var carried = withoutContext(carriedParams(params), declared: declared, revision: revision)
        let required = requiredCapabilities(for: method, params: legacyContext(carried, revision))
        guard isDeclared(required, in: declared) else { return .failure(missing(required)) }
        switch method {
        case .elicit where carried["mode"] == "url":
            carried = carried.setting("elicitationId", .string(elicitationID))
        case .elicit:
            carried = carried.removing(["elicitationId"]).changing("requestedSchema", formSchema)
            guard revision < .v2025_11_25 else { break }
            guard let form = olderForm(carried.removing(["mode"])) else {
                return .failure(unaskable("revision \(revision.rawValue) has no choice of several values"))
            }
            carried = form
        case .createMessage where revision < .v2025_11_25:
            carried = singleBlocks(carried, for: revision)
        default: break
        }
        return .success((method, carried))
    }

    /// What a legacy client answered, as a value of `inputResponses`.
    package static func inputResponse(fromAnswer result: JSONValue, method: Method) -> JSONValue {
        result.removing(["resultType"]).removingMeta(requestKeys + resultKeys + [relatedTask])
    }

    /// Whether a server may ask this of a client.
    static func isQuestion(_ method: Method) -> Bool {
        method == .elicit || method == .createMessage || method == .rootsList
    }

    /// Why parameters do not fit the question, for what no client could make sense of; nil if they do.
    static func fault(in params: JSONValue, of method: Method) -> String? {
        switch method {
        case .elicit:
            guard params["message"]?.string != nil else { return "message must be a string" }
            guard let mode = params["mode"], mode != "form" else {
                return params["requestedSchema"]?.isObject == true ? nil : "requestedSchema must be an object"
            }
            guard mode == "url" else { return "mode must be form or url" }
            return params["url"]?.string == nil ? "url must be a string" : nil
        case .createMessage:
            guard let messages = params["messages"]?.array, messages.allSatisfy(isMessage) else {
                return "messages must be an array of objects with a role and content"
            }
            guard case .number? = params["maxTokens"] else { return "maxTokens must be a number" }
            return nil
        default:
            return nil
        }
    }

    /// A form whose root says that it is an object with properties.
    static func formSchema(_ schema: JSONValue) -> JSONValue {
        let schema = objectSchema(schema)
        return schema["properties"]?.isObject == true ? schema : schema.setting("properties", .emptyObject)
    }

    /// Sampling without the wish for context that a client did not declare: it may ignore the wish, so this is no
    /// reason to refuse the question.
    static func withoutContext(
        _ params: JSONValue,
        declared: JSONValue,
        revision: Revision = .modern
    ) -> JSONValue {
        guard revision >= .v2025_11_25, !isDeclared(["sampling": ["context": .emptyObject]], in: declared)
        else { return params }
        return params.removing(["includeContext"])
    }

    /// Before 2025-11-25 the wish for context needed no capability.
    private static func legacyContext(_ params: JSONValue, _ revision: Revision) -> JSONValue {
        revision < .v2025_11_25 ? params.removing(["includeContext"]) : params
    }

    /// Sampling in which each message holds one block, as it was before 2025-11-25; a message of several becomes several.
    private static func singleBlocks(_ params: JSONValue, for revision: Revision) -> JSONValue {
        params.changing("messages") { messages in
            let single = (messages.array ?? []).flatMap { message in
                blocks(message["content"]).map { block in
                    message.removing(["_meta"]).setting("content", legacyBlock(block, for: revision))
                }
            }
            return .array(single)
        }
    }

    private static func isMessage(_ message: JSONValue) -> Bool {
        guard message["role"] == "user" || message["role"] == "assistant" else { return false }
        guard let content = message["content"], content.isObject || content.array != nil else { return false }
        return blocks(content).allSatisfy { $0["type"]?.string != nil }
    }

    private static func unaskable(_ reason: String) -> Failure {
        Failure(.internalError, "The server asked what cannot be asked: \(reason)", source: .upstream)
    }
}
