// Gatehouse. SPDX-License-Identifier: MIT

public import JSON
import MCPCore

/// A folder or file that the client works on (2026-07-28, client/roots).
public struct Root: Sendable, Equatable {
    /// A `file` URI.
    public var uri: String
    /// Its name, for people.
    public var name: String?

    /// Makes a root.
    public init(uri: String, name: String? = nil) {
        self.uri = uri
        self.name = name
    }

    /// Reads the result that a client gave.
    ///
    /// - Throws: `AskError.malformed` if it is none.
    public static func list(_ result: JSONValue) throws -> [Root] {
        guard let roots = result["roots"]?.array else { throw AskError.malformed("roots must be an array") }
        return try roots.map { root in
            guard let uri = root["uri"]?.string else { throw AskError.malformed("a root must have a uri") }
            return Root(uri: uri, name: root["name"]?.string)
        }
    }
}

extension InputRequest {
    /// What the client works on; `Root.list` reads its answer.
    public static func roots(key: String) -> InputRequest {
        InputRequest(key: key, method: Method.rootsList.rawValue, params: .object([]))
    }
}

extension Asking {
    /// Asks the client what it works on, and waits.
    ///
    /// - Parameter key: Its name among the questions of the call.
    /// - Returns: The folders and files.
    /// - Throws: `AskError`, or `CancellationError` if the request is over.
    public func roots(key: String = "roots") async throws -> [Root] {
        try Root.list(try await ask([.roots(key: key)])[key] ?? .null)
    }
}
