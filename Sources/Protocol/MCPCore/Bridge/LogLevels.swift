// Gatehouse. SPDX-License-Identifier: MIT

/// How much a log message matters (RFC 5424, least first).
package enum LogSeverity: String, Sendable, CaseIterable, Comparable {
    case debug, info, notice, warning, error, critical, alert, emergency

    /// Less important first.
    package static func < (left: LogSeverity, right: LogSeverity) -> Bool { left.rank < right.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// Finds a level by its name, compared by bytes.
    package init?(bytes: some Collection<UInt8>) {
        guard let found = Self.allCases.first(where: { bytes.elementsEqual($0.rawValue.utf8) }) else {
            return nil
        }
        self = found
    }
}

/// Which level a legacy server is set to while modern requests want different ones (2025-11-25, "Logging").
///
/// The server has one level for all; each request has its own. The server is set to the lowest that any request wanted so
/// far, and what it says is filtered for each. Starts unset; `reset` when the server was started anew.
package struct LogLevels: Sendable {
    private var set: LogSeverity?

    /// Starts with a server that was told nothing.
    package init() {}

    /// A request wants messages from this level on; the level to set the server to, if it must be changed.
    package mutating func want(_ level: LogSeverity) -> LogSeverity? {
        if let set, set <= level { return nil }
        set = level
        return level
    }

    /// The server forgot its level: the next request that wants messages sets it anew.
    package mutating func reset() {
        set = nil
    }
}
