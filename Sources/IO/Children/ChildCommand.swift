// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import Glibc

/// What to start: a program and everything that it gets.
package struct ChildCommand: Sendable, Equatable {
    /// The absolute path of the program.
    ///
    /// There is no search and no shell; see `ExecutableSearch` for names.
    package var executable: String
    /// Its arguments, without the program's own name.
    package var arguments: [String]
    /// Its whole environment.
    package var environment: [String: String]
    /// Where it starts; nil for this process's own directory.
    package var workingDirectory: String?
    /// What confines it; nil for nothing.
    ///
    /// It needs a launcher, and an absolute working directory.
    package var sandbox: Sandbox?

    package init(
        executable: String,
        arguments: [String] = [],
        environment: [String: String] = [:],
        workingDirectory: String? = nil,
        sandbox: Sandbox? = nil
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.sandbox = sandbox
    }

    /// Why the system could not be given this, if so: C strings end at a NUL, and names of variables at `=`.
    var defect: SpawnFailure? {
        let texts =
            [executable] + arguments + [workingDirectory].compactMap(\.self)
            + environment.flatMap { [$0, $1] }
        if texts.contains(where: { $0.utf8.contains(0) }) { return invalid("there is a NUL in its command") }
        if executable.utf8.first != UInt8(ascii: "/") { return invalid("the path is not absolute") }
        if environment.keys.contains(where: { $0.utf8.isEmpty || $0.utf8.contains(UInt8(ascii: "=")) }) {
            return invalid("a variable of its environment has no proper name")
        }
        return nil
    }

    private func invalid(_ reason: String) -> SpawnFailure {
        SpawnFailure(code: EINVAL, message: "cannot start \(executable.debugDescription): \(reason)")
    }
}

/// How a process ended.
package enum ChildExit: Sendable, Equatable, CustomStringConvertible {
    /// It ended by itself, with this status.
    case exited(Int32)
    /// A signal ended it.
    case signaled(Int32)
    /// It ended in one of these ways after it had come to a bound of its sandbox.
    indirect case bounded(ChildExit, Bound)

    /// What a sandbox bounds.
    package enum Bound: Sendable, Equatable {
        /// A process was killed for it.
        case memory
        /// A further process was refused.
        case processes
    }

    /// Reads a wait status.
    init(status: Int32) {
        self = status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signaled(status & 0x7F)
    }

    /// Reads the wait status of bubblewrap, which ends with 128 more than the signal that ended what is in it.
    init(wrapperStatus: Int32) {
        self = ChildExit(status: wrapperStatus)
        if case .exited(let status) = self, (129...192).contains(status) { self = .signaled(status - 128) }
    }

    package var description: String {
        switch self {
        case .bounded(let exit, .memory): "\(exit), after it used more memory than its sandbox allows"
        case .bounded(let exit, .processes): "\(exit), after it wanted more processes than its sandbox allows"
        case .exited(let status): "exit status \(status)"
        case .signaled(let number):
            Self.names[number].map { "signal \(number) (\($0))" } ?? "signal \(number)"
        }
    }

    private static let names: [Int32: String] = [
        SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP",
        SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGUSR1: "SIGUSR1",
        SIGSEGV: "SIGSEGV", SIGUSR2: "SIGUSR2", SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM", SIGTERM: "SIGTERM",
        SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ", SIGSYS: "SIGSYS",
    ]
}

/// Why a program could not be started.
package struct SpawnFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The `errno` value.
    package let code: Int32
    /// A sentence with the program's path in it, and nothing of its arguments or environment.
    package let message: String

    package init(code: Int32, message: String) {
        self.code = code
        self.message = message
    }

    /// The system refused something with `code`; `detail` says what, if it was not the program itself.
    init(_ command: ChildCommand, code: Int32, _ detail: String = "") {
        let reason = IOFailure(operation: "", code: code).message
        self.init(code: code, message: "cannot start \(command.executable): \(detail)\(reason)")
    }

    package var description: String { message }
}

/// How long a child gets to end by itself, step by step.
package struct StopSchedule: Sendable, Equatable {
    /// Milliseconds between the end of its input and SIGTERM.
    package var closeInputThenWait: UInt64
    /// Milliseconds between SIGTERM and SIGKILL.
    package var terminateThenWait: UInt64

    package init(closeInputThenWait: UInt64 = 2000, terminateThenWait: UInt64 = 3000) {
        self.closeInputThenWait = closeInputThenWait
        self.terminateThenWait = terminateThenWait
    }
}
