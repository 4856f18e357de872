// Gatehouse. SPDX-License-Identifier: MIT

/// One mistake in a configuration, with its place and what would be right.
package struct ConfigurationIssue: Error, Sendable, Equatable, CustomStringConvertible {
    /// How bad it is.
    package enum Severity: String, Sendable {
        /// Something does not work as written.
        case error
        /// Something is written that has no effect.
        case warning
    }

    /// What it stops.
    package enum Reach: Sendable, Equatable {
        /// The gateway does not start.
        case gateway
        /// The server of this name answers with the problem; everything else runs.
        case server(String)
    }

    /// How bad it is.
    package var severity: Severity
    /// What it stops, if it is an error.
    package var reach: Reach
    /// The file, as it was named.
    package var file: String
    /// The line, from 1; 0 if it belongs to no line.
    package var line: Int
    /// The column in characters (Unicode scalars), from 1; 0 if it belongs to no line.
    package var column: Int
    /// The way to the value, like `mcpServers.git.command` or `gateway.hosts[0]`; empty for the whole file.
    package var keyPath: String
    /// What is wrong.
    ///
    /// Never holds the value of a variable.
    package var message: String
    /// What would be right, if that is known.
    package var hint: String?

    /// One line as compilers write it: `gatehouse.json:12:7: error: mcpServers.git.comand: unknown key; did you mean
    /// "command"?`.
    package var description: String {
        var text = file
        if line > 0 { text += ":\(line):\(column)" }
        text += ": \(severity.rawValue): "
        if !keyPath.isEmpty { text += keyPath + ": " }
        text += message
        if let hint { text += "; " + hint }
        return text
    }

    /// Whether the gateway must not start.
    package var stopsStart: Bool { severity == .error && reach == .gateway }
}
