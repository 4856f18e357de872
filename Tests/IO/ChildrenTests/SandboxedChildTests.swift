// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import Foundation
import TestSupport
import Testing

@testable import Children

/// A view of the system alone.
private func sandbox() throws -> Sandbox {
    let facilities = try SandboxFacilities.current(path: "/usr/local/bin:/usr/bin:/bin")
    let plan = SandboxPlan(program: "/bin/sh", environment: [:], gatewayDirectory: "/")
    return Sandbox(bubblewrap: facilities.bubblewrap, view: try plan.view())
}

private func shell(_ script: String, _ sandbox: Sandbox) -> ChildCommand {
    var command = ChildCommand.shell(script)
    command.sandbox = sandbox
    return command
}

/// Needs bubblewrap and user namespaces: scripts/install-packages test.
@Suite struct `A confined child` {
    @Test func `is alone, answers, and ends with its own status`() async throws {
        let command = shell("echo $$ $(ls -d /proc/[0-9]* | wc -l); cat; exit 5", try sandbox())
        try await withLoop { loop in
            let child = try await Way.launcher.start(command, loop)
            try await loop.run {
                let word = Array("word".utf8)
                child.value.child.write(word.span)
                child.value.child.endInput()
            }
            try await loop.wait("its end") { !child.value.exits.isEmpty }
            let (text, exits) = try await loop.run { (child.value.text, child.value.exits) }
            #expect(text.hasPrefix("2 ") && text.hasSuffix("\nword"))
            #expect(exits == [.exited(5)])
        }
    }

    @Test func `is told apart from those that confine it, and killed with all of them`() async throws {
        let marker = makeMarker()
        let command = shell("setsid sleep \(marker) & echo ready; sleep \(marker)", try sandbox())
        try await withLoop { loop in
            let child = try await Way.launcher.start(command, loop)
            try await loop.wait("it is ready") {
                child.value.text == "ready\n" && processes(with: marker) >= 4
            }
            let (server, launcher) = try await loop.run {
                (child.value.child.serverPID, child.value.child.pid)
            }
            #expect(server > 2 && server != launcher && kill(server, 0) == 0)
            try await loop.run { child.value.child.kill() }
            try await loop.wait("its end") { child.value.exits == [.signaled(SIGKILL)] }
            #expect(processes(with: marker) == 0)
        }
    }

    @Test func `says that its input was closed, and hears that its output is`() async throws {
        let command = shell("exec <&-; echo ready; exec >&-; sleep 60; exit 1", try sandbox())
        try await withLoop { loop in
            let child = try await Way.launcher.start(command, loop)
            // Who has closed its output can answer nothing more, and is ended.
            try await loop.wait("its end") { !child.value.exits.isEmpty }
            #expect(try await loop.run { child.value.text } == "ready\n")
        }
    }

    @Test func `has bounds of its own where there are no control groups`() async throws {
        var sandbox = try sandbox()
        sandbox.bounds = SandboxBounds(memory: 256 << 20, processes: 40, groups: ControlGroups())
        let command = shell("grep -E 'address space|processes' /proc/self/limits", sandbox)
        try await withLoop { loop in
            let (text, exit) = try await Way.launcher.output(of: command, loop)
            #expect(exit == .exited(0))
            let words = text.split(whereSeparator: \.isNewline).map { $0.split(separator: " ") }
            #expect(words.contains { $0.prefix(4) == ["Max", "processes", "42", "42"] })
            #expect(words.contains { $0.prefix(5) == ["Max", "address", "space", "268435456", "268435456"] })
        }
    }

    /// What cannot be done, and the words for it.
    enum Obstacle: String, CaseIterable {
        case bubblewrap = "/nonexistent/bwrap: no such file or directory"
        case group = "the control group that bounds it: no such file or directory"
        case source = "/nonexistent/place"
        case directory = "working directory /nonexistent/directory: no such file or directory"
        case program = "no such file or directory"
        case launcher = "a sandbox needs gatehouse-launcher beside the gateway"

        func command() throws -> ChildCommand {
            var command = shell("exit 0", try sandbox())
            switch self {
            case .bubblewrap: command.sandbox?.bubblewrap = "/nonexistent/bwrap"
            case .group:
                let group = ControlGroup(directory: "/nonexistent", version: .second)
                let groups = ControlGroups(memory: group, processes: nil)
                command.sandbox?.bounds = SandboxBounds(memory: 1 << 28, processes: 9, groups: groups)
            case .source: command.sandbox?.view.put(.readable("/nonexistent/place"), at: "/place")
            case .directory: command.workingDirectory = "/nonexistent/directory"
            case .program: command.executable = "/nonexistent/program"
            case .launcher: break
            }
            return command
        }
    }

    @Test(arguments: Obstacle.allCases)
    func `is not started if it cannot be confined as it should`(_ obstacle: Obstacle) async throws {
        let command = try obstacle.command()
        let way = obstacle == .launcher ? Way.direct : .launcher
        try await withLoop { loop in
            do {
                _ = try await way.start(command, loop)
                Issue.record("it was started")
            } catch {
                #expect("\(error)".contains(obstacle.rawValue), "\(error)")
            }
        }
    }
}
