// Gatehouse. SPDX-License-Identifier: MIT

import Glibc

/// How many descriptors this process may have.
enum DescriptorLimit {
    /// Takes as many as the system lets us: a connection costs one, a child up to five.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
