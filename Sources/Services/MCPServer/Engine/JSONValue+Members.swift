// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON

extension JSONValue {
    /// An object of those members that have a value.
    static func of(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
        .object(members.compactMap { name, value in value.map { Member(name, $0) } })
    }

    /// A number; nil if it is none that JSON can write.
    static func number(of value: Double?) -> JSONValue? {
        guard let value, value.isFinite else { return nil }
        if let whole = Int(exactly: value) { return .number(String(whole)) }
        return .number("\(value)")
    }

    /// An array of strings; nil if there are none.
    static func strings(_ values: [String]) -> JSONValue? {
        values.isEmpty ? nil : .array(values.map { .string($0) })
    }

    /// The object with a member set; what is no object becomes one.
    func setting(_ name: String, _ value: JSONValue) -> JSONValue {
        var members = members ?? []
        if let index = members.firstIndex(where: { $0.name.hasSameBytes(as: name) }) {
            members[index].value = value
        } else {
            members.append(Member(name, value))
        }
        return .object(members)
    }

    /// The object without some members.
    func removing(_ names: Set<String>) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { !names.contains($0.name) })
    }

    /// The object with a member of its `_meta` set.
    func settingMeta(_ name: String, _ value: JSONValue) -> JSONValue {
        setting("_meta", (self["_meta"] ?? .object([])).setting(name, value))
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
