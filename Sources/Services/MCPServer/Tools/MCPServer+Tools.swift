// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPCore

extension MCPServer {
    /// Offers a tool; one of the same name is replaced.
    ///
    /// Clients that listen are told, so tools may come and go while the server runs.
    ///
    /// - Parameters:
    ///   - tool: The tool's type.
    ///   - dependencies: What its calls work with.
    public func add<T: Tool>(_ tool: T.Type, using dependencies: T.Dependencies) {
        add(RegisteredTool(tool, dependencies))
    }

    /// Offers a tool that works with nothing but its arguments; one of the same name is replaced.
    public func add<T: Tool>(_ tool: T.Type) where T.Dependencies == Void {
        add(RegisteredTool(tool, ()))
    }
}

extension RegisteredTool {
    /// A tool of a type.
    ///
    /// Mistakes in its declaration end the program, with a message that names them.
    init<T: Tool>(_ tool: T.Type, _ dependencies: T.Dependencies) {
        let declarations = Declarations(tool)
        let hasOwnSchema = tool.inputSchema != .null
        let inputSchema = hasOwnSchema ? tool.inputSchema : declarations.schema(.input)
        precondition(
            HeaderParameters(inputSchema: inputSchema) != nil,
            "\(tool): its headers break the rules (2026-07-28, server/tools, x-mcp-header)"
        )
        let definition = JSONValue.of([
            "name": .string(tool.name), "title": tool.title.isEmpty ? nil : .string(tool.title),
            "description": .string(tool.summary), "inputSchema": inputSchema,
            "outputSchema": tool.outputSchema == .null
                ? ToolResult.schema(ofOutput: T.Output.self) : tool.outputSchema,
            "annotations": tool.annotations == ToolAnnotations() ? nil : tool.annotations.wire,
            "icons": tool.icons.wire, "_meta": tool.meta == .null ? nil : tool.meta,
        ])
        self.init(name: tool.name, definition: definition, taskSupport: tool.taskSupport) {
            arguments,
            request in
            let called: T
            do {
                called = try declarations.decode(tool, arguments, allowsUnknownFields: hasOwnSchema)
            } catch let issues as ArgumentIssues {
                return .failure(issues.description)
            }
            return try ToolResult(
                output: try await called.call(ToolContext(dependencies, arguments, request))
            )
        }
    }
}
