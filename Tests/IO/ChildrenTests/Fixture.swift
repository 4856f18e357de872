// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Children
import EventLoop
import Foundation
import TestSupport
import Testing

/// A child and what it said.
final class Watched: ChildDelegate {
    let child: Child
    var output: [UInt8] = []
    var diagnostics = 0
    var drains = 0
    var exits: [ChildExit] = []

    init(_ child: Child) {
        self.child = child
        child.delegate = self
    }

    var text: String { String(decoding: output, as: UTF8.self) }

    func childOutput(_ bytes: Span<UInt8>, of child: Child) { output.append(bytes) }
    func childDiagnostics(_ bytes: Span<UInt8>, of child: Child) { diagnostics += bytes.count }
    func childInputDrained(of child: Child) { drains += 1 }
    func childExited(_ exit: ChildExit, of child: Child) { exits.append(exit) }
}

/// The ways to start children.
enum Way: CaseIterable {
    case launcher
    case direct

    func spawner() throws -> ChildSpawner {
        switch self {
        case .launcher:
            let launcher: String = try #require(ChildSpawner.locateLauncher())
            return ChildSpawner(launcher: launcher)
        case .direct:
            return ChildSpawner(launcher: nil)
        }
    }

    func start(_ command: ChildCommand, _ loop: EventLoop) async throws -> LoopBound<Watched> {
        let spawner = try spawner()
        return try await withCheckedThrowingContinuation { continuation in
            loop.post {
                spawner.spawn(command, on: loop) { result in
                    continuation.resume(with: result.map { LoopBound(Watched($0), loop) })
                }
            }
        }
    }

    /// Runs a shell script.
    func shell(_ script: String, _ loop: EventLoop) async throws -> LoopBound<Watched> {
        try await start(.shell(script), loop)
    }

    /// Runs a command to its end and gives its output.
    func output(of command: ChildCommand, _ loop: EventLoop) async throws -> (text: String, exit: ChildExit?)
    {
        let watched = try await start(command, loop)
        try await loop.wait("the end of \(command)") { !watched.value.exits.isEmpty }
        return try await loop.run { (watched.value.text, watched.value.exits.first) }
    }
}

extension ChildCommand {
    static func shell(
        _ script: String,
        _ environment: [String: String] = ["PATH": "/bin:/usr/bin"]
    ) -> ChildCommand {
        ChildCommand(executable: "/bin/sh", arguments: ["-c", script], environment: environment)
    }
}

/// A number that `sleep` takes and that no other process has on its command line.
func makeMarker() -> String {
    "86400." + String(UInt32.random(in: 100_000_000...999_999_999))
}

/// How many processes have a marker on their command line; those that have ended have none.
func processes(with marker: String) -> Int {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.count { entry in
        guard Int(entry) != nil, let line = contents("/proc/\(entry)/cmdline")
        else {
            return false
        }
        return String(decoding: line, as: UTF8.self).contains(marker)
    }
}

/// Children of this process that have ended and were not reaped.
func zombies() -> Int {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.count { entry in
        guard Int(entry) != nil, let status = contents("/proc/\(entry)/stat")
        else {
            return false
        }
        let fields =
            String(decoding: status, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
        return fields.count > 1 && fields[0] == "Z" && Int32(fields[1]) == getpid()
    }
}

/// How many descriptors this process has open.
func openDescriptors() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? -1
}

/// The beginning of a small file.
private func contents(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
        count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
    }
}
