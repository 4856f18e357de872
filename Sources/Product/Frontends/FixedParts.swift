// Gatehouse. SPDX-License-Identifier: MIT

import Configuration

extension GatewayConfiguration {
    /// The keys of `gateway` that only a restart can change, and whether another configuration says the same.
    func fixedParts(comparedTo other: GatewayConfiguration) -> [(name: String, isSame: Bool)] {
        [
            ("host", host == other.host), ("port", port == other.port), ("tls", tls == other.tls),
            ("trustedProxies", trustedProxies == other.trustedProxies), ("state", state == other.state),
            ("metrics", metrics == other.metrics), ("log", log == other.log),
            ("tracing", tracing == other.tracing), ("publicURL", publicURL == other.publicURL),
            ("timeouts.heartbeat", timeouts.heartbeat == other.timeouts.heartbeat),
        ]
    }

    /// The configuration with what only a restart can change as it was.
    func keepingFixedParts(of old: GatewayConfiguration) -> GatewayConfiguration {
        var next = self
        next.host = old.host
        next.port = old.port
        next.tls = old.tls
        next.trustedProxies = old.trustedProxies
        next.state = old.state
        next.metrics = old.metrics
        next.log = old.log
        next.tracing = old.tracing
        next.publicURL = old.publicURL
        next.timeouts.heartbeat = old.timeouts.heartbeat
        return next
    }
}
