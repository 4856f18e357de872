// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer

// Tools whose calls become tasks for clients that know them.

extension EverythingServer {
    static func addTaskTools(to server: MCPServer) {
        server.add(Greet.self)
        server.add(SlowCompute.self)
        server.add(FailingJob.self)
        server.add(ProtocolErrorJob.self)
        server.add(ConfirmDelete.self)
        server.add(MultiInput.self)
        server.add(AskThenWork.self)
    }

    private struct Greet: Tool {
        static let name = "greet"
        static let summary = "Greets at once."
        @Parameter("Whom to greet.") var name: String

        func call(_ context: ToolContext<Void>) -> String { "Hello, \(name)!" }
    }

    private struct SlowCompute: Tool {
        static let name = "slow_compute"
        static let summary = "Takes a while."
        static let taskSupport = TaskSupport.optional
        @Parameter("How long it takes.", default: 1, minimum: 0, maximum: 3600) var seconds: Double
        @Parameter("What to call the result.", default: "result") var label: String

        func call(_ context: ToolContext<Void>) async throws -> String {
            if seconds > 0 { try await Task.sleep(for: .seconds(seconds)) }
            return "Computed \(label) in \(seconds) s."
        }
    }

    private struct FailingJob: Tool {
        static let name = "failing_job"
        static let summary = "Fails after a second, and runs only as a task."
        static let taskSupport = TaskSupport.required

        func call(_ context: ToolContext<Void>) async throws -> ToolResult {
            try await Task.sleep(for: .seconds(1))
            return ToolResult([.text("The job failed on purpose.")], isError: true)
        }
    }

    private struct ProtocolErrorJob: Tool {
        static let name = "protocol_error_job"
        static let summary = "Ends with an error of the protocol."
        static let taskSupport = TaskSupport.optional

        func call(_ context: ToolContext<Void>) async throws -> String {
            throw MCPError.internalError("The job ended on purpose.")
        }
    }

    private struct DeleteForm: Parameters {
        @Parameter("Whether to delete it.") var confirm: Bool
    }

    private struct ConfirmDelete: Tool {
        static let name = "confirm_delete"
        static let summary = "Asks before it deletes, which it does not do."
        static let annotations = ToolAnnotations(destructive: true)
        static let taskSupport = TaskSupport.optional
        @Parameter("What to delete.", default: "file.txt") var filename: String

        func call(_ context: ToolContext<Void>) async throws -> String {
            let answer = try await context.elicit("Delete \(filename)?", as: DeleteForm.self, key: "confirm")
            return answer.accepted?.confirm == true ? "Deleted \(filename)." : "Kept \(filename)."
        }
    }

    private struct ValueForm: Parameters {
        @Parameter("A value.") var value: String
    }

    private struct MultiInput: Tool {
        static let name = "multi_input"
        static let summary = "Asks two things at the same time."
        static let taskSupport = TaskSupport.optional

        func call(_ context: ToolContext<Void>) async throws -> String {
            let answers = try await context.ask([
                .form("The first value?", as: ValueForm.self, key: "first"),
                .form("The second value?", as: ValueForm.self, key: "second"),
            ])
            let values = try ["first", "second"].map { key in
                try ElicitationAnswer(answers[key] ?? .null).content.map {
                    String(decoding: $0.text(), as: UTF8.self)
                }
                    ?? "nothing"
            }
            return "Both were answered: " + values.joined(separator: " and ")
        }
    }

    private struct AskThenWork: Tool {
        static let name = "test_tool_with_task"
        static let summary = "Asks a name while the client waits, then goes on as a task."
        static let taskSupport = TaskSupport.deferred

        func call(_ context: ToolContext<Void>) async throws -> String {
            let answer = try await context.elicit("What is your name?", as: NameForm.self, key: "user_name")
            context.becomeTask()
            return "Hello, \(answer.accepted?.name ?? "nobody")! The task is done."
        }
    }
}
