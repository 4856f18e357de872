// Gatehouse. SPDX-License-Identifier: MIT

package import Diagnostics

/// How the log is written (`gateway.log`).
package struct LogConfiguration: Sendable, Equatable {
    /// The form of a line.
    package enum Format: String, Sendable, CaseIterable {
        /// For people.
        case human
        /// An object of JSON.
        case json
    }

    /// How much is said.
    package enum Level: String, Sendable, CaseIterable {
        /// Everything that happens.
        case debug
        /// What an operator wants to know.
        case info
        /// What may need an operator.
        case warning
        /// What does.
        case error
    }

    /// The form of a line.
    package var format = Format.human
    /// How much is said, where the file says it; `--log-level` goes first.
    package var level: Level?
    /// The same for single subsystems.
    package var levels: [LogSubsystem: Level] = [:]

    /// The defaults.
    package init() {}
}

/// Where spans of calls are sent (`gateway.tracing`).
package struct TracingConfiguration: Sendable, Equatable {
    /// The collector, over OTLP/HTTP: `http://127.0.0.1:4318/v1/traces`.
    package var endpoint: String
    /// Fields that every request to it carries; they may hold secrets.
    package var headers: [RemoteEndpoint.Header] = []
    /// The name under which the gateway appears.
    package var serviceName = "gatehouse"
    /// Of how many traces that begin here one in all is kept: 0 … 1.
    ///
    /// One that a client began is kept if the client says so.
    package var sampleRatio = 1.0

    /// A collector, and everything else at its default.
    package init(endpoint: String) {
        self.endpoint = endpoint
    }
}
