// Gatehouse. SPDX-License-Identifier: MIT

package import JSON
package import JSONRPC

// A legacy server asks, a modern client answers.

extension Translation {
    /// A request of a legacy server, as an entry of `inputRequests`.
    ///
    /// - Parameters:
    ///   - method: The request's method.
    ///   - params: Its parameters; an empty object if it has none.
    ///   - declared: The capabilities that the client declared with its call.
    /// - Returns: The entry; or why it cannot be carried, with the capabilities that the client lacks.
    package static func inputRequest(
        fromQuestion method: Method,
        params: JSONValue,
        declared: JSONValue
    ) -> Result<JSONValue, Failure> {
        guard isQuestion(method) else {
            return .failure(
                Failure(.methodNotFound, "A client of this era answers no such request", source: .upstream)
            )
        }
        let params = params == .null ? .emptyObject : params
        guard params.isObject else {
            return .failure(Failure(.invalidParams, "params must be an object", source: .upstream))
        }
        if let reason = fault(in: params, of: method) {
            return .failure(Failure(.invalidParams, reason, source: .upstream))
        }
        var carried = withoutContext(carriedParams(params), declared: declared)
        let required = requiredCapabilities(for: method, params: carried)
        guard isDeclared(required, in: declared) else { return .failure(missing(required)) }
        let request: JSONValue = ["method": .string(method.rawValue)]
        if method == .elicit {
            carried = carried.removing(["elicitationId"]).changing("requestedSchema", formSchema)
        }
        if method == .rootsList && carried == .emptyObject { return .success(request) }
        return .success(request.setting("params", carried))
    }

    /// A value of `inputResponses`, as the result of the legacy server's request.
    ///
    /// - Returns: Nil if it is no answer to such a request.
    package static func answer(fromInputResponse value: JSONValue, method: Method) -> JSONValue? {
        let answer = inputResponse(fromAnswer: value, method: method)
        switch method {
        case .elicit:
            switch answer["action"] {
            case "accept":
                // A URL that was visited has no content, which some clients write as null.
                guard let content = answer["content"], content != .null else {
                    return answer.removing(["content"])
                }
                return isFilledForm(content) ? answer : nil
            case "decline", "cancel": return answer.removing(["content"])
            default: return nil
            }
        case .createMessage:
            let blocks = blocks(answer["content"])
            guard answer["role"] == "assistant" || answer["role"] == "user", answer["model"]?.string != nil,
                !blocks.isEmpty, blocks.allSatisfy({ $0["type"]?.string != nil })
            else { return nil }
            // One block alone is what every revision understands.
            return blocks.count == 1 ? answer.setting("content", blocks[0]) : answer
        case .rootsList:
            guard let roots = answer["roots"]?.array, roots.allSatisfy({ $0["uri"]?.string != nil }) else {
                return nil
            }
            return answer
        default:
            return nil
        }
    }

    /// The key under which a question of a legacy server stands in `inputRequests`.
    ///
    /// - Parameters:
    ///   - params: The question's parameters: our own servers name their questions in `_meta`.
    ///   - method: The question's method.
    ///   - number: What tells it from others of its kind that have no name.
    /// - Returns: The name, if it is one that can be used, else the kind with the number.
    package static func inputKey(of params: JSONValue, method: Method, number: Int) -> String {
        if let key = params["_meta"]?[inputKeyName]?.string, !key.isEmpty, key.utf8.count <= 256,
            key.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        {
            return key
        }
        switch method {
        case .elicit: return "elicitation-\(number)"
        case .createMessage: return "sampling-\(number)"
        case .rootsList: return "roots-\(number)"
        default: return "question-\(number)"
        }
    }

    /// Whether the content of an accepted elicitation is flat: scalars, and choices of several strings.
    private static func isFilledForm(_ content: JSONValue) -> Bool {
        guard let fields = content.members else { return false }
        return fields.allSatisfy { field in
            switch field.value {
            case .string, .number, .bool: true
            case .array(let values): values.allSatisfy { $0.string != nil }
            case .null, .object: false
            }
        }
    }
}
