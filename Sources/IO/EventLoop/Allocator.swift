// Gatehouse. SPDX-License-Identifier: MIT

import CProcess

/// Settings of the C library's allocator, for a program that moves large messages.
package enum Allocator {
    /// Lets the allocator keep up to 8 MiB of what was freed, rather than give it back and fetch it again for each message.
    ///
    /// Otherwise page faults are most of the time that a message of 1 MiB takes. For the whole process, once, at its start.
    package static func keepFreedMemory() {
        gatehouse_keep_freed_memory(8 << 20)
    }
}
