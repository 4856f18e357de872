// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer

// Tools that ask, by the names that the suite knows from the modern era: an answer needs one round or several.

extension EverythingServer {
    static func addRoundTools(to server: MCPServer) {
        server.add(AskName.self)
        server.add(AskModel.self)
        server.add(AskRoots.self)
        server.add(AskWithState.self)
        server.add(AskAll.self)
        server.add(AskTwice.self)
        server.add(AskAndGuard.self)
        server.add(AskWhatIsDeclared.self)
    }

    private struct AskName: Tool {
        static let name = "test_input_required_result_elicitation"
        static let summary = "Asks the person's name."

        func call(_ context: ToolContext<Void>) async throws -> String {
            let answer = try await context.elicit("What is your name?", as: NameForm.self, key: "user_name")
            return "Hello, \(answer.accepted?.name ?? "nobody")!"
        }
    }

    private struct AskModel: Tool {
        static let name = "test_input_required_result_sampling"
        static let summary = "Asks the model for a capital."

        func call(_ context: ToolContext<Void>) async throws -> String {
            let request = SamplingRequest([.user("What is the capital of France?")], maxTokens: 100)
            return try await context.sample(request, key: "capital_question").text
        }
    }

    private struct AskRoots: Tool {
        static let name = "test_input_required_result_list_roots"
        static let summary = "Asks which folders the person works in."

        func call(_ context: ToolContext<Void>) async throws -> String {
            let roots = try await context.roots(key: "client_roots")
            return "Roots: " + roots.map(\.uri).joined(separator: ", ")
        }
    }

    private struct ConfirmForm: Parameters {
        @Parameter("Whether it is all right.") var ok: Bool
    }

    private struct AskWithState: Tool {
        static let name = "test_input_required_result_request_state"
        static let summary = "Asks for a confirmation, and knows the call again that brings it."

        func call(_ context: ToolContext<Void>) async throws -> String {
            let answer = try await context.elicit("Please confirm.", as: ConfirmForm.self, key: "confirm")
            return answer.accepted?.ok == true ? "Confirmed: state-ok" : "Not confirmed: state-ok"
        }
    }

    private struct AskAll: Tool {
        static let name = "test_input_required_result_multiple_inputs"
        static let summary = "Asks the person, the model and the client in one round."

        func call(_ context: ToolContext<Void>) async throws -> String {
            let answers = try await context.ask([
                .form("What is your name?", as: NameForm.self, key: "user_name"),
                .sampling(
                    SamplingRequest([.user("Generate a greeting")], maxTokens: 50),
                    key: "greeting"
                ),
                .roots(key: "client_roots"),
            ])
            let name = try Elicitation<NameForm>(answers["user_name"] ?? .null).accepted?.name ?? "nobody"
            let greeting = try SamplingAnswer(answers["greeting"] ?? .null).text
            let roots = try Root.list(answers["client_roots"] ?? .null)
            return "\(greeting) \(name), you have \(roots.count) roots."
        }
    }

    private struct ColourForm: Parameters {
        @Parameter("Your favourite colour.") var color: String
    }

    private struct AskTwice: Tool {
        static let name = "test_input_required_result_multi_round"
        static let summary = "Asks something, and then something else."

        func call(_ context: ToolContext<Void>) async throws -> String {
            let first = try await context.elicit("What is your name?", as: NameForm.self, key: "step1")
            guard let name = first.accepted?.name else { return "There was no name." }
            let second = try await context.elicit(
                "What is your favourite colour, \(name)?",
                as: ColourForm.self,
                key: "step2"
            )
            return "\(name) likes \(second.accepted?.color ?? "no colour")."
        }
    }

    private struct AskAndGuard: Tool {
        static let name = "test_input_required_result_tampered_state"
        static let summary = "Asks for a confirmation; who brings another state than was given is refused."

        func call(_ context: ToolContext<Void>) async throws -> String {
            let answer = try await context.elicit("Please confirm.", as: ConfirmForm.self, key: "confirm")
            return "Confirmed: \(answer.accepted?.ok ?? false)"
        }
    }

    private struct AskWhatIsDeclared: Tool {
        static let name = "test_input_required_result_capabilities"
        static let summary = "Asks only what the client said it can answer."

        func call(_ context: ToolContext<Void>) async throws -> String {
            var questions: [InputRequest] = []
            if context.client.capabilities["sampling"] != nil {
                let request = SamplingRequest([.user("What is the capital of France?")], maxTokens: 100)
                questions.append(.sampling(request, key: "capital_question"))
            }
            if context.client.capabilities["elicitation"] != nil {
                questions.append(.form("What is your name?", as: NameForm.self, key: "user_name"))
            }
            let answers = try await context.ask(questions)
            return "Answered: " + answers.keys.sorted().joined(separator: ", ")
        }
    }
}
