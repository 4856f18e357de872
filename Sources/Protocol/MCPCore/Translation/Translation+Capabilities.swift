// Gatehouse. SPDX-License-Identifier: MIT

package import JSON

extension Translation {
    /// The capabilities of a legacy client, for requests to a modern server.
    ///
    /// Only what both eras know, and only what the client's revision had: experiments and tasks stay behind.
    ///
    /// - Parameters:
    ///   - capabilities: What the client sent with `initialize`.
    ///   - revision: The one that was agreed on.
    /// - Returns: The capabilities, in a fixed order.
    package static func modernCapabilities(
        fromLegacy capabilities: JSONValue,
        revision: Revision
    ) -> JSONValue {
        var capabilities = capabilities
        if revision < .v2025_11_25 {
            // The parts of these two came with that revision; before it, an empty object says all.
            capabilities = capabilities.changing("sampling") { $0.isObject ? .emptyObject : $0 }
                .changing("elicitation") { $0.isObject ? .emptyObject : $0 }
        }
        if revision < .v2025_06_18 { capabilities = capabilities.removing(["elicitation"]) }
        return questionCapabilities(capabilities)
    }

    /// The capabilities of a modern request, for the `initialize` of a legacy server.
    ///
    /// Equal sets give equal bytes, so that it can be the key under which servers are shared: the order is fixed and
    /// settings inside a capability, which no revision defines, stay behind.
    package static func legacyCapabilities(fromModern capabilities: JSONValue) -> JSONValue {
        questionCapabilities(capabilities)
    }

    /// What a client must have declared to be asked this.
    package static func requiredCapabilities(for method: Method, params: JSONValue) -> JSONValue {
        switch method {
        case .elicit:
            return params["mode"] == "url"
                ? ["elicitation": ["url": .emptyObject]] : ["elicitation": ["form": .emptyObject]]
        case .createMessage:
            var needs: [JSONValue.Member] = []
            if let context = params["includeContext"], context != "none" {
                needs.append(JSONValue.Member("context", .emptyObject))
            }
            if usesTools(params) { needs.append(JSONValue.Member("tools", .emptyObject)) }
            return ["sampling": .object(needs)]
        case .rootsList:
            return ["roots": .emptyObject]
        default:
            return .emptyObject
        }
    }

    /// Whether a client declared all of this.
    ///
    /// `elicitation: {}` declares forms and nothing else (2026-07-28, client/elicitation, "Capabilities").
    package static func isDeclared(_ required: JSONValue, in declared: JSONValue) -> Bool {
        guard let needs = required.members else { return false }
        return needs.allSatisfy { need in
            guard var given = declared[need.name], given.isObject else { return false }
            var wanted = need.value
            if need.name.utf8.elementsEqual("elicitation".utf8) {
                given = modes(given)
                wanted = modes(wanted)
            }
            return has(wanted, in: given)
        }
    }

    /// Whether a request for sampling lets the model use tools, or tells how it did.
    static func usesTools(_ params: JSONValue) -> Bool {
        if params["tools"] != nil || params["toolChoice"] != nil { return true }
        return params["messages"]?.array?.contains { message in
            blocks(message["content"]).contains { $0["type"] == "tool_use" || $0["type"] == "tool_result" }
        } ?? false
    }

    /// The blocks of content that may be one block or several.
    static func blocks(_ content: JSONValue?) -> [JSONValue] {
        content.map { $0.array ?? [$0] } ?? []
    }

    private static func questionCapabilities(_ capabilities: JSONValue) -> JSONValue {
        var members: [JSONValue.Member] = []
        if let elicitation = capabilities["elicitation"], elicitation.isObject {
            let parts = parts(["form", "url"], of: modes(elicitation))
            members.append(JSONValue.Member("elicitation", parts))
        }
        if capabilities["roots"]?.isObject == true {
            members.append(JSONValue.Member("roots", .emptyObject))
        }
        if let sampling = capabilities["sampling"], sampling.isObject {
            members.append(JSONValue.Member("sampling", parts(["context", "tools"], of: sampling)))
        }
        return .object(members)
    }

    private static func parts(_ names: [String], of capability: JSONValue) -> JSONValue {
        .object(
            names.compactMap { name in
                capability[name]?.isObject == true ? JSONValue.Member(name, .emptyObject) : nil
            }
        )
    }

    /// The modes of elicitation, in words: none named means forms.
    private static func modes(_ elicitation: JSONValue) -> JSONValue {
        let isNamed = ["form", "url"].contains { elicitation[$0]?.isObject == true }
        return isNamed ? elicitation : elicitation.setting("form", .emptyObject)
    }

    private static func has(_ wanted: JSONValue, in given: JSONValue) -> Bool {
        guard let needs = wanted.members else { return true }
        return needs.allSatisfy { need in
            guard let value = given[need.name] else { return false }
            return need.value.isObject ? value.isObject && has(need.value, in: value) : true
        }
    }
}
