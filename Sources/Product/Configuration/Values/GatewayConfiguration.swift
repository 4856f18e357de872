// Gatehouse. SPDX-License-Identifier: MIT

package import Addresses
package import Egress

/// What a configuration file says, checked and with defaults filled in.
///
/// A pure value: reading it opened the file once, nothing looks at the file again. All forms in which clients write
/// their servers end in this one shape (docs/configuration.md).
package struct GatewayConfiguration: Sendable {
    /// The address to listen on: an IP literal or `localhost`.
    ///
    /// Anything but loopback needs `authentication` in words and at least one name in `hosts`; otherwise the
    /// configuration is refused.
    package var host = "127.0.0.1"

    /// The TCP port to listen on.
    ///
    /// 0 lets the system choose a free one.
    package var port: UInt16 = 8080

    /// Values of the `Host` header that are accepted beside the loopback names, in lower case.
    ///
    /// Without a port any port fits, with one only that. A request with another host is refused with status
    /// 403.
    package var hosts: [String] = []

    /// Values of the `Origin` header that are accepted beside none at all and the loopback origins, in lower
    /// case.
    ///
    /// A request with another origin is refused with status 403.
    package var origins: [String] = []

    /// How clients say who they are.
    package var authentication = Authentication.unstated

    /// The name written as `default`: the server that answers at `/mcp`.
    package var statedDefault: String?

    /// The address by which clients reach the gateway, where that is printed; nil prints the address it listens on.
    package var publicURL: String?

    /// How the listener speaks TLS; nil speaks plain HTTP.
    package var tls: TLSConfiguration?

    /// Proxies whose forwarding fields are believed.
    package var trustedProxies: [AddressRange] = []

    /// The file that this was read from, absolute; nil if it was none.
    package var file: String?

    /// The directory of what outlives the gateway; nil keeps nothing.
    package var state: String?

    /// When everything idle is cleaned up, beside the sweep of every second; nil leaves it to that.
    package var cleanupSchedule: CleanupSchedule?

    /// Whether `/metrics` and `/api/session_metrics` answer; nil says yes on loopback and no elsewhere.
    package var metrics: Bool?

    /// How the log is written.
    package var log = LogConfiguration()

    /// Where spans of calls are sent; nil sends none.
    package var tracing: TracingConfiguration?

    /// What outgoing requests may reach.
    package var egress = EgressRules()

    /// What answers at `/mcp` where there are several servers and no default; nil lets nothing answer.
    package var federation: FederationConfiguration? = FederationConfiguration()

    /// Bounds on counts and bytes.
    package var limits = Limits()

    /// Bounds on waiting.
    package var timeouts = Timeouts()

    /// The servers in the order of the file, those with a problem and those that are turned off among them.
    package var servers: [ServerConfiguration] = []

    /// Everything at its default, and no server.
    package init() {}

    /// The server that answers at `/mcp`: the one named by `default`, else the only one that is enabled, else nil.
    package var defaultServer: ServerConfiguration? {
        if let statedDefault { return servers.first { $0.name == statedDefault } }
        let enabled = servers.filter(\.isEnabled)
        return enabled.count == 1 ? enabled[0] : nil
    }

    /// The path of `publicURL`, without a slash at its end.
    package var publicPath: String {
        guard let publicURL, let scheme = publicURL.firstRange(of: "://") else { return "" }
        let rest = publicURL[scheme.upperBound...]
        guard var path = rest.firstIndex(of: "/").map({ rest[$0...] }) else { return "" }
        while path.last == "/" { path.removeLast() }
        return String(path)
    }

    /// Whether `host` can only be reached from this machine.
    package var bindsToLoopback: Bool { HostName.isLoopback(host) }
}

/// How clients of the gateway say who they are.
package enum Authentication: Sendable, Equatable {
    /// The configuration does not say. Everyone is anonymous, and only a loopback address may be listened on.
    case unstated
    /// `"authentication": "none"`: everyone is anonymous, on any address, and the operator said so.
    case none
}
