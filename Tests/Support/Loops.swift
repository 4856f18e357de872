// Gatehouse. SPDX-License-Identifier: MIT

package import EventLoop
package import Testing

/// A running loop for the length of a test.
@discardableResult
package func withLoop<R: Sendable>(_ body: (EventLoop) async throws -> R) async throws -> R {
    let loop = try EventLoop(name: "test")
    try loop.start()
    let result: Result<R, any Error>
    do { result = .success(try await body(loop)) } catch { result = .failure(error) }
    loop.stop()
    loop.join()
    return try result.get()
}

extension EventLoop {
    /// Runs something on the loop and waits for it.
    @discardableResult
    package func run<R: Sendable>(_ work: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            post { continuation.resume(with: Result { try work() }) }
        }
    }

    /// Whether a condition comes to hold on the loop before many turns of a short timer have passed.
    package func comesTrue(_ condition: @escaping @Sendable () -> Bool) async -> Bool {
        await withCheckedContinuation { continuation in
            post {
                var left = 24_000
                var timer: LoopTimer?
                timer = LoopTimer(self) {
                    left -= 1
                    let met = condition()
                    guard met || left == 0 else { return }
                    timer?.close()
                    timer = nil
                    continuation.resume(returning: met)
                }
                timer?.repeat(every: 5)
            }
        }
    }

    /// Waits until a condition holds on the loop; a test that waits in vain fails and ends.
    package func wait(
        _ what: Comment,
        until condition: @escaping @Sendable () -> Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let met = await comesTrue(condition)
        try #require(met, what, sourceLocation: sourceLocation)
    }
}
