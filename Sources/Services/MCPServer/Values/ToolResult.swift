// Gatehouse. SPDX-License-Identifier: MIT

// Arguments, results and metadata are values of that room, so that who writes a server needs it too.
@_exported public import JSON

/// What a tool answers (2026-07-28, server/tools, "Tool Result").
public struct ToolResult: Sendable, Equatable {
    /// The blocks, in order.
    public var content: [Content]
    /// The structured result, any JSON value; nil if there is none.
    public var structuredContent: JSONValue?
    /// Whether it says what went wrong, for the model to read.
    public var isError: Bool
    /// Metadata for the client.
    public var meta: JSONValue?

    /// Makes a result.
    public init(
        _ content: [Content],
        structuredContent: JSONValue? = nil,
        isError: Bool = false,
        meta: JSONValue? = nil
    ) {
        self.content = content
        self.structuredContent = structuredContent
        self.isError = isError
        self.meta = meta
    }
}
