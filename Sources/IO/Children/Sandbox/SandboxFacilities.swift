// Gatehouse. SPDX-License-Identifier: MIT

import CProcess
import EventLoop
import Glibc

/// What this machine offers for sandboxes, found out by trying.
package struct SandboxFacilities: Sendable, Equatable {
    /// The absolute path of bubblewrap, which works.
    package var bubblewrap: String
    /// Where memory and processes can be bounded.
    package var groups: ControlGroups
    /// Whether processes can be bounded without a control group: the kernel does not count those of root.
    package var canCountProcesses: Bool

    package init(bubblewrap: String, groups: ControlGroups, canCountProcesses: Bool) {
        self.bubblewrap = bubblewrap
        self.groups = groups
        self.canCountProcesses = canCountProcesses
    }

    private static let found = Locked<Result<SandboxFacilities, SandboxFailure>?>(nil)

    /// What was found when this was first asked; it runs bubblewrap then, which takes some milliseconds.
    ///
    /// - Parameter path: Where bubblewrap is searched, as PATH says it.
    /// - Returns: What works here.
    /// - Throws: What is missing, and what would help.
    package static func current(path: String?) throws(SandboxFailure) -> SandboxFacilities {
        let result = found.withLock { found in
            if let found { return found }
            let result = Result { () throws(SandboxFailure) in try find(path: path) }
            // What is missing may be installed before somebody asks again.
            if case .success = result { found = result }
            return result
        }
        return try result.get()
    }

    /// Looks for bubblewrap and runs it once, with everything that the strictest sandbox asks of it.
    static func find(path: String?) throws(SandboxFailure) -> SandboxFacilities {
        let path = path ?? "/usr/local/bin:/usr/bin:/bin"
        guard let bubblewrap = ExecutableSearch.resolve("bwrap", path: path) else {
            throw SandboxFailure(
                "bubblewrap is missing: install it (Debian: apt install bubblewrap); searched PATH: \(path)"
            )
        }
        guard let program = ExecutableSearch.resolve("true", path: path) else {
            throw SandboxFailure("bubblewrap cannot be tried: there is no program \"true\" in PATH: \(path)")
        }
        let arguments =
            Sandbox.namespaces(hasNetwork: false, canNest: false)
            + ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--", program]
        let works = Result { () throws(IOFailure) in try Trial.run(bubblewrap, arguments) }
        if let reason = Self.reason(works) {
            throw SandboxFailure(
                "\(bubblewrap) does not work here (\(reason)): sandboxes need user namespaces"
            )
        }
        return SandboxFacilities(
            bubblewrap: bubblewrap,
            groups: ControlGroups.find(),
            canCountProcesses: getuid() != 0
        )
    }

    /// Why the trial failed, if it did.
    private static func reason(_ result: Result<(exit: ChildExit, said: String), IOFailure>) -> String? {
        switch result {
        case .success((.exited(0), _)): nil
        case .success(let (exit, said)):
            said.split(whereSeparator: \.isNewline).last.map(String.init) ?? "\(exit)"
        case .failure(let failure): failure.message
        }
    }
}

/// A program that is run to its end while the caller waits, for a few seconds at most.
private enum Trial {
    static let patience: Int32 = 10_000

    static func run(
        _ path: String,
        _ arguments: [String]
    ) throws(IOFailure) -> (exit: ChildExit, said: String) {
        let spawned = try SpawnedProcess(
            path: path,
            arguments: CStrings([path] + arguments),
            environment: CStrings(["PATH=/usr/bin:/bin"]),
            directory: nil,
            withStatus: false
        )
        guard let child = spawned.take() else { throw IOFailure(operation: "spawn", code: ECHILD) }
        close(child.input)
        defer {
            close(child.output)
            close(child.errors)
            close(child.process)
        }
        var watch = pollfd(fd: child.process, events: Int16(POLLIN), revents: 0)
        if poll(&watch, 1, patience) != 1 { _ = gatehouse_signal(child.process, SIGKILL) }
        _ = poll(&watch, 1, -1)
        var status: Int32 = 0
        let result = gatehouse_reap(child.process, &status)
        guard result > 0 else { throw IOFailure(operation: "wait", code: result < 0 ? -result : ECHILD) }
        var said = [UInt8](repeating: 0, count: 4096)
        var waiting = pollfd(fd: child.errors, events: Int16(POLLIN), revents: 0)
        var count = 0
        if poll(&waiting, 1, 0) == 1 {
            count = max(0, said.withUnsafeMutableBytes { read(child.errors, $0.baseAddress, $0.count) })
        }
        return (ChildExit(status: status), String(decoding: said[..<count], as: UTF8.self))
    }
}
