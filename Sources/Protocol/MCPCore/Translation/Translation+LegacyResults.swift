// Gatehouse. SPDX-License-Identifier: MIT

package import JSON

// A legacy client before a modern server.

extension Translation {
    /// A result of the modern era, fit for a legacy revision.
    ///
    /// What belongs to the modern hop goes: `resultType`, the caching hints, who the server is. So does what the revision
    /// does not know; where a person or model would miss it, text takes its place.
    ///
    /// - Parameters:
    ///   - result: A complete result.
    ///   - method: What it answers.
    ///   - revision: The client's; with the modern one, the result stays as it is.
    /// - Returns: The result for the client.
    package static func legacyResult(
        _ result: JSONValue,
        of method: Method,
        for revision: Revision
    ) -> JSONValue {
        guard revision.era == .legacy, result.isObject else { return result }
        let plain = result.removing(["resultType", "ttlMs", "cacheScope"]).removingMeta(resultKeys)
        switch method {
        case .toolsCall:
            return legacyToolResult(plain, for: revision)
        case .toolsList:
            return plain.changingEach("tools") { legacyTool($0, for: revision) }
        case .resourcesList:
            return plain.changingEach("resources") { legacyResource($0, for: revision) }
        case .resourcesTemplatesList:
            return plain.changingEach("resourceTemplates") { legacyResource($0, for: revision) }
        case .resourcesRead:
            guard revision < .v2025_06_18 else { return plain }
            return plain.changingEach("contents") { $0.removing(["_meta"]) }
        case .promptsList:
            return plain.changingEach("prompts") { legacyPrompt($0, for: revision) }
        case .promptsGet:
            return plain.changingEach("messages") { message in
                message.changing("content") { legacyBlock($0, for: revision) }
            }
        default:
            return plain
        }
    }

    /// The result of `initialize`, made from that of `server/discover`.
    ///
    /// - Parameters:
    ///   - result: What the modern server says about itself.
    ///   - revision: The one that the client is answered with.
    /// - Returns: The result, with the capabilities that exist in both eras. Tasks, extensions and experiments do not
    ///   cross: nobody knows what they would mean on the other side.
    package static func initializeResult(fromDiscover result: JSONValue, revision: Revision) -> JSONValue {
        var capabilities = serverCapabilities(result["capabilities"])
        if revision < .v2025_03_26 { capabilities = capabilities.removing(["completions"]) }
        let info = legacyImplementation(result["_meta"]?[MetaKey.serverInfo.description], for: revision)
        let answer: JSONValue = [
            "protocolVersion": .string(revision.rawValue),
            "capabilities": capabilities,
            "serverInfo": info ?? ["name": "unnamed", "version": "0"],
        ]
        return answer.setting("instructions", result["instructions"]?.string.map(JSONValue.string))
    }

    private static func legacyToolResult(_ result: JSONValue, for revision: Revision) -> JSONValue {
        var result = result.changingEach("content") { legacyBlock($0, for: revision) }
        if result["content"] == nil { result = result.setting("content", []) }
        guard let structured = result["structuredContent"],
            revision < .v2025_06_18 || !structured.isObject
        else { return result }
        result = result.removing(["structuredContent"])
        guard let blocks = result["content"]?.array, !blocks.contains(where: { says($0, structured) }) else {
            return result
        }
        let copy = textBlock(String(decoding: structured.text(), as: UTF8.self))
        return result.setting("content", .array(blocks + [copy]))
    }

    /// Whether a text block holds this value, written as JSON or, for a string, as it is.
    private static func says(_ block: JSONValue, _ value: JSONValue) -> Bool {
        guard block["type"] == "text", let text = block["text"]?.string else { return false }
        if value.string == text { return true }
        let bytes = Array(text.utf8)
        guard let written = try? JSONValue(bytes.span) else { return false }
        return written.text(.canonical) == value.text(.canonical)
    }

    /// The server's capabilities that mean the same in both eras, with what is known in each.
    static func serverCapabilities(_ capabilities: JSONValue?) -> JSONValue {
        let known: [(String, [String])] = [
            ("tools", ["listChanged"]), ("resources", ["subscribe", "listChanged"]),
            ("prompts", ["listChanged"]), ("completions", []), ("logging", []),
        ]
        return .object(
            known.compactMap { name, flags in
                guard let declared = capabilities?[name], declared.isObject else { return nil }
                let kept = flags.compactMap { flag in
                    declared[flag]?.bool.map { JSONValue.Member(flag, .bool($0)) }
                }
                return JSONValue.Member(name, .object(kept))
            }
        )
    }
}
