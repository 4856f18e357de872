// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON

/// What a listen asks for (2026-07-28, "Subscriptions").
package struct ListenFilter: Sendable, Equatable {
    /// Changes of the list of tools.
    package var tools = false
    /// Changes of the list of prompts.
    package var prompts = false
    /// Changes of the list of resources.
    package var resources = false
    /// Changes of these resources.
    package var uris: [String] = []
    /// Changes of these tasks; needs the extension.
    package var tasks: [String] = []

    /// How many resources, and how many tasks, a listen may name.
    package static let uriLimit = 1000

    /// Asks for nothing.
    package init() {}

    /// Reads `notifications` of a listen; nil if it is malformed or asks for too much.
    package init?(_ value: JSONValue?) {
        guard let value, value.members != nil else { return nil }
        func flag(_ name: String) -> Bool? {
            guard let member = value[name] else { return false }
            return member.bool
        }
        guard let tools = flag("toolsListChanged"), let prompts = flag("promptsListChanged"),
            let resources = flag("resourcesListChanged")
        else { return nil }
        self.tools = tools
        self.prompts = prompts
        self.resources = resources
        guard let uris = Self.strings(value["resourceSubscriptions"]),
            let tasks = Self.strings(value["taskIds"])
        else { return nil }
        self.uris = uris
        self.tasks = tasks
    }

    /// Strings, each once; nil if there are too many or others among them.
    private static func strings(_ value: JSONValue?) -> [String]? {
        guard let value else { return [] }
        guard let array = value.array, array.count <= uriLimit else { return nil }
        var seen: Set<[UInt8]> = []
        var texts: [String] = []
        for element in array {
            guard let text = element.string else { return nil }
            if seen.insert(Array(text.utf8)).inserted { texts.append(text) }
        }
        return texts
    }

    /// Whether nothing is asked for.
    package var isEmpty: Bool { self == ListenFilter() }

    /// What of it a server honours that declared these capabilities, as in the result of `initialize`.
    package func honoured(by capabilities: JSONValue?) -> ListenFilter {
        var filter = self
        filter.tools = tools && capabilities?["tools"]?["listChanged"]?.bool == true
        filter.prompts = prompts && capabilities?["prompts"]?["listChanged"]?.bool == true
        filter.resources = resources && capabilities?["resources"]?["listChanged"]?.bool == true
        if capabilities?["resources"]?["subscribe"]?.bool != true { filter.uris = [] }
        filter.tasks = []
        return filter
    }

    /// Whether a notification is one that was asked for; `uri` is that of a changed resource.
    package func covers(_ method: Method, uri: String?) -> Bool {
        switch method {
        case .toolsChanged: tools
        case .promptsChanged: prompts
        case .resourcesChanged: resources
        case .resourceUpdated: uri.map { uri in uris.contains { Self.covers($0, uri) } } ?? false
        default: false
        }
    }

    /// A resource that was subscribed to, or one below it (2025-11-25, "Subscriptions": a sub-resource may be named).
    private static func covers(_ subscribed: String, _ uri: String) -> Bool {
        if subscribed.hasSameBytes(as: uri) { return true }
        let prefix = subscribed.utf8.last == UInt8(ascii: "/") ? subscribed : subscribed + "/"
        return uri.utf8.starts(with: prefix.utf8)
    }

    /// As `notifications` of a listen or of its acknowledgement.
    package var value: JSONValue {
        var members: [JSONValue.Member] = []
        if tools { members.append(.init("toolsListChanged", true)) }
        if prompts { members.append(.init("promptsListChanged", true)) }
        if resources { members.append(.init("resourcesListChanged", true)) }
        if !uris.isEmpty { members.append(.init("resourceSubscriptions", .array(uris.map { .string($0) }))) }
        if !tasks.isEmpty { members.append(.init("taskIds", .array(tasks.map { .string($0) }))) }
        return .object(members)
    }
}
