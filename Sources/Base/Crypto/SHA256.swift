// Gatehouse. SPDX-License-Identifier: MIT

import COpenSSL

/// The hash function SHA-256 (FIPS 180-4).
package enum SHA256 {
    /// The 32 bytes of the hash of some bytes.
    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        _ = digest.withUnsafeMutableBufferPointer { digest in
            bytes.withUnsafeBufferPointer { COpenSSL.SHA256($0.baseAddress, $0.count, digest.baseAddress) }
        }
        return digest
    }
}
