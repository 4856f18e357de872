// Gatehouse. SPDX-License-Identifier: MIT

import MCPServer

extension Everything {
    /// Serves over HTTP at `/mcp` until it is told to stop.
    ///
    /// - Parameters:
    ///   - server: What is served.
    ///   - port: The port of the loopback address; 0 for any that is free.
    /// - Returns: The exit status.
    static func serveHTTP(_ server: MCPServer, port: UInt16) -> Int32 {
        HostedServing.run(server, name: "everything", port: port)
    }
}
