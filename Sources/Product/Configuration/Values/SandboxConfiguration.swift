// Gatehouse. SPDX-License-Identifier: MIT

/// How a server's processes are confined (`sandbox` of a server).
package struct SandboxConfiguration: Sendable, Equatable {
    /// How much is hidden from them.
    package enum Level: String, Sendable, CaseIterable {
        /// Nothing but what the user of the gateway may not see either.
        case none
        /// Other processes, other servers' files, and /tmp.
        case `private`
        /// Besides, nothing of the system may be written, there is no network, and memory and processes are bounded.
        case strict
    }

    /// How much is hidden.
    package var level = Level.none
    /// Whether the network is there under `strict`.
    package var network = false
    /// Bytes of memory under `strict`; nil takes the default.
    package var memory: Int?
    /// Processes and threads at once under `strict`; nil takes the default.
    package var processes: Int?
    /// More paths that may be read.
    package var readable: [String] = []
    /// More paths that may be written.
    package var writable: [String] = []

    /// No confinement, or that of a level.
    package init(_ level: Level = .none) {
        self.level = level
    }
}
