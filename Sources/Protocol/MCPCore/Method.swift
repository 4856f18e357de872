// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON

/// The methods that the gateway itself knows; any other is `other` and relayed by its name.
package enum Method: String, Sendable, CaseIterable {
    // Both eras.
    case toolsList = "tools/list"
    case toolsCall = "tools/call"
    case resourcesList = "resources/list"
    case resourcesTemplatesList = "resources/templates/list"
    case resourcesRead = "resources/read"
    case promptsList = "prompts/list"
    case promptsGet = "prompts/get"
    case complete = "completion/complete"

    // The modern era.
    case discover = "server/discover"
    case listen = "subscriptions/listen"
    case acknowledged = "notifications/subscriptions/acknowledged"

    // The legacy era.
    case initialize
    case initialized = "notifications/initialized"
    case ping
    case setLevel = "logging/setLevel"
    case subscribe = "resources/subscribe"
    case unsubscribe = "resources/unsubscribe"
    case rootsChanged = "notifications/roots/list_changed"
    case elicitationComplete = "notifications/elicitation/complete"

    // Tasks: core in 2025-11-25, an extension since.
    case tasksGet = "tasks/get"
    case tasksUpdate = "tasks/update"
    case tasksCancel = "tasks/cancel"
    case tasksResult = "tasks/result"
    case tasksList = "tasks/list"

    // Asked of the client.
    case createMessage = "sampling/createMessage"
    case elicit = "elicitation/create"
    case rootsList = "roots/list"

    // Notifications of both eras.
    case cancelled = "notifications/cancelled"
    case progress = "notifications/progress"
    case logMessage = "notifications/message"
    case toolsChanged = "notifications/tools/list_changed"
    case resourcesChanged = "notifications/resources/list_changed"
    case resourceUpdated = "notifications/resources/updated"
    case promptsChanged = "notifications/prompts/list_changed"
    case tasksNotice = "notifications/tasks"

    /// Some other method.
    case other = ""

    private static let byLength: [Int: [Method]] = Dictionary(grouping: allCases) { $0.rawValue.utf8.count }

    /// Finds a method by its name, compared by bytes.
    package init(_ name: some Collection<UInt8>) {
        self = Self.byLength[name.count]?.first { name.elementsEqual($0.rawValue.utf8) } ?? .other
    }

    /// Finds a method by its name in a text.
    package init(_ name: JSONString, in bytes: Span<UInt8>) {
        if name.hasEscapes {
            self.init(JSONEscapes.decode(bytes.extracting(name.slice.range)) ?? [])
            return
        }
        // The calls that make up nearly all of the traffic first.
        let text = bytes.extracting(name.slice.range)
        if text.equals("tools/call") {
            self = .toolsCall
        } else if text.equals("notifications/progress") {
            self = .progress
        } else {
            self.init([UInt8](text))
        }
    }

    /// Whether the modern era took the method out (2026-07-28, changelog).
    package var isRemovedInModern: Bool {
        switch self {
        case .initialize, .ping, .setLevel, .subscribe, .unsubscribe, .tasksResult, .tasksList: true
        default: false
        }
    }

    /// Whether a server of the modern era may answer it with `input_required`.
    package var mayNeedInput: Bool {
        self == .toolsCall || self == .promptsGet || self == .resourcesRead
    }

    /// Whether it is about a task.
    package var isTask: Bool {
        switch self {
        case .tasksGet, .tasksUpdate, .tasksCancel, .tasksResult, .tasksList: true
        default: false
        }
    }

    /// Whether it asks about one task of the extension.
    package var isAboutTask: Bool {
        self == .tasksGet || self == .tasksUpdate || self == .tasksCancel
    }

    /// Whether its result carries `nextCursor`.
    package var isPaginated: Bool {
        switch self {
        case .toolsList, .resourcesList, .resourcesTemplatesList, .promptsList, .tasksList: true
        default: false
        }
    }
}
