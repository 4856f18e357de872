// Gatehouse. SPDX-License-Identifier: MIT

import Hosting

let arguments = Array(CommandLine.arguments.dropFirst())
let file = arguments.count > 1 ? arguments[1] : "gatehouse.json"
do {
    let app: MCPFunctionApp
    switch arguments.first {
    case "configuration": app = try byConfiguration(file, port: 8081)
    case "values": app = try byValues("uvx", ["mcp-server-time"], key: "change me", port: 8081)
    default: app = try bySwift(port: 8081)
    }
    try await app.run { print("listening on \($0)") }
} catch {
    print("\(error)")
}
