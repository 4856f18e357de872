// Gatehouse. SPDX-License-Identifier: MIT

public import JSON

extension MCPServer {
    /// Calls a tool without a client, as tests do.
    ///
    /// Arguments are read and checked as those of a client. Progress and log messages go nowhere.
    ///
    /// - Parameters:
    ///   - name: The tool's name.
    ///   - arguments: The arguments, an object.
    ///   - capabilities: What a client would have declared that it can do.
    ///   - answer: Answers what the tool asks, as a client would; without it, asking throws.
    /// - Returns: What the tool answers; `isError` if the arguments do not fit.
    /// - Throws: What the tool throws, or `MCPError` if there is no such tool.
    public func call(
        _ name: String,
        _ arguments: JSONValue = .object([]),
        capabilities: JSONValue = .object([]),
        answer: (@Sendable (InputRequest) async throws -> JSONValue)? = nil
    ) async throws -> ToolResult {
        guard let tool = registry.tools[name] else { throw MCPError.invalidParams("Unknown tool: \(name)") }
        return try await tool.call(arguments, RequestContext(DirectServices(capabilities, answer)))
    }
}

/// The context of a call that no client made.
private struct DirectServices: RequestServices {
    let client: ClientDescription
    private let answer: (@Sendable (InputRequest) async throws -> JSONValue)?

    init(_ capabilities: JSONValue, _ answer: (@Sendable (InputRequest) async throws -> JSONValue)?) {
        client = ClientDescription(info: nil, capabilities: capabilities, revision: "2026-07-28")
        self.answer = answer
    }

    func reportProgress(_ progress: Double, _ total: Double?, _ message: String?) {}
    func log(_ level: LogLevel, _ data: JSONValue, _ logger: String?) {}
    func becomeTask() -> Bool { false }

    func ask(_ questions: [InputRequest]) async throws -> [String: JSONValue] {
        guard let answer else { throw AskError.missingCapability(.object([])) }
        var answers: [String: JSONValue] = [:]
        for question in questions { answers[question.key] = try await answer(question) }
        return answers
    }
}
