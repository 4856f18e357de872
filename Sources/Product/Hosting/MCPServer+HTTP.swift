// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Diagnostics
import EventLoop
import FoundationEssentials
import Frontends
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
        let run: HTTPRun
        do {
            run = try HTTPRun()
        } catch {
            throw ServingFailure(description: "\(error)")
        }
        // Its thread ends as soon as it is told to, so that waiting for that holds nobody up.
        defer { run.join() }
        let url = try await run.start(self, host: host, port: port, hosts: hosts.map { $0.lowercased() })
        onReady(url)
        await run.untilCancelled()
    }
}

/// Why a server cannot be reached over HTTP.
public struct ServingFailure: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public let description: String
}

/// A gateway with one hosted server, on a loop of its own.
private final class HTTPRun: Sendable {
    private let loop: EventLoop
    private let state = Locked(State())

    private struct State {
        var gateway: LoopBound<GatewayServer>?
        var waiter: CheckedContinuation<Void, Never>?
        var isCancelled = false
    }

    init() throws(IOFailure) {
        loop = try EventLoop(name: "mcp-http")
        try loop.start()
    }

    /// Starts listening; where.
    func start(_ server: MCPServer, host: String, port: UInt16, hosts: [String]) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            loop.post { [self] in
                var configuration = GatewayConfiguration()
                configuration.host = host
                configuration.port = port
                configuration.hosts = hosts
                do {
                    let gateway = try GatewayServer(
                        configuration,
                        hosting: [("server", server)],
                        in: .current(variables: ProcessInfo.processInfo.environment),
                        on: loop,
                        log: Log(level: .warning, subsystem: "http")
                    )
                    let url = gateway.url + "/mcp"
                    let held = LoopBound(gateway, loop)
                    state.withLock { $0.gateway = held }
                    continuation.resume(returning: url)
                } catch {
                    loop.stop()
                    continuation.resume(throwing: ServingFailure(description: "\(error)"))
                }
            }
        }
    }

    /// Returns when the task was cancelled and all is over.
    func untilCancelled() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCancelled = state.withLock { state in
                    state.waiter = continuation
                    return state.isCancelled
                }
                if isCancelled { stop() }
            }
        } onCancel: {
            let isWaiting = state.withLock { state in
                state.isCancelled = true
                return state.waiter != nil
            }
            if isWaiting { stop() }
        }
    }

    func join() {
        loop.join()
    }

    private func stop() {
        loop.post { [self] in
            guard let gateway = state.withLock({ $0.gateway.take() }) else { return }
            gateway.value.stop { [self, gateway] in
                // It is let go of on its own loop, and only when nothing of it runs any more.
                _ = gateway
                loop.stop()
                state.withLock { $0.waiter.take() }?.resume()
            }
        }
    }
}
