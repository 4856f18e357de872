// Gatehouse. SPDX-License-Identifier: MIT

/// Which file a configuration is read from.
package enum ConfigurationFile {
    /// Our own name, looked for in the current directory before all others.
    static let ownName = "gatehouse.json"

    /// The names that other clients use, in the order in which they are looked for in each directory.
    static let wellKnownNames = [
        "mcp_config.json", "mcp.json", ".mcp.json", ".vscode/mcp.json", "mcp_servers.json", "servers.json",
    ]

    /// Bytes of a file that are read at most.
    package static let sizeLimit = 4_194_304

    /// The paths that are tried without `--config`, in order: our own name and the well-known names in the current
    /// directory, then the well-known names in the user's directory and in `~/.config/mcp`.
    package static func candidates(in environment: ConfigurationEnvironment) -> [String] {
        var paths = [ownName] + wellKnownNames
        for directory in environment.home.map({ [$0, $0 + "/.config/mcp"] }) ?? [] {
            paths += wellKnownNames.map { directory + "/" + $0 }
        }
        return paths
    }

    /// The first candidate that exists; nil if there is none.
    ///
    /// A file that is found and has mistakes is not passed over for the next one: that would run something else than
    /// what was written.
    package static func find(in environment: ConfigurationEnvironment) -> String? {
        candidates(in: environment).first { environment.isReadable(environment.absolute($0)) }
    }
}
