// Gatehouse. SPDX-License-Identifier: MIT

import Glibc

/// Finds the program that a command names, the way `execvp` does, but without running anything.
package enum ExecutableSearch {
    /// The absolute path for `command`, or nil if there is no such file that may be executed.
    ///
    /// A command with a slash is a path, taken from `workingDirectory` (default: this process's) if it is relative.
    /// Any other is looked for in the directories of `path`, in order; nil means `/bin:/usr/bin`, and an empty
    /// directory means the working directory, as execvp(3) says.
    package static func resolve(
        _ command: String,
        path: String?,
        workingDirectory: String? = nil
    ) -> String? {
        guard !command.utf8.isEmpty, !command.utf8.contains(0) else { return nil }
        guard let base = base(workingDirectory) else { return nil }
        let slash = UInt8(ascii: "/")
        if command.utf8.contains(slash) { return check(absolute(command, base)) }
        let directories = (path ?? "/bin:/usr/bin").utf8.split(
            separator: UInt8(ascii: ":"),
            omittingEmptySubsequences: false
        )
        for directory in directories {
            let directory = Substring(directory)
            let place = absolute(directory.utf8.isEmpty ? "." : String(directory), base)
            if let found = check(place.utf8.last == slash ? place + command : place + "/" + command) {
                return found
            }
        }
        return nil
    }

    /// Whether a path leads to a regular file that this process may execute.
    static func isExecutable(_ path: String) -> Bool {
        var status = stat()
        return !path.utf8.contains(0) && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            && access(path, X_OK) == 0
    }

    private static func check(_ path: String) -> String? {
        isExecutable(path) ? path : nil
    }

    private static func absolute(_ path: String, _ base: String) -> String {
        if path.utf8.first == UInt8(ascii: "/") { return path }
        let place = path.utf8.elementsEqual(".".utf8) ? "" : path
        return base.utf8.last == UInt8(ascii: "/") ? base + place : base + "/" + place
    }

    private static func base(_ directory: String?) -> String? {
        if let directory, directory.utf8.first == UInt8(ascii: "/") { return directory }
        guard let current = getcwd(nil, 0) else { return nil }
        defer { free(current) }
        return directory.map { absolute($0, String(cString: current)) } ?? String(cString: current)
    }
}
