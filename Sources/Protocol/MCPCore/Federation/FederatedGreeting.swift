// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON

/// What several servers say about themselves, as one.
package enum FederatedGreeting {
    /// What one server said, and its name.
    package struct Part {
        /// The server's name.
        package var server: String
        /// Its result of `initialize` or `server/discover`; nil if it has not answered.
        package var result: JSONValue?

        /// Names what a server said.
        package init(server: String, result: JSONValue?) {
            self.server = server
            self.result = result
        }
    }

    /// Bytes of instructions that are passed on.
    private static let instructionLimit = 65_536

    /// The result of `initialize`.
    ///
    /// - Parameters:
    ///   - parts: What the servers said, in the order of the configuration; at least one has answered.
    ///   - implementation: Who we are.
    /// - Returns: The lowest revision of those that they chose, all that they can do, and their instructions.
    package static func initializeResult(_ parts: [Part], implementation: JSONValue) -> JSONValue {
        let revisions = parts.compactMap { $0.result?["protocolVersion"]?.string }
            .compactMap { Revision(bytes: $0.utf8) }
        let lowest = revisions.min() ?? .latestLegacy
        let result: JSONValue = [
            "protocolVersion": .string(lowest.rawValue),
            "capabilities": capabilities(parts),
            "serverInfo": implementation,
        ]
        return result.setting("instructions", instructions(parts))
    }

    /// The result of `server/discover`.
    package static func discoverResult(_ parts: [Part], implementation: JSONValue) -> JSONValue {
        let result: JSONValue = [
            "resultType": "complete", "ttlMs": 0, "cacheScope": "private",
            "supportedVersions": .array(ModernRules.supported.map { .string($0.rawValue) }),
            "capabilities": capabilities(parts),
            "_meta": .object([.init("\(MetaKey.serverInfo)", implementation)]),
        ]
        return result.setting("instructions", instructions(parts))
    }

    /// All that one of the servers can do.
    ///
    /// Every list may change, since servers may come and go. One that has not answered may have any of them.
    package static func capabilities(_ parts: [Part]) -> JSONValue {
        var members: [JSONValue.Member] = []
        let isComplete = parts.allSatisfy { $0.result != nil }
        let declared = parts.compactMap { $0.result?["capabilities"] }
        func has(_ name: String) -> Bool { declared.contains { $0[name]?.isObject == true } }
        for name in ["tools", "prompts", "resources"] where has(name) || !isComplete {
            var value: JSONValue = ["listChanged": true]
            if name == "resources", declared.contains(where: { $0[name]?["subscribe"]?.bool == true }) {
                value = value.setting("subscribe", true)
            }
            members.append(.init(name, value))
        }
        for name in ["completions", "logging"] where has(name) { members.append(.init(name, .emptyObject)) }
        var extensions: [JSONValue.Member] = []
        for member in declared.flatMap({ $0["extensions"]?.members ?? [] })
        where !extensions.contains(where: { $0.name.hasSameBytes(as: member.name) }) {
            extensions.append(member)
        }
        if !extensions.isEmpty { members.append(.init("extensions", .object(extensions))) }
        return .object(members)
    }

    /// The instructions of all, each under its server's name; nil if nobody gave any.
    private static func instructions(_ parts: [Part]) -> JSONValue? {
        var text = ""
        for part in parts {
            guard let own = part.result?["instructions"]?.string, !own.isEmpty else { continue }
            let next = (text.isEmpty ? "" : "\n\n") + "# \(part.server)\n\n\(own)"
            guard text.utf8.count + next.utf8.count <= instructionLimit else { continue }
            text += next
        }
        return text.isEmpty ? nil : .string(text)
    }
}
