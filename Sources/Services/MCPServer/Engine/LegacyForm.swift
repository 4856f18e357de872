// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore

/// How what we make in the form of revision 2026-07-28 looks to a client of an older one.
enum LegacyForm {
    /// What stands for a resource that is not there (2025-11-25, server/resources, "Error Handling").
    static let resourceNotFound = ErrorCode(-32002)

    /// A result, without what the revision does not know.
    static func result(_ result: JSONValue, of method: Method, for revision: Revision) -> JSONValue {
        var members = result.members ?? []
        members.removeAll { ["resultType", "ttlMs", "cacheScope"].contains($0.name) }
        if let index = members.firstIndex(where: { $0.name == "_meta" }) {
            let meta = members[index].value.removing(["\(MetaKey.serverInfo)"])
            if meta.members?.isEmpty ?? true {
                members.remove(at: index)
            } else {
                members[index].value = meta
            }
        }
        return .object(members)
    }

    /// An error, in the codes of the revision.
    static func failure(_ failure: Failure, of method: Method, for revision: Revision) -> Failure {
        guard revision.era == .legacy, method == .resourcesRead, failure.code == .invalidParams,
            failure.data?["uri"] != nil
        else { return failure }
        var failure = failure
        failure.code = resourceNotFound
        return failure
    }

    /// Who the server is, without what the revision does not know.
    static func info(_ info: JSONValue, for revision: Revision) -> JSONValue {
        var unknown: Set<String> = []
        if revision < .v2025_06_18 { unknown.insert("title") }
        if revision < .v2025_11_25 { unknown.formUnion(["description", "websiteUrl", "icons"]) }
        return info.removing(unknown)
    }

    /// The parameters of a question.
    ///
    /// - Parameters:
    ///   - question: The question.
    ///   - key: Its name on this call, which a gateway carries over to the modern era.
    ///   - id: An id for an elicitation by URL, which has one in 2025-11-25.
    ///   - revision: The revision.
    /// - Returns: The parameters.
    static func params(
        _ question: InputRequest,
        key: String,
        id: String,
        for revision: Revision
    ) -> JSONValue {
        var params = question.params
        if question.method == Method.elicit.rawValue {
            if params["mode"]?.string == "url" {
                if params["elicitationId"] == nil { params = params.setting("elicitationId", .string(id)) }
            } else if revision < .v2025_11_25 {
                params = params.removing(["mode"])
            }
        }
        return params.settingMeta("io.github.gatehouse/inputKey", .string(key))
    }
}
