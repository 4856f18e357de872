// Gatehouse. SPDX-License-Identifier: MIT

import MCPServer

// Tools that change what the server offers while it runs.

extension EverythingServer {
    static func addChangingTools(to server: MCPServer, _ world: World) {
        server.add(ChangeTools.self, using: world)
        server.add(ChangePrompts.self, using: world)
        server.add(ChangeResources.self, using: world)
        server.add(TouchResource.self, using: world)
        server.add(AddTool.self, using: world)
        server.add(RemoveTool.self, using: world)
    }

    private struct ChangeTools: Tool {
        static let name = "test_trigger_tool_change"
        static let summary = "Adds a tool to the list, or takes it away."

        func call(_ context: ToolContext<World>) -> String {
            let changed = "test_changing_tool"
            let isNew = context.dependencies.count(Self.name) % 2 == 1
            if isNew {
                context.dependencies.server?.addTool(named: changed, description: "Comes and goes.") { _, _ in
                    ToolResult([.text("It is here.")])
                }
            } else {
                context.dependencies.server?.removeTool(named: changed)
            }
            return "The tool was \(isNew ? "added" : "removed")."
        }
    }

    private struct ChangePrompts: Tool {
        static let name = "test_trigger_prompt_change"
        static let summary = "Adds a prompt to the list, or takes it away."

        func call(_ context: ToolContext<World>) -> String {
            let changed = "test_changing_prompt"
            let isNew = context.dependencies.count(Self.name) % 2 == 1
            if isNew {
                let prompt = PromptDescription(name: changed, description: "Comes and goes.")
                context.dependencies.server?.addPrompt(prompt) { _, _ in PromptResult([.user("It is here.")])
                }
            } else {
                context.dependencies.server?.removePrompt(named: changed)
            }
            return "The prompt was \(isNew ? "added" : "removed")."
        }
    }

    private struct ChangeResources: Tool {
        static let name = "test_trigger_resource_change"
        static let summary = "Adds a resource to the list, or takes it away."

        func call(_ context: ToolContext<World>) -> String {
            let changed = "test://changing-resource"
            let isNew = context.dependencies.count(Self.name) % 2 == 1
            if isNew {
                let resource = ResourceDescription(uri: changed, name: "changing-resource")
                context.dependencies.server?.addResource(resource) { _ in
                    [ResourceContents(uri: changed, text: "It is here.")]
                }
            } else {
                context.dependencies.server?.removeResource(uri: changed)
            }
            return "The resource was \(isNew ? "added" : "removed")."
        }
    }

    private struct TouchResource: Tool {
        static let name = "test_touch_resource"
        static let summary = "Changes what a resource holds, and tells those who subscribed to it."
        @Parameter("The resource.", default: "test://watched-resource") var uri: String

        func call(_ context: ToolContext<World>) -> String {
            context.dependencies.count(uri)
            context.dependencies.server?.resourceChanged(uri)
            return "Touched \(uri)."
        }
    }

    private struct AddTool: Tool {
        static let name = "add_tool"
        static let summary = "Adds a tool that says its name."
        @Parameter("The new tool's name.", minLength: 1, maxLength: 64, pattern: "^[A-Za-z0-9_.-]+$")
        var name: String

        func call(_ context: ToolContext<World>) -> String {
            context.dependencies.server?.addTool(named: name, description: "Says its name.") { [name] _, _ in
                ToolResult([.text("I am \(name).")])
            }
            return "Added \(name)."
        }
    }

    private struct RemoveTool: Tool {
        static let name = "remove_tool"
        static let summary = "Takes a tool away."
        @Parameter("The tool's name.") var name: String

        func call(_ context: ToolContext<World>) -> String {
            context.dependencies.server?.removeTool(named: name)
            return "Removed \(name)."
        }
    }
}
