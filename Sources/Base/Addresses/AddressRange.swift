// Gatehouse. SPDX-License-Identifier: MIT

/// Addresses that begin with the same bits (RFC 4632, RFC 4291 §2.3): `10.0.0.0/8`, `fd00::/8`, or a single one.
package struct AddressRange: Sendable, Hashable {
    /// The first address of the range, or any other of it.
    package let address: IPAddress
    /// How many bits all have in common.
    package let prefix: Int

    /// Reads an address, or an address and the number of bits that count.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(parts[0]) else { return nil }
        self.address = address
        let bits = address.bytes.count * 8
        guard parts.count == 2 else {
            prefix = bits
            return
        }
        guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let prefix = Int(parts[1]), prefix <= bits
        else { return nil }
        self.prefix = prefix
    }

    /// Whether an address lies in the range; an IPv4-mapped one is the IPv4 address that it stands for.
    package func contains(_ other: IPAddress) -> Bool {
        let (mine, theirs) = (address.unmapped.bytes, other.unmapped.bytes)
        guard mine.count == theirs.count else { return false }
        var bits = mine.count == address.bytes.count ? prefix : max(prefix - 96, 0)
        for (first, second) in zip(mine, theirs) {
            guard bits > 0 else { return true }
            let mask: UInt8 = bits >= 8 ? 0xFF : ~(0xFF >> UInt8(bits))
            guard first & mask == second & mask else { return false }
            bits -= 8
        }
        return true
    }

    /// The same for a literal; one that is none is in no range.
    package func contains(_ text: String) -> Bool {
        IPAddress(text).map { contains($0) } ?? false
    }
}

extension AddressRange: CustomStringConvertible {
    /// As it is written in a configuration: `10.0.0.0/8`, or the address alone.
    package var description: String {
        prefix == address.bytes.count * 8 ? "\(address)" : "\(address)/\(prefix)"
    }
}
