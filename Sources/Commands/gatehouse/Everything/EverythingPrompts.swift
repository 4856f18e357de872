// Gatehouse. SPDX-License-Identifier: MIT

import MCPServer

// Prompts, and what completes their arguments.

extension EverythingServer {
    static func addPrompts(to server: MCPServer) {
        server.addPrompt(
            PromptDescription(
                name: "test_simple_prompt",
                title: "A simple prompt",
                description: "A text, without arguments."
            )
        ) { _, _ in PromptResult([.user("This is a simple prompt for testing.")]) }
        addPromptWithArguments(to: server)
        addPromptsWithContent(to: server)
        addAskingPrompt(to: server)
    }

    private static func addPromptWithArguments(to server: MCPServer) {
        let prompt = PromptDescription(
            name: "test_prompt_with_arguments",
            description: "A text with two arguments in it.",
            arguments: [
                PromptArgument("arg1", description: "The first.", isRequired: true),
                PromptArgument("arg2", description: "The second.", isRequired: true),
            ]
        )
        let words = ["paris", "park", "parrot", "party", "london"]
        server.addPrompt(
            prompt,
            completers: [
                "arg1": { $0.matching(words) },
                // Depends on what was chosen before.
                "arg2": { request in request.matching(words.filter { $0 != request.settled["arg1"] }) },
            ]
        ) { arguments, _ in
            let (first, second) = (arguments["arg1"] ?? "", arguments["arg2"] ?? "")
            return PromptResult([.user("Prompt with arguments: arg1='\(first)', arg2='\(second)'")])
        }
    }

    private static func addPromptsWithContent(to server: MCPServer) {
        server.addPrompt(
            PromptDescription(
                name: "test_prompt_with_embedded_resource",
                description: "A resource and what to do with it.",
                arguments: [
                    PromptArgument("resourceUri", description: "The resource's URI.", isRequired: true)
                ]
            )
        ) { arguments, _ in
            let resource = ResourceContents(
                uri: arguments["resourceUri"] ?? "",
                mimeType: "text/plain",
                text: "Embedded resource content for testing."
            )
            return PromptResult([
                PromptMessage(.user, .resource(resource)),
                .user("Please process the embedded resource above."),
            ])
        }
        server.addPrompt(
            PromptDescription(name: "test_prompt_with_image", description: "An image and what to do with it.")
        ) { _, _ in
            PromptResult([
                PromptMessage(.user, .image(base64: picture, mimeType: "image/png")),
                .user("Please analyze the image above."),
            ])
        }
    }

    private struct ContextForm: Parameters {
        @Parameter("What the prompt should be about.") var context: String
    }

    private static func addAskingPrompt(to server: MCPServer) {
        server.addPrompt(
            PromptDescription(
                name: "test_input_required_result_prompt",
                description: "A text about what the person says."
            )
        ) { _, context in
            let answer = try await context.elicit(
                "What should it be about?",
                as: ContextForm.self,
                key: "user_context"
            )
            return PromptResult([.user("Write about \(answer.accepted?.context ?? "nothing").")])
        }
    }
}
