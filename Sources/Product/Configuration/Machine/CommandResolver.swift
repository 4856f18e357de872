// Gatehouse. SPDX-License-Identifier: MIT

import JSON

/// A program to start: an absolute path and its arguments (without the program's own name).
package struct ResolvedCommand: Sendable, Equatable {
    /// The absolute path.
    package var executable: String
    /// The arguments after the program's name.
    package var arguments: [String]
}

/// Why a command cannot be started.
package struct CommandFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong.
    package var message: String
    /// What would be right, or where was looked: for the operator, not for callers.
    package var hint: String?

    /// What is wrong, and what is known about it.
    package init(message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    /// Both in one line.
    package var description: String { hint.map { "\(message); \($0)" } ?? message }
}

/// Finds the program of a server without a shell.
package enum CommandResolver {
    /// Searched if PATH is not set.
    static let defaultPath = "/usr/local/bin:/usr/bin:/bin"

    /// The program a server's command means.
    ///
    /// A command with a `/` is a path, relative to the server's working directory. Any other is looked for in PATH: the
    /// server's own if its `env` has one, else ours; entries that are not absolute are skipped. `uvx` is found in
    /// ~/.local/bin too, where its installer puts it, and replaced by `uv tool run` if only `uv` is there.
    package static func resolve(
        _ server: ServerConfiguration,
        in environment: ConfigurationEnvironment
    ) throws(CommandFailure) -> ResolvedCommand {
        let command = server.command
        if command.contains("/") {
            let path = environment.absolute(command, from: server.workingDirectory)
            guard environment.isExecutable(path) else {
                throw CommandFailure(
                    message: "the command \(server.writtenCommand.quoted) is not a file that can be executed",
                    hint: command.hasPrefix("~") ? "no shell reads this: write ${HOME} for ~" : nil
                )
            }
            return ResolvedCommand(executable: path, arguments: server.arguments)
        }
        let search = server.environment["PATH"] ?? environment.variables["PATH"] ?? defaultPath
        if let path = find(command, search, environment) {
            return ResolvedCommand(executable: path, arguments: server.arguments)
        }
        guard command == "uvx" else {
            throw CommandFailure(
                message: "the command \(server.writtenCommand.quoted) was not found",
                hint: command.contains(" ")
                    ? "no shell reads this: put what follows the program's name into \"args\""
                    : "searched PATH: \(search)"
            )
        }
        return try resolveUVX(server, search, environment)
    }

    private static func resolveUVX(
        _ server: ServerConfiguration,
        _ search: String,
        _ environment: ConfigurationEnvironment
    ) throws(CommandFailure) -> ResolvedCommand {
        let local = environment.home.map { $0 + "/.local/bin" }
        if let path = local.flatMap({ find("uvx", $0, environment) }) {
            return ResolvedCommand(executable: path, arguments: server.arguments)
        }
        if let path = find("uv", search, environment) ?? local.flatMap({ find("uv", $0, environment) }) {
            return ResolvedCommand(executable: path, arguments: ["tool", "run"] + server.arguments)
        }
        throw CommandFailure(
            message: "the command \"uvx\" was not found; install uv, which brings it: "
                + "https://docs.astral.sh/uv/getting-started/installation/ (or: pip install uv)",
            hint: "searched PATH: \(search)" + (local.map { ", and \($0)" } ?? "")
        )
    }

    private static func find(
        _ command: String,
        _ search: String,
        _ environment: ConfigurationEnvironment
    ) -> String? {
        for directory in search.split(separator: ":") where directory.hasPrefix("/") {
            let path = directory.hasSuffix("/") ? directory + command : directory + "/" + command
            if environment.isExecutable(String(path)) { return String(path) }
        }
        return nil
    }
}
