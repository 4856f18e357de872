// Gatehouse. SPDX-License-Identifier: MIT

/// What an address is for, by the special-purpose registries of IANA (RFC 6890 and its successors).
///
/// Only `public` ones belong to somebody on the internet. All others mean this machine, this network, or nobody, and those
/// that carry an address within them (mapped, NAT64, 6to4, Teredo) could be a detour to one of these.
package enum AddressClass: String, Sendable, CaseIterable {
    /// Somebody's on the internet.
    case `public`
    /// This machine: 127.0.0.0/8, `::1`.
    case loopback
    /// No host in particular; systems take it for this machine.
    case unspecified
    /// A private network (RFC 1918).
    case `private`
    /// A private network of version 6 (RFC 4193).
    case uniqueLocal = "unique local"
    /// The wire at hand (RFC 3927, RFC 4291).
    case linkLocal = "link-local"
    /// What version 6 had for private networks before (RFC 3879).
    case siteLocal = "site-local"
    /// Between providers and their customers (RFC 6598).
    case shared = "carrier-grade NAT"
    /// Where clouds tell machines their secrets.
    case metadata = "cloud metadata"
    /// Groups.
    case multicast
    /// Examples in texts.
    case documentation
    /// Measurements of networks (RFC 2544).
    case benchmarking
    /// What protocols need for themselves (RFC 6890, RFC 2928).
    case assigned = "protocol assignment"
    /// Version 4 within version 6, as sockets have it (RFC 4291 §2.5.5.2).
    case mapped = "IPv4-mapped"
    /// Version 4 within version 6, as it once was (RFC 4291 §2.5.5.1).
    case compatible = "IPv4-compatible"
    /// Version 4 behind a translator (RFC 6052, RFC 8215).
    case translated = "NAT64"
    /// Version 4 behind a tunnel (RFC 3056, RFC 7526).
    case sixToFour = "6to4"
    /// Version 4 behind a tunnel (RFC 4380).
    case teredo
    /// What is dropped (RFC 6666).
    case discard
    /// Nobody's yet.
    case reserved

    /// The class of an address, and the range by which it is told; nil where no range says so.
    package static func of(_ address: IPAddress) -> (AddressClass, AddressRange?) {
        guard address.unmapped == address else { return (.mapped, nil) }
        for (range, found) in ranges where range.contains(address) { return (found, range) }
        if address.bytes.count == 16, address.bytes[0] & 0xE0 != 0x20 { return (.reserved, nil) }
        return (.public, nil)
    }

    /// Ranges with a purpose, narrower ones first.
    static let ranges: [(AddressRange, AddressClass)] = table.compactMap { text, found in
        AddressRange(text).map { ($0, found) }
    }

    static let table: [(String, AddressClass)] = [
        ("169.254.169.254", .metadata), ("168.63.129.16", .metadata), ("100.100.100.200", .metadata),
        ("fd00:ec2::254", .metadata), ("fd20:ce::254", .metadata),
        ("0.0.0.0/8", .unspecified), ("10.0.0.0/8", .private), ("100.64.0.0/10", .shared),
        ("127.0.0.0/8", .loopback), ("169.254.0.0/16", .linkLocal), ("172.16.0.0/12", .private),
        ("192.0.0.0/24", .assigned), ("192.0.2.0/24", .documentation), ("192.88.99.0/24", .sixToFour),
        ("192.168.0.0/16", .private), ("198.18.0.0/15", .benchmarking), ("198.51.100.0/24", .documentation),
        ("203.0.113.0/24", .documentation), ("224.0.0.0/4", .multicast), ("240.0.0.0/4", .reserved),
        ("::", .unspecified), ("::1", .loopback), ("::/96", .compatible),
        ("64:ff9b::/96", .translated), ("64:ff9b:1::/48", .translated), ("100::/64", .discard),
        ("2001::/32", .teredo), ("2001::/23", .assigned), ("2001:db8::/32", .documentation),
        ("2002::/16", .sixToFour), ("3fff::/20", .documentation), ("fc00::/7", .uniqueLocal),
        ("fe80::/10", .linkLocal), ("fec0::/10", .siteLocal), ("ff00::/8", .multicast),
    ]
}
