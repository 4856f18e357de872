// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Configuration
import Diagnostics
import EventLoop

extension GatewayConfiguration {
    /// What answers at `/mcp` for several servers, if the configuration wants that.
    ///
    /// Its name is that of no server, so that nothing of it is ever taken for something of one.
    func federation(of servers: [any Backend], on loop: EventLoop, log: Log) -> FederatedBackend? {
        guard let federation, statedDefault == nil else { return nil }
        let members: [any Backend]
        if let named = federation.servers {
            members = named.compactMap { name in servers.first { $0.name == name } }
        } else {
            members = servers
        }
        guard !members.isEmpty else { return nil }
        let isTaken = servers.contains { $0.name == "federation" }
        return FederatedBackend(
            members,
            name: isTaken ? "federation.of.all" : "federation",
            settings: federationSettings(log: log),
            on: loop
        )
    }

    /// How the federation goes about it.
    func federationSettings(log: Log) -> FederationSettings {
        var settings = FederationSettings()
        settings.separator = federation?.separator ?? settings.separator
        settings.memberDeadline = timeouts.federation.wholeMilliseconds
        settings.patience = timeouts.requestState.wholeMilliseconds
        settings.inFlight = limits.inFlight
        settings.connections = limits.connections
        settings.idleLimit = timeouts.session.wholeMilliseconds
        let log = log.of("federation")
        settings.log = { log.info($0) }
        return settings
    }
}
