// Gatehouse. SPDX-License-Identifier: MIT

import CProcess
import EventLoop
import Glibc

/// A process that was just started, on its way from the spawning thread to a loop.
///
/// If it does not arrive, because the loop has ended meanwhile, it is killed and everything of it is closed.
final class SpawnedProcess: Sendable {
    private let child: Locked<gatehouse_child?>

    /// Starts a program.
    ///
    /// Only on a thread that lives as long as the process (see `SpawnThread`).
    init(
        path: String,
        arguments: CStrings,
        environment: CStrings,
        directory: String?,
        withStatus: Bool
    ) throws(IOFailure) {
        var arguments = arguments
        var environment = environment
        var child = gatehouse_child()
        let result = arguments.withPointers { arguments in
            environment.withPointers { environment in
                gatehouse_spawn(path, arguments, environment, directory, withStatus ? 1 : 0, &child)
            }
        }
        guard result == 0 else { throw IOFailure(operation: "spawn", code: result ?? EINVAL) }
        self.child = Locked(child)
    }

    /// Hands the descriptors over; they are the caller's to close from now on.
    func take() -> gatehouse_child? {
        child.withLock { $0.take() }
    }

    deinit {
        guard let child = take() else { return }
        for descriptor in [child.input, child.output, child.errors, child.status] where descriptor >= 0 {
            close(descriptor)
        }
        AbandonedProcess.end(child.process, child.pid, usesLauncher: child.status >= 0)
    }
}

/// The thread on which every child is started.
///
/// The kernel ties "kill me when my parent dies" to the parent's thread, so this one never ends.
enum SpawnThread {
    private static let shared = Locked<EventLoop?>(nil)

    static func loop() throws(IOFailure) -> EventLoop {
        try shared.withLock { shared throws(IOFailure) in
            if let loop = shared { return loop }
            let loop = try EventLoop(name: "spawn")
            try loop.start()
            shared = loop
            return loop
        }
    }
}
