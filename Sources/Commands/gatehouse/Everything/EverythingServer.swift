// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import MCPServer

/// A server with every feature of MCP: what tests of clients, gateways and of this library talk to.
///
/// It has what the official conformance suite expects of a server, by the same names, and some more for what that does
/// not look at. Each file beside this one adds the tools of one subject.
enum EverythingServer {
    /// Makes the server.
    ///
    /// - Parameter options: How it behaves.
    /// - Returns: The server, with all that it offers.
    static func make(_ options: ServerOptions = ServerOptions()) -> MCPServer {
        let server = MCPServer(
            name: "gatehouse-everything",
            version: "1.0.0",
            title: "Everything",
            description: "Every feature of MCP, to test with.",
            instructions: "Use it to test clients and gateways.",
            options: options
        )
        let world = World(server)
        addContentTools(to: server)
        addTellingTools(to: server)
        addAskingTools(to: server, world)
        addRoundTools(to: server)
        addTaskTools(to: server)
        addSchemaTools(to: server)
        addChangingTools(to: server, world)
        addCountingTools(to: server, world)
        addResources(to: server, world)
        addPrompts(to: server)
        return server
    }

    /// What the tools share: the server that they change, and what they count.
    final class World: Sendable {
        /// The server; weak, since its tools hold this.
        weak let server: MCPServer?
        private let counts = Locked([String: Int]())
        /// How many names are counted; others are not.
        private static let limit = 10_000

        init(_ server: MCPServer) { self.server = server }

        /// Counts one more of something.
        ///
        /// - Returns: How many there were by now.
        @discardableResult
        func count(_ name: String) -> Int {
            counts.withLock { counts in
                guard counts.count < Self.limit || counts[name] != nil else { return 0 }
                counts[name, default: 0] += 1
                return counts[name] ?? 0
            }
        }

        /// How many there were of something.
        func counted(_ name: String) -> Int { counts.withLock { $0[name] ?? 0 } }
    }

    /// A picture of one pixel, in PNG.
    static let picture =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGM4YKAAAALEARHMijteAAAAAElFTkSuQmCC"
    /// A millisecond of silence, in WAV.
    static let sound = "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA=="
}
