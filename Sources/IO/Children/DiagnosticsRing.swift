// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// The last bytes that a child wrote to its standard error.
struct DiagnosticsRing {
    private let capacity: Int
    private var storage: [UInt8] = []
    /// Where the oldest byte stands once the storage is full.
    private var start = 0
    private var hasLost = false

    init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    mutating func append(_ bytes: Span<UInt8>) {
        let tail = bytes.extracting(last: capacity)
        if tail.count < bytes.count { hasLost = true }
        let free = min(capacity - storage.count, tail.count)
        storage.append(tail.extracting(first: free))
        for index in free..<tail.count {
            hasLost = true
            storage[start] = tail[index]
            start = start + 1 == capacity ? 0 : start + 1
        }
    }

    /// The lines that are whole, in order, safe to print: control characters but tabs and line ends are escaped.
    var text: String {
        var bytes = storage[start...] + storage[..<start]
        if hasLost, let end = bytes.firstIndex(of: UInt8(ascii: "\n")), end + 1 < bytes.endIndex {
            bytes = bytes[(end + 1)...]
        }
        while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") {
            bytes.removeLast()
        }
        var text = ""
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control where scalar == "\n" || scalar == "\t": text.unicodeScalars.append(scalar)
            case .control, .format, .lineSeparator, .paragraphSeparator:
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
