// Gatehouse. SPDX-License-Identifier: MIT

package import EventLoop
import Glibc

/// Starts children, off the loops: starting one takes a millisecond, and much longer in a large process.
package final class ChildSpawner: Sendable {
    private let launcher: String?

    /// Starts children through the launcher at this absolute path.
    ///
    /// Without one, children are started directly. Then `stop` and `kill` reach the child's process group only, and
    /// what has left the group, or outlives a killed gateway, stays behind.
    package init(launcher: String?) {
        self.launcher = launcher
    }

    /// The launcher's path: what GATEHOUSE_LAUNCHER says, else "gatehouse-launcher" beside the running program.
    ///
    /// The products of a build lie beside each other, so this finds it for tests too.
    package static func locateLauncher() -> String? {
        if let named = getenv("GATEHOUSE_LAUNCHER") {
            let path = String(cString: named)
            return ExecutableSearch.isExecutable(path) && path.utf8.first == UInt8(ascii: "/") ? path : nil
        }
        let program = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) {
            buffer -> String? in
            guard let start = buffer.baseAddress else { return nil }
            let length = readlink("/proc/self/exe", start, buffer.count)
            guard length > 0, length < buffer.count else { return nil }
            return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        guard let program, let slash = program.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        let path = program[...slash] + "gatehouse-launcher"
        return ExecutableSearch.isExecutable(String(path)) ? String(path) : nil
    }

    /// Starts a child that belongs to `loop`.
    ///
    /// Call it on that loop; the completion runs there, later.
    ///
    /// Success means that the program runs: a missing file, a bad working directory and a lack of descriptors are all
    /// failures, and leave nothing behind. The completion should set the child's delegate.
    package func spawn(
        _ command: ChildCommand,
        on loop: EventLoop,
        completion: @escaping (Result<Child, SpawnFailure>) -> Void
    ) {
        loop.preconditionCurrent()
        if let defect = command.defect {
            loop.onNextTurn { completion(.failure(defect)) }
            return
        }
        let thread: EventLoop
        do {
            thread = try SpawnThread.loop()
        } catch {
            loop.onNextTurn { completion(.failure(SpawnFailure(command, code: error.code))) }
            return
        }
        let launcher = launcher
        let completion = LoopBound(completion, loop)
        thread.post {
            do throws(IOFailure) {
                let process = try Self.start(command, launcher)
                loop.post {
                    Child.begin(process, command, usesLauncher: launcher != nil, loop, completion.value)
                }
            } catch {
                let failure = Self.failure(command, launcher, error.code)
                loop.post { completion.value(.failure(failure)) }
            }
        }
    }

    private static func start(
        _ command: ChildCommand,
        _ launcher: String?
    ) throws(IOFailure) -> SpawnedProcess {
        let environment = CStrings(command.environment.map { "\($0)=\($1)" })
        guard let launcher else {
            // Never without what was asked for.
            guard command.sandbox == nil else { throw IOFailure(operation: "spawn", code: ENOSYS) }
            return try SpawnedProcess(
                path: command.executable,
                arguments: CStrings([command.executable] + command.arguments),
                environment: environment,
                directory: command.workingDirectory,
                withStatus: false
            )
        }
        return try SpawnedProcess(
            path: launcher,
            arguments: CStrings(["gatehouse-launcher"] + options(command, launcher)),
            environment: environment,
            directory: nil,
            withStatus: true
        )
    }

    /// What follows the launcher's name.
    private static func options(_ command: ChildCommand, _ launcher: String) -> [String] {
        let parent = getpid()
        guard let sandbox = command.sandbox else {
            var options = ["--parent", String(parent)]
            if let directory = command.workingDirectory { options += ["--chdir", directory] }
            return options + ["--", command.executable] + command.arguments
        }
        let group = "\(ControlGroups.prefix)\(parent)-" + String(UInt64.random(in: 0 ... .max), radix: 36)
        return sandbox.arguments(for: command, launcher: launcher, parent: parent, group: group)
    }

    private static func failure(_ command: ChildCommand, _ launcher: String?, _ code: Int32) -> SpawnFailure {
        if launcher == nil, command.sandbox != nil {
            return SpawnFailure(
                command,
                code: code,
                "a sandbox needs gatehouse-launcher beside the gateway: "
            )
        }
        if let launcher, code == ENOENT || code == EACCES {
            return SpawnFailure(command, code: code, "\(launcher): ")
        }
        guard let directory = command.workingDirectory, launcher == nil else {
            return SpawnFailure(command, code: code)
        }
        // Starting directly does not tell which of the two was missing.
        let isThere = access(directory, X_OK) == 0
        return SpawnFailure(command, code: code, isThere ? "" : "working directory \(directory): ")
    }
}
