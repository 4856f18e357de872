// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Diagnostics
import FoundationEssentials
import MCPServer

/// Offers a server of this program over HTTP at `/mcp`, through the same gateway as any other.
enum HostedServing {
    /// Runs until a signal ends it.
    ///
    /// - Parameters:
    ///   - server: The server.
    ///   - name: Its name in the path `/mcp/{name}`; `/mcp` leads to it as well.
    ///   - port: The port on loopback; 0 for any.
    /// - Returns: The exit status.
    static func run(_ server: MCPServer, name: String, port: UInt16) -> Int32 {
        var configuration = GatewayConfiguration()
        configuration.port = port
        let environment = ConfigurationEnvironment.current(variables: ProcessInfo.processInfo.environment)
        let log = Log(level: .info, subsystem: .gateway)
        return ServeRun(configuration, hosting: [(name, server)], environment, log).untilItEnds()
    }
}
