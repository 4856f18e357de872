// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Testing

@testable import Children

@Suite struct `A sandbox` {
    private static let first = ControlGroup(directory: "/cg/memory", version: .first)
    private static let second = ControlGroup(directory: "/cg/own", version: .second)

    private static func arguments(_ sandbox: Sandbox) -> [String] {
        let command = ChildCommand(
            executable: "/usr/bin/server",
            arguments: ["--flag", "--"],
            environment: ["SECRET": "word"],
            workingDirectory: "/srv"
        )
        var command2 = command
        command2.sandbox = sandbox
        return sandbox.arguments(for: command2, launcher: "/opt/launcher", parent: 7, group: "gatehouse-7-x")
    }

    private static func sandbox() -> Sandbox {
        var view = SandboxView()
        view.put(.writable("/srv"), at: "/srv")
        view.put(.readable("/usr"), at: "/usr/")
        view.put(.hidden, at: "/srv/state")
        view.put(.scratch, at: "/tmp")
        view.put(.link("usr/bin"), at: "/bin")
        return Sandbox(bubblewrap: "/usr/bin/bwrap", view: view)
    }

    @Test func `is bubblewrap's arguments around those of the launcher`() {
        let kernelFiles = Sandbox.kernelFiles.map { "--ro-bind-try \($0) \($0)" }.joined(separator: " ")
        let words = Self.arguments(Self.sandbox()).joined(separator: " ")
        let expected = """
            --parent 7 --wrapper 1 -- /usr/bin/bwrap --unshare-user --unshare-pid --unshare-ipc --unshare-uts \
            --unshare-cgroup-try --hostname sandbox --cap-drop ALL --die-with-parent --as-pid-1 \
            --symlink usr/bin /bin --bind /srv /srv --size 1073741824 --tmpfs /tmp --ro-bind /usr /usr \
            --size 65536 --tmpfs /srv/state --remount-ro /srv/state \
            --proc /proc --ro-bind /proc/sys /proc/sys \(kernelFiles) --dev /dev --size 1073741824 --tmpfs /dev/shm \
            --ro-bind /opt/launcher /run/gatehouse-launcher --remount-ro /dev --remount-ro / \
            -- /run/gatehouse-launcher --inside 1 --chdir /srv -- /usr/bin/server --flag --
            """
        #expect(words == expected)
        #expect(!words.contains("word"), "the environment is no argument, which everyone can read")
    }

    @Test func `has no network and makes no namespaces if it must not`() {
        var sandbox = Self.sandbox()
        sandbox.hasNetwork = false
        sandbox.canNest = false
        let arguments = Self.arguments(sandbox)
        #expect(arguments.contains("--unshare-net") && arguments.contains("--disable-userns"))
    }

    @Test func `is bounded by control groups of the first version`() {
        var sandbox = Self.sandbox()
        let pids = ControlGroup(directory: "/cg/pids", version: .first)
        let groups = ControlGroups(memory: Self.first, processes: pids)
        sandbox.bounds = SandboxBounds(memory: 1000, processes: 10, groups: groups)
        let words = Self.arguments(sandbox).joined(separator: " ")
        let expected = """
            --group /cg/memory/gatehouse-7-x --set memory.limit_in_bytes=1000 --try memory.memsw.limit_in_bytes=1000 \
            --group /cg/pids/gatehouse-7-x --set pids.max=12 --
            """
        #expect(words.contains(expected))
        #expect(!words.contains("--processes") && !words.contains("--memory "))
        #expect(words.contains("--size 1000 --tmpfs /tmp"))
    }

    @Test func `is bounded by one control group of the second version`() {
        var sandbox = Self.sandbox()
        let groups = ControlGroups(memory: Self.second, processes: Self.second)
        sandbox.bounds = SandboxBounds(memory: 1000, processes: 10, groups: groups)
        let words = Self.arguments(sandbox).joined(separator: " ")
        let expected = """
            --group /cg/own/gatehouse-7-x --set memory.max=1000 --try memory.swap.max=0 --try memory.oom.group=1 \
            --set pids.max=12 --
            """
        #expect(words.contains(expected))
    }

    @Test func `is bounded by limits of its processes where there are no groups`() {
        var sandbox = Self.sandbox()
        sandbox.bounds = SandboxBounds(memory: 1000, processes: 10, groups: ControlGroups())
        let words = Self.arguments(sandbox).joined(separator: " ")
        #expect(words.contains("--chdir /srv --memory 1000 --processes 12 -- /usr/bin/server"))
        #expect(!words.contains("--group"))
    }
}

@Suite struct `The place of this process among control groups` {
    @Test func `is found in both versions`() {
        let places = ControlGroups.Places(
            cgroup: "8:pids:/\n4:memory:/a/b\n3:cpu,cpuacct:/c\n0::/own\n",
            mountinfo: """
                30 20 0:1 / /sys/fs/cgroup/memory rw,relatime shared:1 - cgroup cgroup rw,memory
                31 20 0:2 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
                32 20 0:3 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
                33 20 0:4 / / rw - ext4 /dev/x rw
                broken
                """
        )
        #expect(places.first["memory"] == "/sys/fs/cgroup/memory/a/b")
        #expect(places.first["pids"] == "/sys/fs/cgroup/pids")
        #expect(places.second == "/sys/fs/cgroup/unified/own")
    }

    @Test func `is found where only a part is mounted, as in a container`() {
        let mountinfo = "32 20 0:3 /machine/x /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
        #expect(
            ControlGroups.Places(cgroup: "0::/machine/x", mountinfo: mountinfo).second == "/sys/fs/cgroup"
        )
        #expect(
            ControlGroups.Places(cgroup: "0::/machine/x/y", mountinfo: mountinfo).second == "/sys/fs/cgroup/y"
        )
        #expect(ControlGroups.Places(cgroup: "0::/elsewhere", mountinfo: mountinfo).second == nil)
        #expect(
            ControlGroups.Places(cgroup: "", mountinfo: "")
                == ControlGroups.Places(cgroup: "x", mountinfo: "y")
        )
    }
}

@Suite struct `The report of two launchers` {
    private static func report(_ records: (Int32, Int32)...) -> LauncherReport {
        var report = LauncherReport()
        for (kind, value) in records {
            for number in [kind, value] {
                let bits = UInt32(bitPattern: number)
                let bytes = (0..<4).map { UInt8(truncatingIfNeeded: bits >> (UInt32($0) * 8)) }
                report.append(bytes.span)
            }
        }
        return report
    }

    @Test func `is the inner one's word, where there is one`() {
        #expect(Self.report((1, 2), (2, 0x700), (6, 0)).exit == .exited(7))
        #expect(Self.report((1, 2), (6, 137 << 8)).exit == .signaled(9), "bubblewrap adds 128")
        #expect(Self.report((1, 2), (6, 9)).exit == .signaled(9))
        #expect(Self.report((1, 2)).exit == nil)
    }

    @Test func `says to which bound the server came`() {
        #expect(Self.report((1, 2), (2, 9), (7, 1), (6, 0)).exit == .bounded(.signaled(9), .memory))
        #expect(Self.report((1, 2), (2, 0x100), (8, 4), (6, 0)).exit == .bounded(.exited(1), .processes))
        #expect(Self.report((1, 2), (2, 0), (8, 4), (6, 0)).exit == .exited(0), "it did well all the same")
    }
}
