// Gatehouse. SPDX-License-Identifier: MIT

/// Finds a confined program from outside: launcher, bubblewrap, the launcher inside, the program.
enum ConfinedProcess {
    /// Its process id, as this process's namespace counts; nil if it is not there (any more).
    static func find(under launcher: Int32) -> Int32? {
        onlyChild(of: launcher).flatMap(onlyChild).flatMap(onlyChild)
    }

    /// The oldest child of a process with one thread.
    private static func onlyChild(of parent: Int32) -> Int32? {
        TextFile.contents("/proc/\(parent)/task/\(parent)/children").split(separator: " ").first.flatMap {
            Int32($0)
        }
    }
}
