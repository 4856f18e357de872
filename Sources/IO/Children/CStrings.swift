// Gatehouse. SPDX-License-Identifier: MIT

/// Strings in the form that `exec` wants: a list of pointers, ended by a null pointer.
struct CStrings: Sendable {
    private var bytes: [CChar] = []
    private var starts: [Int] = []

    /// The strings must not have a NUL in them.
    init(_ texts: some Sequence<String>) {
        for text in texts {
            starts.append(bytes.count)
            bytes.append(contentsOf: text.utf8.lazy.map { CChar(bitPattern: $0) })
            bytes.append(0)
        }
    }

    /// Lends the list; the pointers are good for the call only.
    mutating func withPointers<R>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R?) -> R? {
        let starts = starts
        return bytes.withUnsafeMutableBufferPointer { buffer in
            let pointers = starts.map { start in buffer.baseAddress.map { $0 + start } } + [nil]
            return pointers.withUnsafeBufferPointer { $0.baseAddress.flatMap(body) }
        }
    }
}
