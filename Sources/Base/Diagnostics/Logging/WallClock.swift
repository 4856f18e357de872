// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Glibc

/// The time of day, for logs and spans.
package enum WallClock {
    /// Nanoseconds since 1970.
    package static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }

    /// Appends a time in UTC, to the millisecond (RFC 3339).
    static func append(_ nanoseconds: UInt64, to output: inout [UInt8]) {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func append(_ number: Int, _ digits: Int, _ separator: UInt8) {
            let text = String(number)
            output.append(
                contentsOf: repeatElement(UInt8(ascii: "0"), count: max(0, digits - text.utf8.count))
            )
            output.append(text)
            output.append(separator)
        }
        append(Int(parts.tm_year) + 1900, 4, UInt8(ascii: "-"))
        append(Int(parts.tm_mon) + 1, 2, UInt8(ascii: "-"))
        append(Int(parts.tm_mday), 2, UInt8(ascii: "T"))
        append(Int(parts.tm_hour), 2, UInt8(ascii: ":"))
        append(Int(parts.tm_min), 2, UInt8(ascii: ":"))
        append(Int(parts.tm_sec), 2, UInt8(ascii: "."))
        append(Int(nanoseconds / 1_000_000 % 1000), 3, UInt8(ascii: "Z"))
    }
}
