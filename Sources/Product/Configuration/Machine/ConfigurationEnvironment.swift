// Gatehouse. SPDX-License-Identifier: MIT

/// What a configuration depends on beside its text: variables and what exists on this machine.
///
/// Handed in, so that reading a configuration is a function of its inputs. `current` is the real one.
package struct ConfigurationEnvironment: Sendable {
    /// The variables of this process.
    package var variables: [String: String]
    /// The directory that relative paths start from, absolute.
    package var workingDirectory: String
    /// Whether a path is a file that we may execute.
    package var isExecutable: @Sendable (String) -> Bool
    /// Whether a path is a directory that we may enter.
    package var isDirectory: @Sendable (String) -> Bool
    /// Whether a path is something that can be read.
    package var isReadable: @Sendable (String) -> Bool

    /// An environment made up of its parts.
    package init(
        variables: [String: String],
        workingDirectory: String,
        isExecutable: @escaping @Sendable (String) -> Bool,
        isDirectory: @escaping @Sendable (String) -> Bool,
        isReadable: @escaping @Sendable (String) -> Bool
    ) {
        self.variables = variables
        self.workingDirectory = workingDirectory
        self.isExecutable = isExecutable
        self.isDirectory = isDirectory
        self.isReadable = isReadable
    }

    /// The user's directory, if HOME names one.
    var home: String? {
        guard let home = variables["HOME"], home.hasPrefix("/") else { return nil }
        return home
    }

    /// A path made absolute, from a directory that is absolute or nil for the working directory.
    package func absolute(_ path: String, from directory: String? = nil) -> String {
        if path.hasPrefix("/") { return path }
        let base = directory.map { absolute($0) } ?? workingDirectory
        return base.hasSuffix("/") ? base + path : base + "/" + path
    }
}
