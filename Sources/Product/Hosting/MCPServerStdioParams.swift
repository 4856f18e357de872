// Gatehouse. SPDX-License-Identifier: MIT

import JSON

/// How a server is reached that is not part of this program.
public enum MCPMode: String, Sendable {
    /// It is a program that is started, and speaks on its standard input and output.
    case stdio
}

/// The program of a server.
public struct MCPServerStdioParams: Sendable {
    /// Its name, to be found in PATH, or its path.
    public var command: String
    /// Its arguments, passed as they are: no shell reads them.
    public var args: [String]
    /// Variables for it, besides the few that it inherits.
    public var env: [String: String]
    /// Where it runs; nil is the directory of this program.
    public var workingDirectory: String?

    /// A program, and how it is started.
    public init(
        command: String,
        args: [String] = [],
        env: [String: String] = [:],
        workingDirectory: String? = nil
    ) {
        self.command = command
        self.args = args
        self.env = env
        self.workingDirectory = workingDirectory
    }
}

/// A server that is a program: under which name it is offered, and how it is started.
public struct MCPStdioConfiguration: Sendable {
    /// The name in the path `/mcp/{name}`: 1 to 64 letters, digits, `_` and `-`.
    public var name: String
    /// How it is started.
    public var params: MCPServerStdioParams

    /// A name and a program.
    public init(name: String, params: MCPServerStdioParams) {
        self.name = name
        self.params = params
    }

    /// The same as a configuration file says it, so that the same is checked.
    var document: JSONValue {
        var members: [JSONValue.Member] = [
            .init("command", Self.literal(params.command)),
            .init("args", .array(params.args.map(Self.literal))),
            .init(
                "env",
                .object(
                    params.env.sorted { $0.key < $1.key }.map { .init($0.key, Self.literal($0.value)) }
                )
            ),
        ]
        if let directory = params.workingDirectory {
            members.append(.init("working_dir", Self.literal(directory)))
        }
        return .object([.init("mcpServers", .object([.init(name, .object(members))]))])
    }

    /// What a program says is meant as it stands, where a file could refer to variables.
    private static func literal(_ text: String) -> JSONValue {
        .string(text.split(separator: "${", omittingEmptySubsequences: false).joined(separator: "$${"))
    }
}

/// Who may use what a program offers.
public enum MCPAccessLevel: Sendable {
    /// Everybody who reaches it.
    case anonymous
    /// Who brings one of these keys, in `x-functions-key` or as `code` in the query; everybody else gets status 401.
    ///
    /// Without a key nothing is started.
    case function(keys: [String])
}
