// Gatehouse. SPDX-License-Identifier: MIT

import JSON

/// A value of the file and the way to it.
struct ConfigurationNode {
    /// The value.
    var value: JSON5Value
    /// The way to it, like `mcpServers.git.args[0]`.
    var path: String
    /// Where it stands.
    var position: JSON5Position { value.position }

    /// The members, each with its name, where that stands, and its value; nil if this is not an object.
    var members: [ConfigurationMember]? {
        guard case .object(let members) = value.content else { return nil }
        return members.map { member in
            ConfigurationMember(
                name: member.name,
                position: member.position,
                node: ConfigurationNode(value: member.value, path: Self.path(path, member.name))
            )
        }
    }

    /// The value of a member; nil if there is none.
    func member(_ name: String) -> ConfigurationNode? {
        members?.first { $0.name == name }?.node
    }

    /// The elements; nil if this is not an array.
    var elements: [ConfigurationNode]? {
        guard case .array(let elements) = value.content else { return nil }
        return elements.enumerated().map { ConfigurationNode(value: $1, path: "\(path)[\($0)]") }
    }

    /// Whether nothing stands here: `null`, `false`, an empty array, object or string.
    var isNothing: Bool {
        switch value.content {
        case .null, .bool(false): true
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        case .string(let text): text.isEmpty
        case .bool(true), .number: false
        }
    }

    /// The way to a member.
    static func path(_ path: String, _ name: String) -> String {
        let isPlain = name.utf8.allSatisfy { byte in
            byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte >= 0x30 && byte <= 0x39 || byte == 0x5F
                || byte == 0x2D
                || byte == 0x24
        }
        guard isPlain, !name.isEmpty else { return "\(path)[\(name.quoted)]" }
        return path.isEmpty ? name : "\(path).\(name)"
    }
}

/// A member of an object of the file.
struct ConfigurationMember {
    /// Its name.
    var name: String
    /// Where the name stands.
    var position: JSON5Position
    /// Its value.
    var node: ConfigurationNode

    /// Whether this is a known key with `null`, which is the same as leaving it out.
    func isLeftOut(of known: [String]) -> Bool {
        node.value.content == .null && known.contains(name)
    }
}
