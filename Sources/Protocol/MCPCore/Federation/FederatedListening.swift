// Gatehouse. SPDX-License-Identifier: MIT

/// One listen of a modern client at several servers: when it is acknowledged, and with what (2026-07-28,
/// "Subscriptions").
///
/// It starts with the servers that are asked. It is acknowledged once, when all of them have answered or their time is over;
/// what they tell before waits. A server that is lost is asked again later, and what it tells then goes on.
package struct FederatedListening: Sendable {
    /// What is to be done.
    package enum Action: Equatable, Sendable {
        /// Acknowledge the listen, with what is honoured; what waits follows.
        case acknowledge(ListenFilter)
        /// Tell the client that the lists of a server that is back may have changed.
        case tellChanges
    }

    /// What becomes of something that a server tells.
    package enum Course: Equatable, Sendable {
        /// It goes to the client.
        case pass
        /// It waits for the acknowledgement.
        case hold
        /// There is no room for it.
        case drop
    }

    /// Notices that wait for the acknowledgement.
    private static let holdLimit = 256

    private let wanted: ListenFilter
    private var waiting: Set<Int>
    private var honoured: [Int: ListenFilter] = [:]
    private var held = 0
    /// Whether the client has been told what is honoured.
    package private(set) var isAcknowledged = false

    /// Starts with servers that are asked.
    package init(_ wanted: ListenFilter, asking members: Set<Int>) {
        self.wanted = wanted
        waiting = members
    }

    /// A server has acknowledged its part.
    package mutating func acknowledged(_ member: Int, _ filter: ListenFilter) -> [Action] {
        let isNew = honoured[member] == nil
        honoured[member] = filter
        guard isAcknowledged else {
            waiting.remove(member)
            return settled()
        }
        return isNew ? [.tellChanges] : []
    }

    /// A server refused its part, ended it, or is gone.
    package mutating func ended(_ member: Int) -> [Action] {
        honoured[member] = nil
        guard !isAcknowledged, waiting.remove(member) != nil else { return [] }
        return settled()
    }

    /// The time to answer is over.
    package mutating func expired() -> [Action] {
        guard !isAcknowledged else { return [] }
        waiting = []
        return acknowledge()
    }

    /// A server tells something.
    package mutating func told() -> Course {
        guard !isAcknowledged else { return .pass }
        guard held < Self.holdLimit else { return .drop }
        held += 1
        return .hold
    }

    private mutating func settled() -> [Action] {
        waiting.isEmpty ? acknowledge() : []
    }

    /// The lists change here whenever a server comes or goes, so that these are always honoured, even if no server would
    /// tell of its own.
    private mutating func acknowledge() -> [Action] {
        isAcknowledged = true
        var filter = wanted
        filter.uris = wanted.uris.filter { uri in
            honoured.values.contains { $0.uris.contains { $0.utf8.elementsEqual(uri.utf8) } }
        }
        filter.tasks = wanted.tasks.filter { task in
            honoured.values.contains { $0.tasks.contains { $0.utf8.elementsEqual(task.utf8) } }
        }
        return [.acknowledge(filter)]
    }
}
