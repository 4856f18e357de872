// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Gateway
import HTTPServer
import Sessions

/// What a gateway is at.
package struct GatewayStatus: Sendable {
    /// One of its servers.
    package struct Server: Sendable {
        /// Its name.
        package let name: String
        /// Why it cannot serve, if it cannot.
        package let problem: String?
        /// How many sessions of the legacy era it has.
        package let sessions: Int
        /// How many processes it has.
        package let processes: Int
    }

    /// Its servers, in the order of the configuration.
    package let servers: [Server]
    /// How many connections of clients are open.
    package let connections: Int
}

extension GatewayServer {
    /// What it is at; on the loop.
    package var status: GatewayStatus {
        let sessions = context.pipeline.sessions
        let servers = context.pipeline.registry.all.map {
            GatewayStatus.Server(
                name: $0.name,
                problem: $0.problem,
                sessions: sessions.count(server: $0.name),
                processes: $0.processCount
            )
        }
        return GatewayStatus(servers: servers, connections: server?.connectionCount ?? 0)
    }
}
