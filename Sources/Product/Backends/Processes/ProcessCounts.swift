// Gatehouse. SPDX-License-Identifier: MIT

import Children

/// What happened so far with the processes of one server.
package struct ProcessCounts: Sendable, Equatable {
    /// How a process ended.
    package enum ExitKind: String, Sendable, CaseIterable {
        /// The gateway ended it.
        case stopped
        /// It ended by itself, with status 0.
        case exited
        /// It ended by itself, with another status.
        case failed
        /// A signal ended it that was not the gateway's.
        case signaled
        /// It ended by itself, after it had come to a bound of its sandbox.
        case bounded
    }

    /// Processes that run, those that only show what the server speaks among them.
    package internal(set) var starts = 0
    /// Processes that could not be started.
    package internal(set) var startFailures = 0
    /// Starts in the place of a process that had died.
    package internal(set) var restarts = 0
    /// Processes that ended, in the order of `ExitKind.allCases`.
    package private(set) var exits = [Int](repeating: 0, count: ExitKind.allCases.count)
    /// How the last one ended that nobody had told to, in words.
    package private(set) var lastExit: String?

    /// Counts an end.
    mutating func note(_ exit: ChildExit, isExpected: Bool) {
        if !isExpected { lastExit = "\(exit)" }
        let kind: ExitKind
        switch exit {
        case _ where isExpected: kind = .stopped
        case .exited(0): kind = .exited
        case .exited: kind = .failed
        case .signaled: kind = .signaled
        case .bounded: kind = .bounded
        }
        for (index, other) in ExitKind.allCases.enumerated() where other == kind { exits[index] += 1 }
    }
}

/// What the processes of one server are at, or its lines if it runs elsewhere, and what happened with them so far.
package struct BackendStatistics: Sendable, Equatable {
    /// Its processes that run, the oldest first.
    package var reports: [ServerReport] = []
    /// What happened so far.
    package var counts = ProcessCounts()
    /// Messages of the server that went nowhere, by reason.
    package var dropped: [String: Int] = [:]

    /// Whether nothing is started but one process at a time that is tried, since they keep dying.
    package var isLeftAlone = false
    /// What it is at, if it runs elsewhere.
    package var remote: RemoteReport?

    /// Of a server without processes.
    package init() {}
}
