// Gatehouse. SPDX-License-Identifier: MIT

import Glibc

/// What this process uses of the machine, under the names that Prometheus clients agree on.
package enum ProcessUsage {
    /// When this process began to look at the clock, in seconds since 1970.
    package static let startTime: Double = {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }()

    /// Bytes of memory that are in use.
    package static var residentBytes: Int {
        var buffer = [UInt8](repeating: 0, count: 128)
        let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return 0 }
        let parts = String(decoding: buffer[..<count], as: UTF8.self).split(separator: " ")
        guard parts.count > 1, let pages = Int(parts[1]) else { return 0 }
        return pages &* Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// How many descriptors are open.
    package static var openDescriptors: Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // The two entries that every folder has, and the descriptor of this look.
        return max(count - 3, 0)
    }

    /// How many may be.
    package static var descriptorLimit: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        return Int(clamping: limit.rlim_cur)
    }

    /// Seconds of processor time, user and system.
    package static var processorSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        return Double(seconds) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }

    /// Adds all of it to a registry.
    package static func register(in registry: MetricsRegistry) {
        let start = startTime
        registry.reading("process_resident_memory_bytes", "Resident memory in bytes.") {
            [MetricSample(residentBytes)]
        }
        registry.reading("process_open_fds", "Open file descriptors.") { [MetricSample(openDescriptors)] }
        registry.reading("process_max_fds", "File descriptors that may be open.") {
            [MetricSample(descriptorLimit)]
        }
        registry.reading("process_cpu_seconds_total", "Processor time in seconds.", .counter) {
            [MetricSample(processorSeconds)]
        }
        registry.reading("process_start_time_seconds", "When the process started, in seconds since 1970.") {
            [MetricSample(start)]
        }
    }
}
