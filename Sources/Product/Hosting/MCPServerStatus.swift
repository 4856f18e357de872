// Gatehouse. SPDX-License-Identifier: MIT

import Frontends

/// What an `MCPFunctionApp` is at.
public struct MCPServerStatus: Sendable {
    /// Where it is in its life.
    public enum State: String, Sendable {
        /// It was not started, or has been stopped.
        case stopped
        /// It takes requests.
        case running
        /// It takes no more, and finishes those that it has.
        case stopping
    }

    /// One of its servers.
    public struct Server: Sendable {
        /// Its name.
        public let name: String
        /// Why it cannot serve, if it cannot.
        public let problem: String?
        /// How many sessions it has.
        public let activeSessions: Int
        /// How many processes it has.
        public let processes: Int
    }

    /// Where it is in its life.
    public let state: State
    /// How its programs are reached.
    public let mode: MCPMode
    /// Where clients find it, without a path; nil unless it runs.
    public let url: String?
    /// Its servers; none unless it runs.
    public let servers: [Server]

    /// How many sessions there are in all.
    public var activeSessions: Int { servers.reduce(0) { $0 + $1.activeSessions } }
    /// How many processes there are in all.
    public var totalProcesses: Int { servers.reduce(0) { $0 + $1.processes } }

    init(_ state: State, _ mode: MCPMode, url: String?, _ status: GatewayStatus?) {
        self.state = state
        self.mode = mode
        self.url = url
        servers = (status?.servers ?? []).map {
            Server(
                name: $0.name,
                problem: $0.problem,
                activeSessions: $0.sessions,
                processes: $0.processes
            )
        }
    }
}
