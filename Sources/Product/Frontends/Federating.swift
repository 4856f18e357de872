// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Configuration
import Diagnostics
import EventLoop

extension GatewayConfiguration {
    /// What answers at `/mcp` for several servers, if the configuration wants that.
    ///
    /// Its name is that of no server, so that nothing of it is ever taken for something of one.
    func federation(
        of servers: [any Backend],
        places: MemberPlaces,
        on loop: EventLoop,
        log: Log
    ) -> FederatedBackend? {
        guard let federation, statedDefault == nil else { return nil }
        let members: [any Backend]
        if let named = federation.servers {
            members = named.compactMap { name in servers.first { $0.name == name } }
        } else {
            members = servers
        }
        guard !members.isEmpty else { return nil }
        return FederatedBackend(
            members,
            name: Self.federationName(besides: servers.map(\.name)),
            settings: federationSettings(log: log),
            places: places,
            on: loop
        )
    }

    /// The name of the federation: that of no server.
    static func federationName(besides names: [String]) -> String {
        names.contains("federation") ? "federation.of.all" : "federation"
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
        let log = log.of(.federation)
        settings.log = { log.info($0) }
        return settings
    }
}
