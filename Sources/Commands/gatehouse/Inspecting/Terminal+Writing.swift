// Gatehouse. SPDX-License-Identifier: MIT

import Glibc

extension Terminal {
    /// Writes text to a standard stream, whole.
    ///
    /// False if the stream does not take it.
    @discardableResult
    static func put(_ text: String, on descriptor: Int32) -> Bool {
        let bytes = Array(text.utf8)
        var position = 0
        while position < bytes.count {
            let count = bytes[position...].withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            position += count
        }
        return true
    }
}
