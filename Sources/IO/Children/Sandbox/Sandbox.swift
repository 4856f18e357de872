// Gatehouse. SPDX-License-Identifier: MIT

/// What a child is confined by: bubblewrap's namespaces around a view of the file system, and bounds on what it uses.
///
/// In every sandbox a program has process ids, System V IPC, a host name and control group names of its own, no
/// capabilities, and no way to gain any.
package struct Sandbox: Sendable, Equatable {
    /// The absolute path of bubblewrap.
    package var bubblewrap: String
    /// What it finds in its file system.
    package var view: SandboxView
    /// Whether it has this machine's network; without, it has a loopback interface of its own.
    package var hasNetwork = true
    /// Whether it can make further namespaces, as browsers do.
    package var canNest = true
    /// What it may use, if that is bounded.
    package var bounds: SandboxBounds?

    /// Bytes of each directory of its own, where memory is not bounded.
    static let scratch = 1 << 30
    /// What belongs to root beside `/proc/sys`, whose owner root still is in a user namespace.
    static let kernelFiles = [
        "/proc/acpi", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/scsi", "/proc/sysrq-trigger",
    ]
    /// Where it finds the launcher.
    static let launcherPlace = "/run/gatehouse-launcher"

    /// A sandbox around a view, with everything else as it is.
    package init(bubblewrap: String, view: SandboxView) {
        self.bubblewrap = bubblewrap
        self.view = view
    }

    /// Bubblewrap's options for namespaces; those that a look whether it works must have.
    static func namespaces(hasNetwork: Bool, canNest: Bool) -> [String] {
        ["--unshare-user"] + (canNest ? [] : ["--disable-userns"])
            + ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
            + (hasNetwork ? [] : ["--unshare-net"])
            + ["--hostname", "sandbox", "--cap-drop", "ALL", "--die-with-parent", "--as-pid-1"]
    }

    /// The arguments of the launcher (after its name) that start a command in here.
    ///
    /// - Parameters:
    ///   - command: What to start.
    ///   - launcher: The launcher's own path, which is needed inside too.
    ///   - parent: The process to die with.
    ///   - group: A name that no other control group has.
    /// - Returns: The launcher's options, bubblewrap, its options, the launcher again, its options, the command.
    func arguments(for command: ChildCommand, launcher: String, parent: Int32, group: String) -> [String] {
        let scratch = String(bounds?.memory ?? Self.scratch)
        var arguments = ["--parent", String(parent), "--wrapper", "1"]
        arguments += bounds?.groupOptions(name: group) ?? []
        arguments += ["--", bubblewrap] + Self.namespaces(hasNetwork: hasNetwork, canNest: canNest)
        arguments += view.arguments(scratch: bounds?.memory ?? Self.scratch)
        arguments += ["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys"]
        arguments += Self.kernelFiles.flatMap { ["--ro-bind-try", $0, $0] }
        arguments += ["--dev", "/dev", "--size", scratch, "--tmpfs", "/dev/shm"]
        arguments += ["--ro-bind", launcher, Self.launcherPlace]
        arguments += ["--remount-ro", "/dev", "--remount-ro", "/"]
        arguments += ["--", Self.launcherPlace, "--inside", "1"]
        arguments += ["--chdir", command.workingDirectory ?? "/"]
        arguments += bounds?.limitOptions ?? []
        return arguments + ["--", command.executable] + command.arguments
    }
}

/// How much a confined child may use, and by what means that is enforced.
package struct SandboxBounds: Sendable, Equatable {
    /// Bytes of memory.
    package var memory: Int
    /// Processes and threads at once.
    package var processes: Int
    /// Where memory is bounded for all of its processes together; nil bounds the address space of each instead.
    package var memoryGroup: ControlGroup?
    /// Where processes are counted; nil counts those of its user in its user namespace instead.
    package var processGroup: ControlGroup?

    /// Processes of the sandbox itself that are counted with it: bubblewrap and the inner launcher.
    static let overhead = 2

    /// Bounds by means of control groups, as far as there are any.
    package init(memory: Int, processes: Int, groups: ControlGroups) {
        self.memory = memory
        self.processes = processes
        memoryGroup = groups.memory
        processGroup = groups.processes
    }

    /// The launcher's options for groups of a name.
    func groupOptions(name: String) -> [String] {
        let forMemory = memoryGroup?.memorySettings(memory) ?? []
        let forProcesses = processGroup?.processSettings(processes &+ Self.overhead) ?? []
        // The second version has one group for both.
        if let memoryGroup, memoryGroup == processGroup {
            return Self.options(memoryGroup, name, forMemory + forProcesses)
        }
        return Self.options(memoryGroup, name, forMemory) + Self.options(processGroup, name, forProcesses)
    }

    /// The inner launcher's options, for what no group bounds.
    var limitOptions: [String] {
        (memoryGroup == nil ? ["--memory", String(memory)] : [])
            + (processGroup == nil ? ["--processes", String(processes &+ Self.overhead)] : [])
    }

    private static func options(
        _ group: ControlGroup?,
        _ name: String,
        _ settings: [ControlGroup.Setting]
    )
        -> [String]
    {
        guard let group else { return [] }
        return ["--group", group.directory + "/" + name]
            + settings.flatMap { [$0.isNeeded ? "--set" : "--try", "\($0.file)=\($0.value)"] }
    }
}
