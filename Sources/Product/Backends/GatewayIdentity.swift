// Gatehouse. SPDX-License-Identifier: MIT

package import JSON
import MCPCore

/// Who we say we are on requests of our own.
package enum GatewayIdentity {
    /// The version of this program.
    package static let version = "0.1.0"

    /// Our name and version, as MCP's `Implementation`.
    package static let implementation: JSONValue = ["name": "gatehouse", "version": .string(version)]

    /// `_meta` of a modern request of our own.
    package static let modernMeta: JSONValue = .object([
        .init("\(MetaKey.protocolVersion)", .string(Revision.modern.rawValue)),
        .init("\(MetaKey.clientInfo)", implementation),
        .init("\(MetaKey.clientCapabilities)", .object([])),
    ])
}
