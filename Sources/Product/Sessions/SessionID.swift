// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Crypto

/// The id of a session: 128 random bits, in the header as 32 hexadecimal digits.
package struct SessionID: Sendable, Hashable {
    private let high: UInt64
    private let low: UInt64

    /// Makes one that nobody can guess.
    package static func random() -> SessionID {
        let bytes = SecureRandom.bytes(16)
        return SessionID(high: number(bytes[..<8]), low: number(bytes[8...]))
    }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the value of `Mcp-Session-Id`; nil if we cannot have made it.
    package init?(_ text: ArraySlice<UInt8>) {
        guard text.count == 32 else { return nil }
        var parts: (UInt64, UInt64) = (0, 0)
        for (index, digit) in text.enumerated() {
            // Only the lower-case digits that we write.
            guard let value = Hex.value(digit), digit == ASCII.lowercased(digit) else { return nil }
            if index < 16 {
                parts.0 = parts.0 << 4 | UInt64(value)
            } else {
                parts.1 = parts.1 << 4 | UInt64(value)
            }
        }
        (high, low) = parts
    }

    /// The value of `Mcp-Session-Id`.
    package var text: [UInt8] {
        var output: [UInt8] = []
        for part in [high, low] {
            output.append(
                hex: stride(from: 56, through: 0, by: -8).map {
                    UInt8(truncatingIfNeeded: part >> UInt64($0))
                }
            )
        }
        return output
    }

    /// What the id is found again by, and cannot be found out from: its SHA-256.
    package var key: [UInt8] { SHA256.hash(text) }

    /// A short name for logs, from which nobody can learn the id.
    package var digest: String {
        var output: [UInt8] = []
        output.append(hex: SHA256.hash(text).prefix(4))
        return String(decoding: output, as: UTF8.self)
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
