// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer

// Tools that ask the model or the person, by the names that the suite knows from the legacy era. They serve both.

extension EverythingServer {
    static func addAskingTools(to server: MCPServer, _ world: World) {
        server.add(Sampling.self)
        server.add(Elicit.self)
        server.add(ElicitDefaults.self)
        server.add(ElicitChoices.self)
        server.add(ElicitPage.self)
        server.add(ListRoots.self)
        server.add(MissingCapability.self)
        server.add(StreamingElicitation.self)
        server.add(CountedElicitation.self, using: world)
    }

    /// What the person did, as text.
    private static func described(_ answer: ElicitationAnswer) -> String {
        switch answer {
        case .accept(let content): "action=accept, content=\(String(decoding: content.text(), as: UTF8.self))"
        case .decline: "action=decline"
        case .cancel: "action=cancel"
        }
    }

    /// Asks for a form and says what came.
    private static func fillIn<Form: Parameters>(
        _ form: Form.Type,
        _ message: String,
        _ context: ToolContext<Void>
    ) async throws -> ElicitationAnswer {
        let answers = try await context.ask([.form(message, as: form, key: "form")])
        return try ElicitationAnswer(answers["form"] ?? .null)
    }

    private struct Sampling: Tool {
        static let name = "test_sampling"
        static let summary = "Asks the client's model."
        @Parameter("What to ask.") var prompt: String

        func call(_ context: ToolContext<Void>) async throws -> String {
            let answer = try await context.sample(SamplingRequest([.user(prompt)], maxTokens: 100))
            return "LLM response: \(answer.text)"
        }
    }

    private struct UserForm: Parameters {
        @Parameter("User's response") var username: String
        @Parameter("User's email address") var email: String
    }

    private struct Elicit: Tool {
        static let name = "test_elicitation"
        static let summary = "Asks the person for a name and an address."
        @Parameter("What the person is told.") var message: String

        func call(_ context: ToolContext<Void>) async throws -> String {
            "User response: " + described(try await fillIn(UserForm.self, message, context))
        }
    }

    private enum Status: String, Codable, CaseIterable {
        case active, inactive, pending
    }

    private struct DefaultsForm: Parameters {
        @Parameter("User name", default: "John Doe") var name: String
        @Parameter("User age", default: 30) var age: Int
        @Parameter("User score", default: 95.5) var score: Double
        @Parameter("User status", default: .active) var status: Status
        @Parameter("Verification status", default: true) var verified: Bool
    }

    private struct ElicitDefaults: Tool {
        static let name = "test_elicitation_sep1034_defaults"
        static let summary = "Asks for a form whose fields all have defaults."

        func call(_ context: ToolContext<Void>) async throws -> String {
            let answer = try await fillIn(DefaultsForm.self, "Please review the form.", context)
            return "Elicitation completed: " + described(answer)
        }
    }

    private enum Option: String, Codable, CaseIterable {
        case option1, option2, option3
    }

    private enum TitledOption: String, Codable, CaseIterable, TitledChoice {
        case value1, value2, value3

        var title: String {
            switch self {
            case .value1: "First Option"
            case .value2: "Second Option"
            case .value3: "Third Option"
            }
        }
    }

    private struct ChoicesForm: Parameters {
        @Parameter("One of some.") var untitledSingle: Option?
        @Parameter("One of some with titles.") var titledSingle: TitledOption?
        // The form of titles before 2025-11-25, which types do not give.
        @Parameter(
            "One of some with names.",
            schema: [
                "type": "string", "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            ]
        ) var legacyEnum: String?
        @Parameter("Several of some.") var untitledMulti: [Option]?
        @Parameter("Several of some with titles.") var titledMulti: [TitledOption]?
    }

    private struct ElicitChoices: Tool {
        static let name = "test_elicitation_sep1330_enums"
        static let summary = "Asks for choices in all five forms."

        func call(_ context: ToolContext<Void>) async throws -> String {
            let answer = try await fillIn(ChoicesForm.self, "Please choose.", context)
            return "Elicitation completed: " + described(answer)
        }
    }

    private struct ElicitPage: Tool {
        static let name = "test_elicitation_url"
        static let summary = "Asks the person to open a page."
        @Parameter("The page.", default: "https://gatehouse.example/sign-in", format: .uri) var url: String

        func call(_ context: ToolContext<Void>) async throws -> String {
            let answer = try await context.openURL("Please sign in.", url: url, key: "sign_in")
            return "Page: " + described(answer)
        }
    }

    private struct ListRoots: Tool {
        static let name = "test_list_roots"
        static let summary = "Asks which folders the person works in."

        func call(_ context: ToolContext<Void>) async throws -> [String] {
            try await context.roots().map(\.uri)
        }
    }

    private struct MissingCapability: Tool {
        static let name = "test_missing_capability"
        static let summary = "Needs a client that has a model."

        func call(_ context: ToolContext<Void>) async throws -> String {
            try await context.sample(SamplingRequest([.user("Say yes.")], maxTokens: 10)).text
        }
    }

    private struct StreamingElicitation: Tool {
        static let name = "test_streaming_elicitation"
        static let summary = "Asks the person something after it has told how far it is."

        func call(_ context: ToolContext<Void>) async throws -> String {
            context.reportProgress(1, of: 2)
            let form = try await context.elicit("What is your name?", as: NameForm.self, key: "user_name")
            return "Hello, \(form.accepted?.name ?? "nobody")!"
        }
    }

    private struct CountedElicitation: Tool {
        static let name = "test_counted_elicitation"
        static let summary = "Asks a name, and says how often it was run to get there: once."
        @Parameter("Where to count.") var key: String

        func call(_ context: ToolContext<World>) async throws -> String {
            let runs = context.dependencies.count(key)
            let form = try await context.elicit("What is your name?", as: NameForm.self, key: "user_name")
            return "Hello, \(form.accepted?.name ?? "nobody")! Run \(runs)."
        }
    }
}

/// A form with a name.
struct NameForm: Parameters {
    @Parameter("Your name.") var name: String
}
