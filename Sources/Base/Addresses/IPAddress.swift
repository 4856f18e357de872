// Gatehouse. SPDX-License-Identifier: MIT

/// An address of IP, version 4 or 6, as its bytes.
package struct IPAddress: Sendable, Hashable {
    /// Four or sixteen bytes, the first written first.
    package let bytes: [UInt8]

    /// Reads a literal: dotted without leading zeros, or IPv6 without brackets and zone (RFC 4291 §2.2).
    package init?(_ text: some StringProtocol) {
        if let bytes = Self.version4(text) {
            self.bytes = bytes
        } else if let bytes = Self.version6(text) {
            self.bytes = bytes
        } else {
            return nil
        }
    }

    /// Takes the bytes of an address; nil unless there are four or sixteen.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// The version 4 address that an IPv4-mapped one stands for (RFC 4291 §2.5.5.2), else itself.
    package var unmapped: IPAddress {
        guard bytes.count == 16, bytes[0..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF
        else { return self }
        return IPAddress(bytes: Array(bytes[12...])) ?? self
    }

    /// The four bytes of a dotted address.
    private static func version4(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
                return nil
            }
            guard part.utf8.count == 1 || part.utf8.first != 0x30, let byte = UInt8(part) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    /// The sixteen bytes of an IPv6 literal.
    private static func version6(_ text: some StringProtocol) -> [UInt8]? {
        guard text.utf8.count <= 45 else { return nil }
        var halves: [[UInt8]] = [[]]
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 3 else { return nil }
        for (index, part) in parts.enumerated() {
            if part.isEmpty {
                let isEdge = index == 0 || index == parts.count - 1
                // A colon at an edge stands only with its neighbour, as in ::1 and fe80::.
                let neighbour = index == 0 ? parts[1] : parts[index - 1]
                if isEdge {
                    guard neighbour.isEmpty else { return nil }
                    continue
                }
                guard halves.count == 1 else { return nil }
                halves.append([])
            } else if index == parts.count - 1, part.contains("."), let four = version4(part) {
                halves[halves.count - 1] += four
            } else {
                guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(Self.isHexDigit),
                    let group = UInt16(part, radix: 16)
                else { return nil }
                halves[halves.count - 1] += [UInt8(group >> 8), UInt8(truncatingIfNeeded: group)]
            }
        }
        let length = halves.reduce(0) { $0 + $1.count }
        guard halves.count == 2 else { return length == 16 ? halves[0] : nil }
        guard length <= 14 else { return nil }
        return halves[0] + [UInt8](repeating: 0, count: 16 - length) + halves[1]
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        byte >= 0x30 && byte <= 0x39 || byte | 0x20 >= 0x61 && byte | 0x20 <= 0x66
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted, or as RFC 5952 writes it but for the dotted end of mapped ones.
    package var description: String {
        guard bytes.count == 16 else { return bytes.map { String($0) }.joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]) }
        // The longest run of zeros, the first of several, is left out if it is longer than one group.
        var run = 0..<0
        var start = 0
        while start < groups.count {
            let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
            if end - start > max(run.count, 1) { run = start..<end }
            start = max(end, start + 1)
        }
        func written(_ groups: ArraySlice<Int>) -> String {
            groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !run.isEmpty else { return written(groups[...]) }
        return written(groups[..<run.lowerBound]) + "::" + written(groups[run.upperBound...])
    }
}
