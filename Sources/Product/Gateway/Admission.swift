// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import HTTPWire
import JSONRPC

/// The first station: which `Host` and `Origin` a request may carry, against pages that make a browser talk to us
/// (2026-07-28, transports, "Security Warning").
///
/// Always on. Loopback names are allowed where we listen on loopback; others must be configured.
package struct Admission: Sendable {
    private let hosts: [[UInt8]]
    private let origins: [[UInt8]]
    private let allowsLoopback: Bool

    /// Makes the station.
    ///
    /// - Parameters:
    ///   - hosts: Hosts in lower case; one without a port fits any.
    ///   - origins: Origins in lower case, to the letter.
    ///   - allowsLoopback: Whether the names of this machine are allowed beside them.
    package init(hosts: [String], origins: [String], allowsLoopback: Bool) {
        self.hosts = hosts.map { Array($0.utf8) }
        self.origins = origins.map { Array($0.utf8) }
        self.allowsLoopback = allowsLoopback
    }

    /// Lets a request in.
    ///
    /// - Parameters:
    ///   - head: Its head.
    ///   - forwardedHost: The host that the client wrote, where a trusted proxy tells it. It is looked at besides, not
    ///     instead: a proxy may let the client's own word through.
    /// - Returns: Its origin, if it has one.
    /// - Throws: A refusal, when a host or its origin is none that is served.
    package func admit(
        _ head: HTTPRequestHead,
        forwardedHost: ArraySlice<UInt8>? = nil
    ) throws(Refusal) -> ArraySlice<UInt8>? {
        guard let host = head.authority, isAllowed(host: host), forwardedHost.map(isAllowed(host:)) ?? true
        else {
            throw Refusal(403, .invalidRequest, "This host is not served here")
        }
        guard head.count(.origin) > 0 else {
            // A browser that leaves out the origin still says when a request crosses sites.
            if let site = head.value(.secFetchSite), site.equals("cross-site") {
                throw Refusal(403, .invalidRequest, "Requests of other sites are not served here")
            }
            return nil
        }
        guard head.count(.origin) == 1, let origin = head.value(.origin), isAllowed(origin: origin) else {
            throw Refusal(403, .invalidRequest, "This origin is not served here")
        }
        return origin
    }

    private func isAllowed(host: ArraySlice<UInt8>) -> Bool {
        // What loopback clients write, before anything is copied.
        if allowsLoopback, Self.isLoopback(Self.withoutPort(host)) { return true }
        let lower = host.map(ASCII.lowercased)
        let name = Self.withoutPort(lower[...])
        if allowsLoopback, Self.isLoopback(name) { return true }
        return hosts.contains { $0 == lower || $0.elementsEqual(name) }
    }

    private func isAllowed(origin: ArraySlice<UInt8>) -> Bool {
        let lower = origin.map(ASCII.lowercased)
        if origins.contains(lower) { return true }
        guard allowsLoopback else { return false }
        for scheme in ["http://", "https://"] where lower.starts(with: scheme.utf8) {
            let host = lower.dropFirst(scheme.utf8.count)
            return Self.isLoopback(Self.withoutPort(host)) && !host.contains(UInt8(ascii: "/"))
        }
        return false
    }

    private static func withoutPort(_ host: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let colon = host.lastIndex(of: UInt8(ascii: ":")) else { return host }
        // The colons of an address in brackets are not before a port.
        if let bracket = host.lastIndex(of: UInt8(ascii: "]")), bracket > colon { return host }
        let port = host[(colon + 1)...]
        guard !port.isEmpty, port.count <= 5, port.allSatisfy(ASCII.isDigit) else { return host }
        return host[..<colon]
    }

    private static func isLoopback(_ name: ArraySlice<UInt8>) -> Bool {
        name.equals("localhost") || name.equals("127.0.0.1") || name.equals("[::1]")
    }
}
