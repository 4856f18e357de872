// Gatehouse. SPDX-License-Identifier: MIT

import Hosting

/// A gateway that offers one program, described by values, to those who have the key.
func byValues(_ command: String, _ arguments: [String], key: String, port: UInt16) throws -> MCPFunctionApp {
    let program = MCPServerStdioParams(command: command, args: arguments, env: ["LANG": "C.UTF-8"])
    return try MCPFunctionApp(
        mode: .stdio,
        server: MCPStdioConfiguration(name: "program", params: program),
        accessLevel: .function(keys: [key]),
        port: port
    )
}
