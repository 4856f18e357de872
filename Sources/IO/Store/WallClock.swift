// Gatehouse. SPDX-License-Identifier: MIT

import Glibc

/// The time of day, for what outlives the process: the loop's clock begins anew with each.
package enum WallClock {
    /// Milliseconds since 1970, in UTC.
    package static func milliseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) &* 1000 &+ Int64(now.tv_nsec / 1_000_000)
    }
}
