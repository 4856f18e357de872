// Gatehouse. SPDX-License-Identifier: MIT

import JSON

/// Whether calls of a tool become tasks (2026-07-28, extension `io.modelcontextprotocol/tasks`).
///
/// Clients of the legacy era do not know the extension; they wait for the result.
public enum TaskSupport: Sendable {
    /// Each call is answered when it is done.
    case never
    /// A task for clients that know tasks, else an ordinary call.
    case optional
    /// A task; a client of the modern era that knows none is refused.
    case required
    /// An ordinary call, which `RequestContext.becomeTask()` turns into a task if the client knows tasks.
    case deferred
}

/// A tool as the engine knows it.
struct RegisteredTool: Sendable {
    /// Its name.
    var name: String
    /// How it is listed in revision 2026-07-28.
    var definition: JSONValue
    /// Whether its calls become tasks.
    var taskSupport = TaskSupport.never
    /// Calls it with its arguments, an object.
    var call: @Sendable (JSONValue, RequestContext) async throws -> ToolResult
}
