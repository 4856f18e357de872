// Gatehouse. SPDX-License-Identifier: MIT

/// Names and addresses of hosts, as far as a configuration has to judge them.
package enum HostName {
    /// Whether an address to listen on can only be reached from this machine: 127.0.0.0/8, `::1`, `localhost`.
    package static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" || host == "::1" || host == "[::1]" { return true }
        guard let bytes = ipv4(host) else { return false }
        return bytes[0] == 127
    }

    /// Whether a text is an address to listen on: an IPv4 or IPv6 literal, or `localhost`.
    static func isListenable(_ host: String) -> Bool {
        host.lowercased() == "localhost" || ipv4(host) != nil || isIPv6(host)
    }

    /// Whether a text may stand in a `Host` header: a name or an address (IPv6 in brackets), and perhaps a port.
    static func isHostValue(_ value: String) -> Bool {
        var name = value[...]
        if value.hasPrefix("[") {
            guard let end = value.firstIndex(of: "]") else { return false }
            guard isIPv6(String(value[value.index(after: value.startIndex)..<end])) else { return false }
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

    /// The four bytes of a dotted address without leading zeros.
    private static func ipv4(_ text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard part.utf8.count <= 3, part.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
            guard part.utf8.count == 1 || !part.hasPrefix("0"), let byte = UInt8(part) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    /// Whether a text is an IPv6 literal without brackets (RFC 4291 §2.2), without a zone.
    private static func isIPv6(_ text: String) -> Bool {
        let halves = text.components(around: "::")
        guard halves.count <= 2, !text.isEmpty else { return false }
        var groups = 0
        for (index, half) in halves.enumerated() where !half.isEmpty {
            let parts = half.split(separator: ":", omittingEmptySubsequences: false)
            for (place, part) in parts.enumerated() {
                let isLast = index == halves.count - 1 && place == parts.count - 1
                if isLast, part.contains("."), ipv4(String(part)) != nil {
                    groups += 2
                } else {
                    guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexDigit) else {
                        return false
                    }
                    groups += 1
                }
            }
        }
        return halves.count == 2 ? groups <= 7 : groups == 8
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        byte >= 0x30 && byte <= 0x39 || byte | 0x20 >= 0x61 && byte | 0x20 <= 0x66
    }
}

extension String {
    /// The parts around each occurrence of a separator.
    fileprivate func components(around separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        parts.append(String(rest))
        return parts
    }
}
