// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import FoundationEssentials
import MCPServer

/// What `gatehouse demo` offers.
enum DemoServer {
    static func make() -> MCPServer {
        let server = MCPServer(
            name: "gatehouse-demo",
            version: GatewayIdentity.version,
            title: "Gatehouse demo",
            instructions: "Tools to try a gateway with: echo, add and now."
        )
        server.add(Echo.self)
        server.add(Add.self)
        server.add(Now.self)
        let about = ResourceDescription(
            uri: "demo://about",
            name: "about",
            title: "About this server",
            mimeType: "text/plain"
        )
        server.addResource(about) { _ in
            let text = "A small MCP server that comes with Gatehouse. It needs no network.\n"
            return [ResourceContents(uri: about.uri, mimeType: "text/plain", text: text)]
        }
        return server
    }

    private struct Echo: Tool {
        static let name = "echo"
        static let summary = "Gives a text back."
        static let annotations = ToolAnnotations(readOnly: true)
        @Parameter("What to give back.") var text: String

        func call(_ context: ToolContext<Void>) -> String { text }
    }

    private struct Add: Tool {
        static let name = "add"
        static let summary = "Adds two numbers."
        static let annotations = ToolAnnotations(readOnly: true)
        @Parameter("The first number.") var a: Double
        @Parameter("The second number.") var b: Double

        struct Sum: Codable, Sendable {
            var sum: Double
        }

        func call(_ context: ToolContext<Void>) throws -> Sum {
            guard (a + b).isFinite else { throw MCPError.invalidParams("The sum is too large") }
            return Sum(sum: a + b)
        }
    }

    private struct Now: Tool {
        static let name = "now"
        static let summary = "Tells the time in UTC."
        static let annotations = ToolAnnotations(readOnly: true)

        struct Moment: Codable, Sendable {
            var time: String
        }

        func call(_ context: ToolContext<Void>) -> Moment {
            Moment(time: Date().formatted(.iso8601))
        }
    }
}
