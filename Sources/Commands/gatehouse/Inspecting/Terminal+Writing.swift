// Gatehouse. SPDX-License-Identifier: MIT

import Glibc

extension Terminal {
    /// Writes text to a standard stream, whole; one that is closed is left alone.
    static func put(_ text: String, on descriptor: Int32) {
        let bytes = Array(text.utf8)
        var position = 0
        while position < bytes.count {
            let count = bytes[position...].withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            position += count
        }
    }

    /// Writes lines to standard output.
    static func output(_ text: String) {
        put(text + "\n", on: 1)
    }
}
