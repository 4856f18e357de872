// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPCore

/// What a question needs: of the client's capabilities, and of its answer.
enum Needs {
    /// The capability that a client must declare; nil if this is no question.
    static func capability(for request: InputRequest) -> JSONValue? {
        switch request.method {
        case Method.elicit.rawValue:
            request.params["mode"]?.string == "url"
                ? ["elicitation": ["url": [:]]] : ["elicitation": ["form": [:]]]
        case Method.createMessage.rawValue:
            request.params["tools"] != nil || request.params["toolChoice"] != nil
                ? ["sampling": ["tools": [:]]] : ["sampling": [:]]
        case Method.rootsList.rawValue: ["roots": [:]]
        default: nil
        }
    }

    /// Whether a client declared a capability, in a revision that has it.
    static func has(_ capability: JSONValue, _ speaker: Speaker) -> Bool {
        guard let needed = capability.members?.first, let declared = speaker.capabilities[needed.name],
            declared.members != nil
        else { return false }
        guard needed.name != "elicitation" || speaker.revision >= .v2025_06_18 else { return false }
        guard let mode = needed.value.members?.first?.name else { return true }
        if mode == "form" {
            // An empty object means forms; before 2025-11-25 there was nothing else.
            return declared["form"] != nil || declared["url"] == nil || speaker.revision < .v2025_11_25
        }
        return speaker.revision >= .v2025_11_25 && declared[mode]?.members != nil
    }

    /// What is wrong with an answer; nil if it is one (schema: `ElicitResult`, `CreateMessageResult`, `ListRootsResult`).
    static func defect(of answer: JSONValue, to method: String) -> String? {
        guard answer.members != nil else { return "an answer must be an object" }
        switch method {
        case Method.elicit.rawValue:
            guard let action = answer["action"]?.string, ["accept", "decline", "cancel"].contains(action)
            else {
                return "action must be accept, decline or cancel"
            }
            if let content = answer["content"], action == "accept", content.members == nil {
                return "content must be an object"
            }
        case Method.createMessage.rawValue:
            guard answer["role"]?.string != nil, let content = answer["content"],
                content.members != nil || content.array != nil
            else { return "role and content must be there" }
        default:
            guard let roots = answer["roots"]?.array, roots.allSatisfy({ $0["uri"]?.string != nil }) else {
                return "roots must be an array of objects with a uri"
            }
        }
        return nil
    }
}

extension JSONValue {
    /// Both objects in one, member by member.
    func merging(_ other: JSONValue) -> JSONValue {
        guard members != nil, let added = other.members else { return other }
        var result = self
        for member in added {
            result = result.setting(member.name, result[member.name]?.merging(member.value) ?? member.value)
        }
        return result
    }
}
