// Gatehouse. SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing

@testable import MCPServer

/// A tool that is called without a server.
struct Bench {
    let tool: RegisteredTool
    let services = TestServices()

    init<T: Tool>(_ tool: T.Type) where T.Dependencies == Void {
        self.tool = RegisteredTool(tool, ())
    }

    init<T: Tool>(_ tool: T.Type, using dependencies: T.Dependencies) {
        self.tool = RegisteredTool(tool, dependencies)
    }

    var inputSchema: JSONValue? { tool.definition["inputSchema"] }
    var outputSchema: JSONValue? { tool.definition["outputSchema"] }

    func call(_ arguments: JSONValue) async throws -> ToolResult {
        try await tool.call(arguments, RequestContext(services))
    }

    /// The text of the only block.
    func text(_ arguments: JSONValue) async throws -> String {
        let result = try await call(arguments)
        guard case .text(let text, _)? = result.content.first, result.content.count == 1 else { return "" }
        return text
    }

    /// What is wrong with arguments, a line for each.
    func complaints(_ arguments: JSONValue) async throws -> [String] {
        let result = try await call(arguments)
        guard result.isError, case .text(let text, _)? = result.content.first else { return [] }
        return text.replacing("Invalid arguments: ", with: "").components(separatedBy: "; ")
    }
}

/// A value from its text.
func json(_ text: String) throws -> JSONValue {
    let bytes = Array(text.utf8)
    return try JSONValue(bytes.span)
}

/// A value as text.
func text(_ value: JSONValue?) -> String {
    value.map { String(decoding: $0.text(), as: UTF8.self) } ?? "nothing"
}
