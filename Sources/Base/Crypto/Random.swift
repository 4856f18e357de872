// Gatehouse. SPDX-License-Identifier: MIT

import COpenSSL

/// Random bytes that nobody can predict (OpenSSL's generator, seeded by the system).
package enum SecureRandom {
    /// This many bytes.
    ///
    /// The process ends if the system has no randomness to give: no id made without it would be safe.
    package static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let length = Int32(clamping: count)
        let result = bytes.withUnsafeMutableBufferPointer { RAND_bytes($0.baseAddress, length) }
        precondition(result == 1, "the system gives no random bytes")
        return bytes
    }
}
