// Gatehouse. SPDX-License-Identifier: MIT

import Hosting
import MCPServer

struct Add: Tool {
    static let name = "add"
    static let summary = "Adds two numbers."
    @Parameter("The first.") var a: Int
    @Parameter("The second.") var b: Int

    func call(_ context: ToolContext<Void>) throws -> Int {
        let (sum, overflow) = a.addingReportingOverflow(b)
        if overflow { throw TooLarge() }
        return sum
    }
}

struct TooLarge: Error, CustomStringConvertible {
    let description = "The sum is too large."
}

let server = MCPServer(name: "calculator", version: "1.0.0")
server.add(Add.self)

if CommandLine.arguments.contains("--http") {
    try await server.serveHTTP(port: 8081) { print("listening on \($0)") }
} else {
    await server.serveStdio()
}
