// Gatehouse. SPDX-License-Identifier: MIT

public import JSON

/// What a tool works with while it answers one call.
public struct ToolContext<Dependencies: Sendable>: Asking {
    /// What was given at registration.
    public let dependencies: Dependencies
    /// The arguments as they came, an object.
    public let arguments: JSONValue
    /// The request that is answered.
    public let request: RequestContext

    init(_ dependencies: Dependencies, _ arguments: JSONValue, _ request: RequestContext) {
        self.dependencies = dependencies
        self.arguments = arguments
        self.request = request
    }

    /// What the client says about itself.
    public var client: ClientDescription { request.client }

    /// Tells how far the work is; each value must be larger than the one before, others are dropped.
    public func reportProgress(_ progress: Double, of total: Double? = nil, message: String? = nil) {
        request.reportProgress(progress, of: total, message: message)
    }

    /// Writes a log message for the client, which gets it if it asked for that level.
    public func log(_ level: LogLevel, _ data: JSONValue, logger: String? = nil) {
        request.log(level, data, logger: logger)
    }

    /// Asks the client several things at once and waits for all answers, as `RequestContext.ask(_:)` does.
    public func ask(_ questions: [InputRequest]) async throws -> [String: JSONValue] {
        try await request.ask(questions)
    }

    /// Makes the call a task from here on, as `RequestContext.becomeTask()` does.
    @discardableResult
    public func becomeTask() -> Bool { request.becomeTask() }
}
