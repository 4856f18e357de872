// Gatehouse. SPDX-License-Identifier: MIT

/// Several servers under one name at `/mcp` (`gateway.federation`).
package struct FederationConfiguration: Sendable, Equatable {
    /// The servers, in this order; nil takes all that are enabled.
    package var servers: [String]?
    /// What stands between a server's name and a tool's where both are needed.
    package var separator = "_"

    /// All servers.
    package init() {}
}
