// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON
import MCPCore

/// What a client wants to be told of without asking each time.
package struct SubscriptionFilter: Sendable, Equatable {
    /// Whether the list of tools has changed.
    package var tools = false
    /// Whether the list of prompts has changed.
    package var prompts = false
    /// Whether the list of resources has changed.
    package var resources = false
    /// The resources whose changes are wanted.
    package var uris: [String] = []
    /// The tasks whose changes are wanted; needs the extension, and the modern era.
    package var tasks: [String] = []

    /// A filter that wants nothing yet.
    package init() {}

    /// Whether nothing is wanted.
    package var isEmpty: Bool { self == SubscriptionFilter() }

    /// The filter as the modern era writes it (2026-07-28, "Subscriptions").
    package var value: JSONValue {
        var members: [JSONValue.Member] = []
        if tools { members.append(.init("toolsListChanged", true)) }
        if prompts { members.append(.init("promptsListChanged", true)) }
        if resources { members.append(.init("resourcesListChanged", true)) }
        if !uris.isEmpty { members.append(.init("resourceSubscriptions", .array(uris.map { .string($0) }))) }
        if !tasks.isEmpty { members.append(.init("taskIds", .array(tasks.map { .string($0) }))) }
        return .object(members)
    }

    /// Reads a filter as the modern era writes it.
    package init(_ value: JSONValue) {
        tools = value["toolsListChanged"]?.bool ?? false
        prompts = value["promptsListChanged"]?.bool ?? false
        resources = value["resourcesListChanged"]?.bool ?? false
        uris = value["resourceSubscriptions"]?.array?.compactMap(\.string) ?? []
        tasks = value["taskIds"]?.array?.compactMap(\.string) ?? []
    }

    /// Whether a notification of a legacy server is wanted.
    ///
    /// An update may be about a part of the resource that was subscribed to (2025-11-25, resources, "Subscriptions").
    package func wants(_ method: String, _ params: JSONValue) -> Bool {
        switch Method(method.utf8) {
        case .toolsChanged: return tools
        case .promptsChanged: return prompts
        case .resourcesChanged: return resources
        case .resourceUpdated:
            guard let uri = params["uri"]?.string?.utf8 else { return false }
            return uris.contains { uri.starts(with: $0.utf8) }
        default: return false
        }
    }

    /// What of it a server of the legacy era serves by what it declared.
    func served(by server: ServerDescription) -> SubscriptionFilter {
        var served = self
        served.tools = tools && server.notifies("tools")
        served.prompts = prompts && server.notifies("prompts")
        served.resources = resources && server.notifies("resources")
        served.tasks = []
        return served
    }
}

extension ServerDescription {
    /// Whether it tells when a list has changed.
    package func notifies(_ capability: String) -> Bool {
        capabilities[capability]?["listChanged"]?.bool == true
    }

    /// Whether single resources can be subscribed to.
    package var takesSubscriptions: Bool { capabilities["resources"]?["subscribe"]?.bool == true }
}
