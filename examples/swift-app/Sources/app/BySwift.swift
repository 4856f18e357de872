// Gatehouse. SPDX-License-Identifier: MIT

import Hosting
import MCPServer

/// A gateway that offers a server written in Swift, in this program.
func bySwift(port: UInt16) throws -> MCPFunctionApp {
    let greeter = MCPServer(name: "greeter", version: "1.0.0")
    greeter.add(Greet.self)
    return try MCPFunctionApp(accessLevel: .anonymous, hosted: [("greeter", greeter)], port: port)
}

private struct Greet: Tool {
    static let name = "greet"
    static let summary = "Says hello."
    @Parameter("To whom.") var name: String

    func call(_ context: ToolContext<Void>) -> String { "Hello, \(name)!" }
}
