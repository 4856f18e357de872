// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON
package import JSONRPC

/// How what is said in one era or revision is said in another: results, errors, capabilities, questions and metadata.
///
/// All are pure functions of values. Peers are not trusted: a value of the wrong type is left out where the other side
/// must not see it, and else stays as it came, for the other side to refuse. What one hop says about itself (revision,
/// capabilities, who it is, tokens) never reaches the other.
package enum Translation {
    /// How many URLs one answer may send a user to.
    package static let maximumURLs = 16

    /// The key in `_meta` of a legacy request under which its answer stands in the modern era.
    package static let inputKeyName = "io.github.gatehouse/inputKey"

    /// The key in `_meta` that ties a message to a task of 2025-11-25, which we do not offer.
    static let relatedTask = "io.modelcontextprotocol/related-task"

    /// The keys of `_meta` that a result carries for its own hop.
    static let resultKeys = [MetaKey.serverInfo.description, MetaKey.subscriptionID.description]

    /// The keys of `_meta` that a request carries for its own hop.
    static let requestKeys = [
        MetaKey.protocolVersion.description, MetaKey.clientInfo.description,
        MetaKey.clientCapabilities.description, MetaKey.logLevel.description, "progressToken",
    ]
}

extension ErrorCode {
    /// A resource does not exist; the legacy era only.
    package static let resourceNotFound = ErrorCode(-32002)
    /// The user must visit URLs before the request can succeed; 2025-11-25 only.
    package static let urlElicitationRequired = ErrorCode(-32042)
}

// MARK: - Looking into values and changing them

extension JSONValue {
    /// An object with nothing in it.
    static let emptyObject = JSONValue.object([])

    /// Whether this is an object.
    var isObject: Bool { members != nil }

    /// This object without the members of these names; other values stay.
    func removing(_ names: [String]) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { member in !names.contains { $0.hasSameBytes(as: member.name) } })
    }

    /// This object with a member in its old place, or at the end; nil takes it out.
    ///
    /// Other values stay.
    func setting(_ name: String, _ value: JSONValue?) -> JSONValue {
        guard case .object(var members) = self else { return self }
        let index = members.firstIndex { $0.name.hasSameBytes(as: name) }
        switch (index, value) {
        case (let index?, let value?): members[index].value = value
        case (let index?, nil): members.remove(at: index)
        case (nil, let value?): members.append(Member(name, value))
        case (nil, nil): break
        }
        return .object(members)
    }

    /// This object with a member changed, if it is there; nil takes it out.
    func changing(_ name: String, _ change: (JSONValue) -> JSONValue?) -> JSONValue {
        guard let value = self[name] else { return self }
        return setting(name, change(value))
    }

    /// This object with the elements of an array in it changed, if it is there and is an array.
    func changingEach(_ name: String, _ change: (JSONValue) -> JSONValue) -> JSONValue {
        changing(name) { value in
            guard case .array(let values) = value else { return value }
            return .array(values.map(change))
        }
    }

    /// This object with these keys taken out of its `_meta`, which goes too if nothing is left in it.
    func removingMeta(_ names: [String]) -> JSONValue {
        changing("_meta") { meta in
            guard meta.isObject else { return meta }
            let rest = meta.removing(names)
            return rest == .emptyObject ? nil : rest
        }
    }
}
