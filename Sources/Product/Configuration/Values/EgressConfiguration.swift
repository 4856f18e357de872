// Gatehouse. SPDX-License-Identifier: MIT

/// What outgoing requests may reach beside public addresses over https (`gateway.egress`).
package struct EgressConfiguration: Sendable, Equatable {
    /// One thing that may be reached.
    package enum Rule: Sendable, Hashable {
        /// A host by its name, in lower case, wherever it leads.
        case host(String)
        /// The addresses of a range.
        case range(AddressRange)
    }

    /// What may be reached.
    package var allow: [Rule] = []

    /// Nothing beside public addresses.
    package init() {}
}

/// Several servers under one name at `/mcp` (`gateway.federation`).
package struct FederationConfiguration: Sendable, Equatable {
    /// The servers, in this order; nil takes all that are enabled.
    package var servers: [String]?
    /// What stands between a server's name and a tool's where both are needed.
    package var separator = "_"

    /// All servers.
    package init() {}
}
