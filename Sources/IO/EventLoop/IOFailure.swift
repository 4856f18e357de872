// Gatehouse. SPDX-License-Identifier: MIT

import CUV
import Glibc

/// A system call or a libuv function that failed.
package struct IOFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was tried, such as "listen".
    package let operation: String
    /// The `errno` value, positive.
    package let code: Int32

    package init(operation: String, code: Int32) {
        self.operation = operation
        self.code = code < 0 ? 0 &- code : code
    }

    /// What the system says about the code.
    package var message: String {
        var text = [CChar](repeating: 0, count: 128)
        let end = text.count
        text.withUnsafeMutableBufferPointer { _ = uv_strerror_r(0 &- code, $0.baseAddress, end) }
        let words = text.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { String(cString: $0) } ?? ""
        }
        // libuv has words for what its own functions meet; that a file is no program is not among them.
        guard words.hasPrefix("Unknown system error"), let known = strerror(code) else { return words }
        return String(cString: known).lowercased()
    }

    package var description: String { "\(operation): \(message)" }

    /// Throws if a libuv function returned an error, otherwise gives back what it returned.
    @discardableResult
    static func check(_ operation: @autoclosure () -> String, _ result: Int32) throws(IOFailure) -> Int32 {
        guard result < 0 else { return result }
        throw IOFailure(operation: operation(), code: result)
    }
}
