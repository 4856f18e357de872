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

    /// How many resources a listen may name.
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
        guard let listed = value["resourceSubscriptions"] else { return }
        guard let array = listed.array, array.count <= Self.uriLimit else { return nil }
        var seen: Set<[UInt8]> = []
        for uri in array {
            guard let text = uri.string else { return nil }
            if seen.insert(Array(text.utf8)).inserted { uris.append(text) }
        }
    }

    /// Whether nothing is asked for.
    package var isEmpty: Bool { !tools && !prompts && !resources && uris.isEmpty }

    /// What of it a server honours that declared these capabilities, as in the result of `initialize`.
    package func honoured(by capabilities: JSONValue?) -> ListenFilter {
        var filter = self
        filter.tools = tools && capabilities?["tools"]?["listChanged"]?.bool == true
        filter.prompts = prompts && capabilities?["prompts"]?["listChanged"]?.bool == true
        filter.resources = resources && capabilities?["resources"]?["listChanged"]?.bool == true
        if capabilities?["resources"]?["subscribe"]?.bool != true { filter.uris = [] }
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
        return .object(members)
    }
}

/// How many listens of modern callers want each resource, so that a legacy server is told when the first comes and when
/// the last is gone (2025-11-25, "Resources", "Subscriptions").
package struct SubscriptionCounts: Sendable {
    private var listens: [Int: ListenFilter] = [:]
    /// By the bytes of the URI: Unicode holds more strings to be equal than a server does.
    private var counts: [[UInt8]: Int] = [:]

    /// How many listens may be open.
    package let capacity: Int

    /// Starts without listens.
    package init(capacity: Int = 1000) {
        self.capacity = capacity
    }

    /// The open listens, oldest first.
    package var keys: [Int] { listens.keys.sorted() }
    /// The resources that somebody wants.
    package var uris: [String] { counts.keys.map { String(decoding: $0, as: UTF8.self) }.sorted() }

    /// A listen begins.
    ///
    /// - Returns: The resources that the server must be asked for now; nil if too many listens are open.
    package mutating func add(_ key: Int, _ filter: ListenFilter) -> [String]? {
        guard listens[key] == nil, listens.count < capacity else { return nil }
        listens[key] = filter
        var new: [String] = []
        for uri in filter.uris {
            let count = counts[Array(uri.utf8), default: 0]
            counts[Array(uri.utf8)] = count + 1
            if count == 0 { new.append(uri) }
        }
        return new
    }

    /// A listen ends; the resources that nobody wants any more.
    package mutating func remove(_ key: Int) -> [String] {
        guard let filter = listens.removeValue(forKey: key) else { return [] }
        var gone: [String] = []
        for uri in filter.uris {
            guard let count = counts[Array(uri.utf8)] else { continue }
            counts[Array(uri.utf8)] = count > 1 ? count - 1 : nil
            if count == 1 { gone.append(uri) }
        }
        return gone
    }

    /// The listens that a notification goes to, oldest first.
    package func listeners(of method: Method, uri: String?) -> [Int] {
        listens.filter { $0.value.covers(method, uri: uri) }.keys.sorted()
    }
}
