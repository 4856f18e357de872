// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Children
import EventLoop
import Foundation
import TestSupport
import Testing

@Suite struct `A child` {
    @Test(arguments: Way.allCases)
    func `gets its input and gives its output`(_ way: Way) async throws {
        try await withLoop { loop in
            let sent = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
            let cat = try await way.start(ChildCommand(executable: "/bin/cat"), loop)
            try await loop.run {
                #expect(cat.value.child.isRunning)
                cat.value.child.write(sent.span)
                #expect(cat.value.child.pendingInput > 0)
                cat.value.child.endInput()
            }
            try await loop.wait("the end") { !cat.value.exits.isEmpty }
            try await loop.run {
                #expect(cat.value.output == sent)
                #expect(cat.value.exits == [.exited(0)])
                #expect(!cat.value.child.isRunning)
                #expect(cat.value.child.pendingInput == 0)
                cat.value.child.write([1].span)
                cat.value.child.stop()
                cat.value.child.kill()
            }
        }
    }

    @Test(arguments: Way.allCases)
    func `tells how it ended`(_ way: Way) async throws {
        try await withLoop { loop in
            for status: Int32 in [0, 3, 127, 255] {
                #expect(try await way.output(of: .shell("exit \(status)"), loop).exit == .exited(status))
            }
            for signal in [SIGTERM, SIGKILL, SIGSEGV] {
                let exit = try await way.output(of: .shell("ulimit -c 0; kill -\(signal) $$"), loop).exit
                #expect(exit == .signaled(signal))
            }
        }
        #expect(ChildExit.exited(3).description == "exit status 3")
        #expect(ChildExit.signaled(9).description == "signal 9 (SIGKILL)")
        #expect(ChildExit.signaled(40).description == "signal 40")
    }

    @Test(arguments: Way.allCases)
    func `gets its arguments, environment and directory as they are`(_ way: Way) async throws {
        try await withLoop { loop in
            let arguments = ["-x", "", "$HOME;`id`", "a b\"'\\", "é\n"]
            let echo = ChildCommand(executable: "/usr/bin/printf", arguments: ["%s|"] + arguments)
            #expect(try await way.output(of: echo, loop).text == arguments.map { $0 + "|" }.joined())
            let environment = ["A": "1=2", "LD_LIBRARY_PATH": "/nowhere", "EMPTY": ""]
            let env = ChildCommand(executable: "/usr/bin/env", environment: environment)
            let lines = try await way.output(of: env, loop).text.split(separator: "\n").sorted()
            #expect(lines == ["A=1=2", "EMPTY=", "LD_LIBRARY_PATH=/nowhere"])
            let pwd = ChildCommand(executable: "/bin/pwd", arguments: ["-P"], workingDirectory: "/usr")
            #expect(try await way.output(of: pwd, loop).text == "/usr\n")
        }
    }

    @Test(arguments: Way.allCases)
    func `has three descriptors, no signals blocked or ignored, and a group of its own`(
        _ way: Way
    ) async throws {
        try await withLoop { loop in
            let sleep = try await way.start(
                ChildCommand(executable: "/bin/sleep", arguments: ["86400"]),
                loop
            )
            let pid = try await loop.run { sleep.value.child.serverPID }
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").sorted() == [
                    "0", "1", "2",
                ]
            )
            try await loop.run { sleep.value.child.kill() }
            let script = """
                while read -r line; do case $line in Sig[BI]*|NoNew*) echo $line;; esac; done < /proc/$$/status
                read -r stat < /proc/$$/stat; set -- $stat; [ $5 = $$ ] && [ $6 = $$ ] && echo leader
                """
            let lines = try await way.output(of: .shell(script), loop).text.split(separator: "\n")
            #expect(lines.contains("SigBlk: 0000000000000000"))
            // posix_spawn ignores the two signals that the C library keeps for itself; the launcher puts that right.
            #expect(lines.contains("SigIgn: " + (way == .launcher ? "0000000000000000" : "0000000180000000")))
            #expect(lines.contains("leader"))
            if way == .launcher { #expect(lines.contains("NoNewPrivs: 1")) }
        }
    }

    @Test(arguments: Way.allCases)
    func `may fill its standard error without being held back`(_ way: Way) async throws {
        try await withLoop { loop in
            let script =
                "head -c 1048576 /dev/zero | tr '\\0' x >&2; printf '\\nlast \\033[1m line\\n\\n' >&2; echo done"
            let child = try await way.shell(script, loop)
            try await loop.wait("the end") { !child.value.exits.isEmpty }
            try await loop.run {
                #expect(child.value.text == "done\n")
                #expect(child.value.diagnostics > 1_048_576)
                #expect(child.value.child.diagnosticsTail == "last \\u{1b}[1m line")
            }
        }
    }

    @Test(arguments: Way.allCases)
    func `that ends at once after more than a pipe holds is read to the end`(_ way: Way) async throws {
        try await withLoop { loop in
            let output = try await way.output(of: .shell("exec head -c 1000000 /dev/zero"), loop)
            #expect(output.text.utf8.count == 1_000_000)
            #expect(output.exit == .exited(0))
        }
    }

    @Test(arguments: Way.allCases)
    func `that closes its input does not keep a writer waiting`(_ way: Way) async throws {
        try await withLoop { loop in
            let child = try await way.shell("exec 0<&-; echo closed; exec sleep 86400", loop)
            try await loop.wait("it has closed") { child.value.text == "closed\n" }
            try await loop.run { child.value.child.write([1, 2, 3].span) }
            try await loop.wait("the writer hears of it") { child.value.drains == 1 }
            try await loop.run {
                #expect(child.value.exits.isEmpty)
                #expect(child.value.child.pendingInput == 0)
                child.value.child.kill()
            }
            try await loop.wait("the end") { child.value.exits == [.signaled(SIGKILL)] }
        }
    }
}

@Suite struct `Starting fails` {
    @Test(arguments: Way.allCases)
    func `with the reason, and leaves nothing`(_ way: Way) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = folder.appendingPathComponent("script").path
        let plain = folder.appendingPathComponent("plain").path
        // Written by another process: a file that this one has open for writing may be inherited by a child that
        // another test is starting, and then it is busy.
        try await withLoop { loop in
            let write =
                "echo '#!/no/such/interpreter' > '\(script)'; chmod 755 '\(script)'; echo text > '\(plain)'"
            _ = try await Way.direct.output(of: .shell(write), loop)
        }
        let cases: [(ChildCommand, Int32, String)] = [
            (
                ChildCommand(executable: "/no/such/file"), ENOENT,
                "cannot start /no/such/file: no such file or directory"
            ),
            (ChildCommand(executable: plain), EACCES, "cannot start \(plain): permission denied"),
            (ChildCommand(executable: "/usr"), EACCES, "cannot start /usr: permission denied"),
            (
                ChildCommand(executable: "/bin/cat", workingDirectory: "/no/such/place"), ENOENT,
                "cannot start /bin/cat: working directory /no/such/place: no such file or directory"
            ),
            (ChildCommand(executable: "cat"), EINVAL, "cannot start \"cat\": the path is not absolute"),
            (
                ChildCommand(executable: "/bin/cat", arguments: ["a\u{0}b"]), EINVAL,
                "cannot start \"/bin/cat\": there is a NUL in its command"
            ),
            (
                ChildCommand(executable: "/bin/cat", environment: ["A=B": "c"]), EINVAL,
                "cannot start \"/bin/cat\": a variable of its environment has no proper name"
            ),
        ]
        try await withLoop { loop in
            for (command, code, message) in cases {
                let failure = await #expect(throws: SpawnFailure.self) {
                    _ = try await way.start(command, loop)
                }
                #expect(failure?.code == code)
                #expect(failure?.description == message)
            }
            let failure = await #expect(throws: SpawnFailure.self) {
                _ = try await way.start(ChildCommand(executable: script), loop)
            }
            #expect(failure?.code == ENOENT)
            #expect(failure?.message.contains(script) == true)
        }
    }

    @Test func `when the launcher is not there`() async throws {
        try await withLoop { loop in
            let spawner = ChildSpawner(launcher: "/no/launcher")
            let failure: SpawnFailure? = await withCheckedContinuation { continuation in
                loop.post {
                    spawner.spawn(ChildCommand(executable: "/bin/cat"), on: loop) { result in
                        if case .failure(let failure) = result { continuation.resume(returning: failure) }
                    }
                }
            }
            #expect(failure?.message == "cannot start /bin/cat: /no/launcher: no such file or directory")
        }
    }

    @Test func `for want of descriptors, at every step`() async {
        await #expect(processExitsWith: .success) {
            try await withLoop { loop in
                _ = try await Way.launcher.output(of: ChildCommand(executable: "/bin/true"), loop)
                let before = openDescriptors()
                for spare in 0..<8 {
                    try await withDescriptorsLeft(spare) {
                        await #expect(throws: SpawnFailure.self) {
                            _ = try await Way.launcher.start(ChildCommand(executable: "/bin/true"), loop)
                        }
                    }
                    #expect(openDescriptors() == before)
                    #expect(zombies() == 0)
                }
                #expect(
                    try await Way.launcher.output(of: ChildCommand(executable: "/bin/true"), loop).exit
                        == .exited(0)
                )
            }
        }
    }
}

/// Lets this process open only so many more descriptors for a while.
private func withDescriptorsLeft(_ count: Int, _ body: () async throws -> Void) async throws {
    // The first free numbers are those that the next ones get.
    var free: [Int32] = []
    while free.count <= count {
        let descriptor = dup(0)
        try #require(descriptor >= 0)
        free.append(descriptor)
    }
    for descriptor in free { close(descriptor) }
    var old = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &old)
    var lowered = old
    lowered.rlim_cur = rlim_t(free[count])
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &lowered)
    defer { setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &old) }
    try await body()
}
