// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer

// Tools that tell how far they are while they work.

extension EverythingServer {
    static func addTellingTools(to server: MCPServer) {
        server.add(Progress.self)
        server.add(Logging.self)
        server.add(LoggingOnce.self)
        server.add(AllLevels.self)
        server.add(Reconnection.self)
    }

    private struct Progress: Tool {
        static let name = "test_tool_with_progress"
        static let summary = "Reports progress three times."

        func call(_ context: ToolContext<Void>) async throws -> String {
            context.reportProgress(0, of: 100)
            try await Task.sleep(for: .milliseconds(50))
            context.reportProgress(50, of: 100)
            try await Task.sleep(for: .milliseconds(50))
            context.reportProgress(100, of: 100)
            return "Progress was reported."
        }
    }

    private struct Logging: Tool {
        static let name = "test_tool_with_logging"
        static let summary = "Writes three log messages."

        func call(_ context: ToolContext<Void>) async throws -> String {
            context.log(.info, "Tool execution started")
            try await Task.sleep(for: .milliseconds(50))
            context.log(.info, "Tool processing data")
            try await Task.sleep(for: .milliseconds(50))
            context.log(.info, "Tool execution completed")
            return "Log messages were written."
        }
    }

    private struct LoggingOnce: Tool {
        static let name = "test_logging_tool"
        static let summary = "Writes a log message, which only those get who asked for it."

        func call(_ context: ToolContext<Void>) -> String {
            context.log(.info, "A message from test_logging_tool", logger: name)
            return "A log message was written."
        }

        private var name: String { Self.name }
    }

    private struct AllLevels: Tool {
        static let name = "test_log_levels"
        static let summary = "Writes a log message of each level."

        func call(_ context: ToolContext<Void>) -> String {
            for level in LogLevel.allCases { context.log(level, ["level": .string(level.rawValue)]) }
            return "A log message of each level was written."
        }
    }

    private struct Reconnection: Tool {
        static let name = "test_reconnection"
        static let summary = "Takes long enough that a transport can close its stream meanwhile."

        func call(_ context: ToolContext<Void>) async throws -> String {
            try await Task.sleep(for: .milliseconds(300))
            return "Reconnection test completed."
        }
    }
}
