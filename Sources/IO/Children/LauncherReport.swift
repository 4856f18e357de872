// Gatehouse. SPDX-License-Identifier: MIT

/// Reads what a launcher reports: records of two little-endian 32-bit integers, a kind and a value.
///
/// The kinds are those of `report.h` of the launcher.
struct LauncherReport {
    /// The server's process id.
    private(set) var running: Int32?
    /// The server's wait status.
    private(set) var ended: Int32?
    /// The wait status of what confined the server.
    private(set) var wrapperEnded: Int32?
    /// The bound that the server came to.
    private(set) var bound: ChildExit.Bound?
    /// What could not be done, and the `errno` value.
    private(set) var failure: (step: Step, code: Int32)?

    enum Step {
        case directory
        case program
        case setup
        case wrapper
        case group
    }

    private var partial: [UInt8] = []

    /// How the server ended, as far as that was reported.
    var exit: ChildExit? {
        let exit = ended.map { ChildExit(status: $0) } ?? wrapperEnded.map { ChildExit(wrapperStatus: $0) }
        guard let exit, let bound, exit != .exited(0) else { return exit }
        return .bounded(exit, bound)
    }

    mutating func append(_ bytes: Span<UInt8>) {
        for index in bytes.indices {
            partial.append(bytes[index])
            guard partial.count == 8 else { continue }
            take(kind: number(at: 0), value: number(at: 4))
            partial.removeAll(keepingCapacity: true)
        }
    }

    private func number(at start: Int) -> Int32 {
        let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(partial[start + $1]) << (UInt32($1) * 8) }
        return Int32(bitPattern: bits)
    }

    private mutating func take(kind: Int32, value: Int32) {
        switch kind {
        case 1: running = value
        case 2: ended = value
        case 3: failure = (.directory, value)
        case 4: failure = (.program, value)
        case 5: failure = (.setup, value)
        case 6: wrapperEnded = value
        case 7: bound = .memory
        case 8: bound = bound ?? .processes
        case 9: failure = (.wrapper, value)
        case 10: failure = (.group, value)
        default: break
        }
    }
}
