// Gatehouse. SPDX-License-Identifier: MIT

import Children
import EventLoop
import Foundation
import TestSupport
import Testing

/// A shell that ignores SIGTERM and the end of its input, with a child, a grandchild in a session of its own,
/// and a daemon whose parent has ended.
///
/// Five processes, if not yet `ready`.
private func stubborn(_ marker: String) -> String {
    """
    trap '' TERM HUP INT
    sleep \(marker) &
    setsid sh -c 'sleep \(marker); :' &
    (setsid sleep \(marker) &)
    echo ready
    while :; do sleep \(marker); done
    """
}

@Suite struct `The tree of a child` {
    @Test func `ends gently when its input ends`() async throws {
        try await withLoop { loop in
            let marker = makeMarker()
            let child = try await Way.launcher.shell("setsid sleep \(marker) & cat; exit 4", loop)
            try await loop.run { child.value.child.stop() }
            try await loop.wait("the end") { !child.value.exits.isEmpty }
            let exits = try await loop.run { child.value.exits }
            #expect(exits == [.exited(4)])
            #expect(processes(with: marker) == 0)
        }
    }

    @Test(arguments: Way.allCases)
    func `gets SIGTERM next`(_ way: Way) async throws {
        try await withLoop { loop in
            let marker = makeMarker()
            let child = try await way.shell("trap 'exit 5' TERM; echo ready; sleep \(marker) & wait", loop)
            try await loop.wait("it is ready") { child.value.text == "ready\n" }
            try await loop.run {
                child.value.child.stop(StopSchedule(closeInputThenWait: 0, terminateThenWait: 60000))
                child.value.child.stop()
            }
            try await loop.wait("the end") { !child.value.exits.isEmpty }
            let exits = try await loop.run { child.value.exits }
            #expect(exits == [.exited(5)])
            try await loop.wait("all are gone") { processes(with: marker) == 0 }
        }
    }

    @Test func `is gone altogether when it had to be killed`() async throws {
        try await withLoop { loop in
            let marker = makeMarker()
            let child = try await Way.launcher.shell(stubborn(marker), loop)
            try await loop.wait("it is ready") {
                child.value.text == "ready\n" && processes(with: marker) >= 6
            }
            try await loop.run {
                child.value.child.stop(StopSchedule(closeInputThenWait: 10, terminateThenWait: 10))
            }
            try await loop.wait("the end") { !child.value.exits.isEmpty }
            // Not "soon": the launcher ends after the last of them.
            #expect(processes(with: marker) == 0)
            let exits = try await loop.run { child.value.exits }
            #expect(exits == [.signaled(SIGKILL)])
        }
    }

    @Test func `is gone when it had to be killed while its launcher was stopped`() async throws {
        try await withLoop { loop in
            let marker = makeMarker()
            let child = try await Way.launcher.shell("sleep \(marker) & echo ready; wait", loop)
            try await loop.wait("it is ready") { child.value.text == "ready\n" }
            try await loop.run {
                _ = kill(child.value.child.pid, SIGSTOP)
                child.value.child.kill()
            }
            try await loop.wait("the end") { !child.value.exits.isEmpty }
            #expect(processes(with: marker) == 0)
        }
    }

    @Test func `is gone when the server itself ends`() async throws {
        try await withLoop { loop in
            let marker = makeMarker()
            let child = try await Way.launcher.shell(
                "setsid sleep \(marker) & (setsid sleep \(marker) &) ; exit 6",
                loop
            )
            try await loop.wait("the end") { !child.value.exits.isEmpty }
            #expect(processes(with: marker) == 0)
            let exits = try await loop.run { child.value.exits }
            #expect(exits == [.exited(6)])
        }
    }

    @Test func `without launcher, ends for its owner even if others hold the pipes`() async throws {
        try await withLoop { loop in
            let marker = makeMarker()
            let child = try await Way.direct.shell("setsid sleep \(marker) & echo $!; exit 7", loop)
            try await loop.wait("the end") { !child.value.exits.isEmpty }
            let (exits, text) = try await loop.run { (child.value.exits, child.value.text) }
            #expect(exits == [.exited(7)])
            // This is the loss that is documented.
            let escaped = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
            kill(escaped, SIGKILL)
        }
    }

    @Test func `loses its server and group when the launcher is killed`() async throws {
        try await withLoop { loop in
            let marker = makeMarker()
            let child = try await Way.launcher.shell("sleep \(marker) & echo ready; wait", loop)
            try await loop.wait("it is ready") { child.value.text == "ready\n" }
            try await loop.run { _ = kill(child.value.child.pid, SIGKILL) }
            try await loop.wait("the end") { child.value.exits == [.signaled(SIGKILL)] }
            try await loop.wait("all are gone") { processes(with: marker) == 0 }
        }
    }

    @Test func `is gone when its loop ends`() async throws {
        let marker = makeMarker()
        try await withLoop { loop in
            let child = try await Way.launcher.shell(stubborn(marker), loop)
            try await loop.wait("it is ready") { child.value.text == "ready\n" }
            try await loop.run { child.value.child.delegate = nil }
        }
        try await withLoop { loop in
            try await loop.wait("all are gone") { processes(with: marker) == 0 }
        }
    }

    @Test func `is gone when the process that started it is killed`() async throws {
        let marker = makeMarker()
        await #expect(processExitsWith: .signal(SIGKILL)) { [marker = marker as String] in
            try await withLoop { loop in
                let children = try await withThrowingTaskGroup { group in
                    for _ in 0..<3 { group.addTask { try await Way.launcher.shell(stubborn(marker), loop) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                let ready: @Sendable () -> Bool = { children.allSatisfy { $0.value.text == "ready\n" } }
                guard await loop.comesTrue(ready), processes(with: marker) >= 15 else { return }
                kill(getpid(), SIGKILL)
            }
        }
        try await withLoop { loop in
            try await loop.wait("all are gone") { processes(with: marker) == 0 }
        }
    }

    @Test(arguments: Way.allCases)
    func `leaves no zombies and no descriptors, two hundred times`(_ way: Way) async throws {
        let isDirect = way == .direct
        await #expect(processExitsWith: .success) { [isDirect = isDirect as Bool] in
            let way = isDirect ? Way.direct : .launcher
            try await withLoop { loop in
                _ = try await way.output(of: ChildCommand(executable: "/bin/true"), loop)
                let before = openDescriptors()
                for _ in 0..<20 {
                    try await withThrowingTaskGroup { group in
                        for number in 0..<10 {
                            let command = number % 2 == 0 ? "/bin/true" : "/no/such/file"
                            group.addTask {
                                _ = try? await way.output(of: ChildCommand(executable: command), loop)
                            }
                        }
                        try await group.waitForAll()
                    }
                }
                #expect(zombies() == 0)
                #expect(await loop.comesTrue { openDescriptors() == before })
            }
        }
    }
}
