// Gatehouse. SPDX-License-Identifier: MIT

package import JSON

// A modern client before a legacy server.

extension Translation {
    /// A result of a legacy server, fit for the modern era.
    ///
    /// It gets its type and, where the method asks for them, caching hints that promise nothing. It cannot ask for input:
    /// members of that name mean nothing in the legacy era and go.
    ///
    /// - Parameters:
    ///   - result: What the server answered.
    ///   - method: To what.
    ///   - serverInfo: Who the server said it is; nil leaves it out.
    /// - Returns: The result for the client.
    package static func modernResult(
        _ result: JSONValue,
        of method: Method,
        serverInfo: JSONValue?
    ) -> JSONValue {
        guard result.isObject else { return result }
        var rest = result.removing(["resultType", "inputRequests", "requestState"])
            .removingMeta(resultKeys + [relatedTask])
        switch method {
        case .toolsList: rest = rest.changingEach("tools", modernTool)
        case .toolsCall where rest["content"] == nil: rest = rest.setting("content", [])
        default: break
        }
        return complete(rest, of: method, serverInfo: serverInfo)
    }

    /// The result of `server/discover`, made from that of `initialize`.
    package static func discoverResult(fromInitialize result: JSONValue) -> JSONValue {
        let answer: JSONValue = [
            "supportedVersions": .array(ModernRules.supported.map { .string($0.rawValue) }),
            "capabilities": serverCapabilities(result["capabilities"]),
        ]
        return complete(
            answer.setting("instructions", result["instructions"]?.string.map(JSONValue.string)),
            of: .discover,
            serverInfo: result["serverInfo"]
        )
    }

    /// A result with what the modern era asks of every complete one, and of those that may be kept.
    private static func complete(
        _ result: JSONValue,
        of method: Method,
        serverInfo: JSONValue?
    ) -> JSONValue {
        var members = [JSONValue.Member("resultType", "complete")]
        if method.isCacheable {
            // A legacy server says nothing about how long or for whom its answers are good.
            members += [JSONValue.Member("ttlMs", 0), JSONValue.Member("cacheScope", "private")]
            members += result.removing(["ttlMs", "cacheScope"]).members ?? []
        } else {
            members += result.members ?? []
        }
        let whole = JSONValue.object(members)
        guard let info = implementation(serverInfo) else { return whole }
        let meta = whole["_meta"].flatMap { $0.isObject ? $0 : nil } ?? .emptyObject
        return whole.setting("_meta", meta.setting(MetaKey.serverInfo.description, info))
    }
}

extension Method {
    /// Whether its complete result carries `ttlMs` and `cacheScope` (2026-07-28, basic, "Caching").
    package var isCacheable: Bool {
        switch self {
        case .discover, .toolsList, .promptsList, .resourcesList, .resourcesTemplatesList, .resourcesRead:
            true
        default: false
        }
    }
}
