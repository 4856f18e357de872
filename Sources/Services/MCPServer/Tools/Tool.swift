// Gatehouse. SPDX-License-Identifier: MIT

public import JSON

/// A tool that a model can call, with its arguments as properties.
///
/// ```swift
/// struct Add: Tool {
///     static let name = "add"
///     static let summary = "Adds two numbers."
///     @Parameter("The first.") var a: Int
///     @Parameter("The second.") var b: Int
///
///     func call(_ context: ToolContext<Void>) -> Int { a + b }
/// }
/// ```
///
/// `MCPServer.add(_:using:)` registers it. For each call a value is made of the arguments, and `call` runs in a task of
/// its own that is cancelled when the client takes the call back. Arguments that do not fit never reach it: the client is
/// told which fields are wrong, and how (2026-07-28, server/tools).
public protocol Tool: Parameters {
    /// What it works with; it is given at registration and the same for all calls.
    associatedtype Dependencies: Sendable = Void
    /// What it answers.
    ///
    /// A `String`, `Content` or `[Content]` becomes the content of the result, and a `ToolResult` the result itself. Any
    /// other type becomes the structured content, with its JSON text as content beside it for those who read only that;
    /// its schema is published if the type is `Decodable` too.
    associatedtype Output: Encodable & Sendable

    /// Its name, for programs: 1 to 64 of letters, digits, `_`, `-` and `.`.
    static var name: String { get }
    /// What it does, for the model.
    static var summary: String { get }
    /// Its name, for people; empty if it has none.
    static var title: String { get }
    /// What clients may expect of it.
    static var annotations: ToolAnnotations { get }
    /// Its icons.
    static var icons: [Icon] { get }
    /// Whether calls of it become tasks.
    static var taskSupport: TaskSupport { get }
    /// Metadata for clients; null if there is none.
    static var meta: JSONValue { get }
    /// A schema of its arguments to publish in place of the one that the declarations give; null for that one.
    ///
    /// It is published as it is and not evaluated: the declared fields are checked as always, and all others are let
    /// through to `ToolContext.arguments`.
    static var inputSchema: JSONValue { get }
    /// A schema of its structured content to publish in place of the one that `Output` gives; null for that one.
    static var outputSchema: JSONValue { get }

    /// Does the work.
    ///
    /// - Parameter context: What it works with, and what it may do besides answering.
    /// - Returns: The answer.
    /// - Throws: An `MCPError`, which the client gets as an error of the protocol, or any other error, which the model
    ///   gets to read.
    func call(_ context: ToolContext<Dependencies>) async throws -> Output
}

extension Tool {
    /// None.
    public static var title: String { "" }
    /// None.
    public static var annotations: ToolAnnotations { ToolAnnotations() }
    /// None.
    public static var icons: [Icon] { [] }
    /// They do not.
    public static var taskSupport: TaskSupport { .never }
    /// None.
    public static var meta: JSONValue { .null }
    /// The one that the declarations give.
    public static var inputSchema: JSONValue { .null }
    /// The one that `Output` gives.
    public static var outputSchema: JSONValue { .null }
}

/// What clients may expect of a tool; hints, which nothing enforces (2026-07-28, server/tools, "ToolAnnotations").
public struct ToolAnnotations: Sendable, Equatable {
    /// Its name, for people; a tool's own title goes before it.
    public var title: String?
    /// Whether it changes nothing.
    public var readOnly: Bool?
    /// Whether it may destroy something.
    public var destructive: Bool?
    /// Whether calling it again with the same arguments changes nothing more.
    public var idempotent: Bool?
    /// Whether it deals with a world beyond the server's own.
    public var openWorld: Bool?

    /// Makes annotations; what is not given is not said.
    public init(
        title: String? = nil,
        readOnly: Bool? = nil,
        destructive: Bool? = nil,
        idempotent: Bool? = nil,
        openWorld: Bool? = nil
    ) {
        self.title = title
        self.readOnly = readOnly
        self.destructive = destructive
        self.idempotent = idempotent
        self.openWorld = openWorld
    }

    var wire: JSONValue {
        .of([
            "title": title.map { .string($0) }, "readOnlyHint": readOnly.map { .bool($0) },
            "destructiveHint": destructive.map { .bool($0) }, "idempotentHint": idempotent.map { .bool($0) },
            "openWorldHint": openWorld.map { .bool($0) },
        ])
    }
}
