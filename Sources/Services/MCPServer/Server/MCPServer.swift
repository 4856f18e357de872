// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import JSON

/// A server of MCP: what it offers, and to whom it is connected.
///
/// Tools, resources and prompts may come and go while clients are connected, from any thread; clients that listen are
/// told. A `ServerConnection` is a client's line to it, of which there may be many; it speaks both eras of MCP, and the
/// code of the server does not see which. The server has no end of its own: it lives as long as its connections.
public final class MCPServer: Sendable {
    /// How it behaves.
    public let options: ServerOptions
    /// Who it is, as `Implementation`.
    let info: JSONValue
    /// What a model should know about it.
    let instructions: String?
    private let state = Locked(State())

    private struct State {
        var registry = Registry()
        var connections: [ObjectIdentifier: Reference] = [:]
    }

    private struct Reference: Sendable {
        weak var connection: ServerConnection?
    }

    /// Makes a server that offers nothing yet.
    ///
    /// - Parameters:
    ///   - name: Its name, for programs.
    ///   - version: Its version.
    ///   - title: Its name, for people.
    ///   - description: What it is.
    ///   - websiteURL: Where to read about it.
    ///   - icons: Its icons.
    ///   - instructions: What a model should know to use it.
    ///   - options: How it behaves.
    public init(
        name: String,
        version: String,
        title: String? = nil,
        description: String? = nil,
        websiteURL: String? = nil,
        icons: [Icon] = [],
        instructions: String? = nil,
        options: ServerOptions = ServerOptions()
    ) {
        self.options = options
        self.instructions = instructions
        info = .of([
            "name": .string(name), "title": title.map { .string($0) }, "version": .string(version),
            "description": description.map { .string($0) }, "websiteUrl": websiteURL.map { .string($0) },
            "icons": icons.wire,
        ])
    }

    /// What it offers now.
    var registry: Registry { state.withLock { $0.registry } }

    /// Changes what it offers, and tells those who listen.
    func change(_ event: ServerEvent, _ body: (inout Registry) -> Void) {
        state.withLock { body(&$0.registry) }
        announce(event)
    }

    /// Tells those who listen.
    func announce(_ event: ServerEvent) {
        let connections = state.withLock { $0.connections.values.compactMap(\.connection) }
        for connection in connections { connection.tell(event) }
    }

    func attach(_ connection: ServerConnection) {
        let reference = Reference(connection: connection)
        state.withLock { $0.connections[ObjectIdentifier(connection)] = reference }
    }

    func detach(_ id: ObjectIdentifier) {
        state.withLock { $0.connections[id] = nil }
    }
}

/// What a server tells to all who want to know.
enum ServerEvent: Sendable, Equatable {
    case toolsChanged
    case resourcesChanged
    case promptsChanged
    case resourceUpdated(String)
}
