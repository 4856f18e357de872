// Gatehouse. SPDX-License-Identifier: MIT

import MCPServer

// Tools that show how often something ran, and what was cancelled.

extension EverythingServer {
    static func addCountingTools(to server: MCPServer, _ world: World) {
        server.add(CountRun.self, using: world)
        server.add(ReadCount.self, using: world)
        server.add(WaitForCancellation.self, using: world)
    }

    private struct CountRun: Tool {
        static let name = "count_run"
        static let summary = "Counts that it ran."
        static let annotations = ToolAnnotations(idempotent: false)
        @Parameter("Where to count.", default: "runs") var key: String

        func call(_ context: ToolContext<World>) -> Int { context.dependencies.count(key) }
    }

    private struct ReadCount: Tool {
        static let name = "read_count"
        static let summary = "Says what was counted, and counts nothing."
        static let annotations = ToolAnnotations(readOnly: true)
        @Parameter("Where it was counted.", default: "runs") var key: String

        func call(_ context: ToolContext<World>) -> Int { context.dependencies.counted(key) }
    }

    private struct WaitForCancellation: Tool {
        static let name = "wait_for_cancellation"
        static let summary = "Waits to be cancelled, and counts that it was."
        @Parameter("Where to count; \"-started\" is added for the start.", default: "cancelled") var key:
            String
        @Parameter("The longest that it waits.", default: 60, minimum: 0, maximum: 3600) var seconds: Double

        func call(_ context: ToolContext<World>) async throws -> String {
            context.dependencies.count("\(key)-started")
            context.reportProgress(1, of: 2, message: "waiting")
            do {
                try await Task.sleep(for: .seconds(seconds))
            } catch {
                context.dependencies.count(key)
                throw error
            }
            return "Nobody cancelled."
        }
    }
}
