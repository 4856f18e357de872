// Gatehouse. SPDX-License-Identifier: MIT

import Addresses

/// Names and addresses of hosts, as far as a configuration has to judge them.
package enum HostName {
    /// Whether an address to listen on can only be reached from this machine: 127.0.0.0/8, `::1`, `localhost`.
    package static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" || host == "::1" || host == "[::1]" { return true }
        guard let address = IPAddress(host), address.bytes.count == 4 else { return false }
        return address.bytes[0] == 127
    }

    /// Whether a text is an address to listen on: an IPv4 or IPv6 literal, or `localhost`.
    static func isListenable(_ host: String) -> Bool {
        host.lowercased() == "localhost" || IPAddress(host) != nil
    }

    /// Whether a text may stand in a `Host` header: a name or an address (IPv6 in brackets), and perhaps a port.
    static func isHostValue(_ value: String) -> Bool {
        var name = value[...]
        if value.hasPrefix("[") {
            guard let end = value.firstIndex(of: "]") else { return false }
            let literal = value[value.index(after: value.startIndex)..<end]
            guard IPAddress(literal)?.bytes.count == 16 else { return false }
            return isPortSuffix(value[value.index(after: end)...])
        }
        if let colon = value.firstIndex(of: ":") {
            guard isPortSuffix(value[colon...]) else { return false }
            name = value[..<colon]
        }
        guard !name.isEmpty, name.utf8.count <= 253 else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    /// Whether a text is an origin: scheme, `://`, host and perhaps a port, and nothing more.
    static func isOrigin(_ value: String) -> Bool {
        let parts = value.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].isEmpty, parts[0].count > 1, parts[0].hasSuffix(":") else {
            return false
        }
        let scheme = parts[0].dropLast()
        guard scheme.utf8.allSatisfy({ $0 < 0x80 && ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A || $0 == 0x2D) })
        else { return false }
        return isHostValue(String(parts[2]))
    }

    private static func isPortSuffix(_ text: Substring) -> Bool {
        if text.isEmpty { return true }
        guard text.hasPrefix(":"), text.utf8.count <= 6 else { return false }
        let digits = text.dropFirst()
        guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return false }
        return UInt16(digits) != nil
    }
}
