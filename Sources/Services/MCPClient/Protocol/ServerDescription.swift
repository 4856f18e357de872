// Gatehouse. SPDX-License-Identifier: MIT

package import JSON
package import MCPCore

/// What a server said about itself when the client came.
///
/// All of it is for display: nothing here proves who the server is.
package struct ServerDescription: Sendable, Equatable {
    /// The revision that is spoken.
    package var revision: Revision
    /// The name and version, and perhaps a title; an object, or null if the server did not say.
    package var info: JSONValue
    /// What it offers.
    package var capabilities: JSONValue
    /// What it says about how to use it.
    package var instructions: String?
    /// The revisions of the modern era that it serves.
    package var supportedVersions: [String]

    /// The era that is spoken.
    package var era: Era { revision.era }

    /// Whether it offers a feature, such as `tools`.
    package func offers(_ capability: String) -> Bool {
        capabilities[capability]?.members != nil
    }

    /// Of a result of `server/discover`, or of none where the server is known to be modern but would not say more.
    init(discovered result: JSONValue?) {
        revision = .modern
        info = result?["_meta"]?["\(MetaKey.serverInfo)"] ?? .null
        capabilities = result?["capabilities"] ?? .object([])
        instructions = result?["instructions"]?.string
        supportedVersions = result?["supportedVersions"]?.array?.compactMap(\.string) ?? []
    }

    /// Of a result of `initialize`.
    init(initialized result: JSONValue, revision: Revision) {
        self.revision = revision
        info = result["serverInfo"] ?? .null
        capabilities = result["capabilities"] ?? .object([])
        instructions = result["instructions"]?.string
        supportedVersions = []
    }
}
