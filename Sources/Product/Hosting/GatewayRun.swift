// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Diagnostics
import EventLoop
import FoundationEssentials
import Frontends
import Gateway
import MCPServer

/// A gateway on a loop of its own.
///
/// It ends with `stop`, or at once if it could not start; let go of while it runs, it stops by itself.
final class GatewayRun: Sendable {
    private let loop: EventLoop
    private let gateway = Locked<LoopBound<GatewayServer>?>(nil)

    private init() throws(IOFailure) {
        loop = try EventLoop(name: "mcp-http")
        try loop.start()
    }

    /// One whose thread runs already.
    static func make() throws(ServingFailure) -> GatewayRun {
        do {
            return try GatewayRun()
        } catch {
            throw ServingFailure(description: "\(error)")
        }
    }

    /// Starts listening; where.
    ///
    /// If it throws, the loop has ended.
    func start(
        _ configuration: GatewayConfiguration,
        hosting hosted: [(name: String, server: MCPServer)],
        keys: AccessKeys? = nil,
        log: Log
    ) async throws -> String {
        do {
            return try await begin(configuration, hosting: hosted, keys: keys, log: log)
        } catch {
            loop.join()
            throw error
        }
    }

    private func begin(
        _ configuration: GatewayConfiguration,
        hosting hosted: [(name: String, server: MCPServer)],
        keys: AccessKeys?,
        log: Log
    ) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            loop.post { [self] in
                do {
                    let gateway = try GatewayServer(
                        configuration,
                        hosting: hosted,
                        keys: keys,
                        in: .current(variables: ProcessInfo.processInfo.environment),
                        on: loop,
                        log: log
                    )
                    let held = LoopBound(gateway, loop)
                    self.gateway.withLock { $0 = held }
                    continuation.resume(returning: gateway.url)
                } catch {
                    loop.stop()
                    continuation.resume(throwing: ServingFailure(description: "\(error)"))
                }
            }
        }
    }

    /// What it is at; nil when it has ended, or is about to.
    func status() async -> GatewayStatus? {
        await withCheckedContinuation { continuation in
            // Under the lock, so that this is asked before the loop is told to stop, or not at all.
            let isAsked = gateway.withLock { held in
                guard let held else { return false }
                loop.post { continuation.resume(returning: held.value.status) }
                return true
            }
            if !isAsked { continuation.resume(returning: nil) }
        }
    }

    /// Takes nothing new, lets what is being answered finish, and ends the loop.
    func stop() async {
        await withCheckedContinuation { continuation in
            loop.post { [self] in
                guard let held = gateway.withLock({ $0 }) else { return continuation.resume() }
                held.value.stop { [self, held] in
                    gateway.withLock { $0 = nil }
                    // It is let go of on its own loop, and only when nothing of it runs any more; after whatever was asked.
                    loop.post { [self] in
                        _ = held
                        loop.stop()
                        continuation.resume()
                    }
                }
            }
        }
        // Its thread ends as soon as it is told to, so that waiting for that holds nobody up.
        loop.join()
    }

    deinit {
        guard let held = gateway.withLock({ $0.take() }) else { return }
        let loop = loop
        loop.detach()
        loop.post {
            held.value.stop {
                loop.post {
                    _ = held
                    loop.stop()
                }
            }
        }
    }

    /// Ends a loop on which nothing was started.
    func abandon() {
        loop.stop()
        loop.join()
    }
}

/// Returns when the task is cancelled.
func untilCancelled() async {
    let (never, continuation) = AsyncStream<Never>.makeStream()
    await withTaskCancellationHandler {
        for await _ in never {}
    } onCancel: {
        continuation.finish()
    }
}
