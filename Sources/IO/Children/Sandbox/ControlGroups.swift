// Gatehouse. SPDX-License-Identifier: MIT

import CProcess
import Glibc

/// A directory of the control group file system in which we may make groups for children.
package struct ControlGroup: Sendable, Equatable {
    /// Which interface its files have.
    package enum Version: Sendable, Equatable {
        /// A hierarchy for each controller.
        case first
        /// One hierarchy for all.
        case second
    }

    /// Its absolute path.
    package var directory: String
    /// Its interface.
    package var version: Version

    package init(directory: String, version: Version) {
        self.directory = directory
        self.version = version
    }

    /// A file of a group and what is written to it.
    struct Setting {
        var file: String
        var value: String
        var isNeeded = true
    }

    func memorySettings(_ bytes: Int) -> [Setting] {
        switch version {
        case .first:
            [
                Setting(file: "memory.limit_in_bytes", value: String(bytes)),
                Setting(file: "memory.memsw.limit_in_bytes", value: String(bytes), isNeeded: false),
            ]
        case .second:
            [
                Setting(file: "memory.max", value: String(bytes)),
                Setting(file: "memory.swap.max", value: "0", isNeeded: false),
                Setting(file: "memory.oom.group", value: "1", isNeeded: false),
            ]
        }
    }

    func processSettings(_ count: Int) -> [Setting] {
        [Setting(file: "pids.max", value: String(count))]
    }
}

/// Where this process may make groups that bound memory and processes, found once at start.
package struct ControlGroups: Sendable, Equatable {
    /// For bounds on memory.
    package var memory: ControlGroup?
    /// For bounds on processes.
    package var processes: ControlGroup?

    /// None.
    package init() {}

    package init(memory: ControlGroup?, processes: ControlGroup?) {
        self.memory = memory
        self.processes = processes
    }

    /// The names of groups begin with this and the number of the process that made them.
    static let prefix = "gatehouse-"

    /// Places where a controller's groups of this process are: directories, from `/proc/self/cgroup` and
    /// `/proc/self/mountinfo`.
    struct Places: Equatable {
        /// Of the first version, by controller.
        var first: [String: String] = [:]
        /// Of the second version.
        var second: String?

        init(cgroup: String, mountinfo: String) {
            var own: [(controllers: [Substring], path: Substring)] = []
            for line in cgroup.split(separator: "\n") {
                let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
                if parts.count == 3 { own.append((parts[1].split(separator: ","), parts[2])) }
            }
            for line in mountinfo.split(separator: "\n") {
                let fields = line.split(separator: " ")
                guard let dash = fields.firstIndex(of: "-"), fields.count >= dash + 4, dash >= 5 else {
                    continue
                }
                let (root, point) = (fields[3], fields[4])
                let controllers = fields[dash + 3].split(separator: ",")
                switch fields[dash + 1] {
                case "cgroup2":
                    if let path = own.first(where: \.controllers.isEmpty)?.path {
                        second = second ?? Self.join(point, root, path)
                    }
                case "cgroup":
                    for (names, path) in own {
                        for name in names where controllers.contains(name) && first[String(name)] == nil {
                            first[String(name)] = Self.join(point, root, path)
                        }
                    }
                default: break
                }
            }
        }

        /// The directory of a group, in a hierarchy of which perhaps only a part is mounted.
        private static func join(_ point: Substring, _ root: Substring, _ path: Substring) -> String? {
            var rest = path
            if root != "/" {
                guard path.hasPrefix(root) else { return nil }
                rest = path.dropFirst(root.count)
            }
            return rest == "/" || rest.isEmpty ? String(point) : String(point + rest)
        }
    }

    /// Finds what is delegated to this process, by trying; and removes what an earlier one left behind.
    package static func find() -> ControlGroups {
        let places = Places(
            cgroup: TextFile.contents("/proc/self/cgroup"),
            mountinfo: TextFile.contents("/proc/self/mountinfo")
        )
        var groups = ControlGroups()
        groups.memory = places.first["memory"].flatMap { usable($0, .first, "memory.limit_in_bytes") }
        groups.processes = places.first["pids"].flatMap { usable($0, .first, "pids.max") }
        guard groups.memory == nil || groups.processes == nil, let second = places.second else {
            return groups
        }
        guard let prepared = SecondVersion.prepare(second) else { return groups }
        groups.memory = groups.memory ?? usable(prepared, .second, "memory.max")
        groups.processes = groups.processes ?? usable(prepared, .second, "pids.max")
        return groups
    }

    /// The directory, if a group made in it has a certain file that can be written.
    private static func usable(
        _ directory: String,
        _ version: ControlGroup.Version,
        _ file: String
    )
        -> ControlGroup?
    {
        guard access(directory, W_OK) == 0 else { return nil }
        removeStale(in: directory)
        let trial = "\(directory)/\(prefix)\(getpid())-trial"
        guard mkdir(trial, 0o755) == 0 else { return nil }
        defer { rmdir(trial) }
        return access("\(trial)/\(file)", W_OK) == 0
            ? ControlGroup(directory: directory, version: version) : nil
    }

    /// Removes groups whose gateway and launcher were both killed.
    private static func removeStale(in directory: String) {
        for name in SandboxFiles.current.entries(directory) where name.hasPrefix(prefix) {
            let number = name.dropFirst(prefix.count).prefix { $0.isNumber }
            guard let pid = Int32(number), kill(pid, 0) != 0, errno == ESRCH else { continue }
            rmdir("\(directory)/\(name)")
        }
    }
}

/// The one hierarchy of the second version, where a group that has processes cannot also have bounded groups in it.
private enum SecondVersion {
    /// Makes room for bounded groups in a group that is ours: this process moves into one beside them.
    ///
    /// Only where the group holds this process alone, as a service manager that delegates it arranges (systemd:
    /// `Delegate=yes`).
    static func prepare(_ directory: String) -> String? {
        let available = TextFile.contents("\(directory)/cgroup.controllers").split(
            whereSeparator: \.isWhitespace
        )
        guard available.contains("memory") || available.contains("pids"),
            access("\(directory)/cgroup.subtree_control", W_OK) == 0
        else { return nil }
        let members = TextFile.contents("\(directory)/cgroup.procs").split(whereSeparator: \.isNewline)
        let own = String(getpid())
        guard members.allSatisfy({ $0 == own[...] }) else { return nil }
        let leaf = "\(directory)/\(ControlGroups.prefix)\(own)-gateway"
        guard members.isEmpty || mkdir(leaf, 0o755) == 0 || errno == EEXIST else { return nil }
        guard members.isEmpty || TextFile.write(own, to: "\(leaf)/cgroup.procs") else { return nil }
        for controller in ["memory", "pids"] where available.contains(controller[...]) {
            guard TextFile.write("+\(controller)", to: "\(directory)/cgroup.subtree_control") else {
                return nil
            }
        }
        return directory
    }
}

/// Small files of the kernel.
enum TextFile {
    /// The beginning of a file, at most 256 KiB; empty if it cannot be read.
    static func contents(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while bytes.count < 262_144 {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes a few bytes at once; false if the file refuses them.
    static func write(_ text: String, to path: String) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) } == bytes.count
    }
}
