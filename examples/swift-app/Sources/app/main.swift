// Gatehouse. SPDX-License-Identifier: MIT

import Hosting

let arguments = CommandLine.arguments.dropFirst()
do {
    let app: MCPFunctionApp
    switch arguments.first {
    case "configuration": app = try byConfiguration(arguments.dropFirst().first ?? "gatehouse.json", port: 8081)
    case "values": app = try byValues("uvx", ["mcp-server-time"], key: "change me", port: 8081)
    default: app = try bySwift(port: 8081)
    }
    try await app.run { print("listening on \($0)") }
} catch {
    print("\(error)")
}
