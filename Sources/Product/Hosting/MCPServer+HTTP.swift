// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Diagnostics
public import MCPServer

extension MCPServer {
    /// Serves over Streamable HTTP (2026-07-28 and 2025-11-25, transports) at `/mcp`, to clients of every revision, through
    /// the gateway's own frontends.
    ///
    /// It starts listening at once and says where by `onReady`. It ends when the task is cancelled: nothing new is taken then,
    /// and what is being answered may finish.
    ///
    /// - Parameters:
    ///   - host: The address to listen on; others than loopback are open to everyone who reaches them.
    ///   - port: The port; 0 for any that is free.
    ///   - hosts: What clients may write in `Host` beside the address, and beside the loopback names where it is one; with a
    ///     port, or without one for any. Others are refused with status 403.
    ///   - onReady: Is told the URL of the endpoint, once.
    /// - Throws: `ServingFailure` if it cannot listen there.
    public func serveHTTP(
        host: String = "127.0.0.1",
        port: UInt16 = 8080,
        hosts: [String] = [],
        onReady: @Sendable (_ url: String) -> Void = { _ in }
    ) async throws {
        var configuration = GatewayConfiguration()
        configuration.host = host
        configuration.port = port
        configuration.hosts = hosts.map { $0.lowercased() }
        let run = try GatewayRun.make()
        let log = Log(level: .warning, subsystem: .http)
        onReady(try await run.start(configuration, hosting: [("server", self)], log: log) + "/mcp")
        await untilCancelled()
        await run.stop()
    }
}

/// Why servers cannot be offered over HTTP.
public struct ServingFailure: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public let description: String
}
