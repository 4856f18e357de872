// Gatehouse. SPDX-License-Identifier: MIT

package import JSON

extension Translation {
    /// The `_meta` of a modern request, for a legacy server.
    ///
    /// - Parameters:
    ///   - meta: The client's.
    ///   - progressToken: Our token on this hop; nil if the client wants no progress.
    /// - Returns: What does not belong to the client's hop, with our token; nil if there is nothing.
    package static func legacyMeta(_ meta: JSONValue?, progressToken: Int?) -> JSONValue? {
        let rest = carried(meta).setting("progressToken", progressToken.map { .number(String($0)) })
        return rest == .emptyObject ? nil : rest
    }

    /// The `_meta` of a legacy request, for a modern server.
    ///
    /// - Parameters:
    ///   - meta: The client's, if it sent any.
    ///   - progressToken: Our token on this hop; nil if the client wants no progress.
    ///   - capabilities: What the client can answer, in the words of the modern era.
    ///   - clientInfo: Who the client said it is; left out if it is ill-formed.
    ///   - logLevel: From which level it wants log messages; nil for none.
    /// - Returns: What the modern era asks of every request, and what else the client sent.
    package static func modernMeta(
        _ meta: JSONValue?,
        progressToken: Int?,
        capabilities: JSONValue,
        clientInfo: JSONValue?,
        logLevel: String?
    ) -> JSONValue {
        let own: JSONValue = [
            MetaKey.protocolVersion.description: .string(Revision.modern.rawValue),
            MetaKey.clientCapabilities.description: capabilities.isObject ? capabilities : .emptyObject,
        ]
        let whole = own.setting(MetaKey.clientInfo.description, implementation(clientInfo))
            .setting(MetaKey.logLevel.description, logLevel.map(JSONValue.string))
            .setting("progressToken", progressToken.map { .number(String($0)) })
        return .object((whole.members ?? []) + (carried(meta).members ?? []))
    }

    /// What is carried through a gateway unread.
    private static func carried(_ meta: JSONValue?) -> JSONValue {
        guard let meta, meta.isObject else { return .emptyObject }
        return meta.removing(requestKeys + resultKeys + [relatedTask])
    }

    /// The parameters of a question without what belongs to its hop.
    static func carriedParams(_ params: JSONValue) -> JSONValue {
        params.removing(["task"]).removingMeta(requestKeys + resultKeys + [relatedTask, inputKeyName])
    }
}
