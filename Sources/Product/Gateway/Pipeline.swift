// Gatehouse. SPDX-License-Identifier: MIT

import Backends
package import HTTPWire
import JSONRPC
package import MCPCore
package import Sessions

/// The stations that every request passes, in this order and no other:
/// admit → resource → identify → own, before the body is read; authorize → meter → record, once its message is known.
///
/// Then it is dispatched. Each station may refuse. Identify, authorize and meter let everything pass until identity and
/// policy are built: everyone is the anonymous principal.
package final class Pipeline {
    /// Which hosts and origins may ask.
    @exclusivity(unchecked) package var admission: Admission
    /// Who is believed what they say about those behind them.
    private let proxies: ProxyTrust
    /// Keys of which requests must bring one; nil where none are asked for.
    private let keys: AccessKeys?
    /// The servers.
    @exclusivity(unchecked) package var registry: Registry
    /// The sessions.
    package let sessions: SessionTable
    /// The channels of clients of 2024-11-05.
    package let channels = ChannelTable()
    /// What was asked and how it ended.
    package let records: Records

    /// Puts the stations together.
    package init(
        admission: Admission,
        proxies: ProxyTrust = ProxyTrust([]),
        keys: AccessKeys? = nil,
        registry: Registry,
        sessions: SessionTable,
        records: Records
    ) {
        self.admission = admission
        self.proxies = proxies
        self.keys = keys
        self.registry = registry
        self.sessions = sessions
        self.records = records
    }

    /// Lets a request in, by its head.
    ///
    /// - Parameters:
    ///   - head: The head.
    ///   - peer: The address that the connection comes from; asked only where proxies are trusted.
    /// - Returns: What is known by the head.
    /// - Throws: A refusal by the first station that does not let it pass.
    package func enter(
        _ head: HTTPRequestHead,
        from peer: @autoclosure () -> String?
    ) throws(Refusal) -> Passage {
        let passage = Passage()
        if !proxies.isEmpty { passage.client = try proxies.client(of: head, peer: peer()) }
        passage.origin = try admission.admit(head, forwardedHost: passage.client?.host)
        try keys?.check(head)
        try resolve(head, passage)
        identify(head, passage)
        try own(head, passage)
        return passage
    }

    /// Lets the one client in that this program was started for, by the pipes that it was given.
    ///
    /// - Parameter server: The server that it wants; nil for the default one.
    /// - Returns: What the stations found out.
    /// - Throws: Why there is no such server.
    package func enter(local server: String?) throws(Refusal) -> Passage {
        let passage = Passage()
        passage.resource = .server(server)
        passage.backend = try find(server)
        passage.principal = .local
        return passage
    }

    /// Lets a message pass, once it is known what it asks for.
    package func proceed(_ message: Message, _ passage: Passage) throws(Refusal) {
        try authorize(message, passage)
        try meter(message, passage)
        records.noteMessage()
    }

    // MARK: Stations

    /// Resource: which server is meant, and that there is one.
    private func resolve(_ head: HTTPRequestHead, _ passage: Passage) throws(Refusal) {
        passage.resource = Resource(path: head.path)
        guard let stated = passage.resource.server else { return }
        passage.backend = try find(stated)
    }

    /// Finds the server of a name, or the default one.
    private func find(_ stated: String?) throws(Refusal) -> any Backend {
        guard let name = stated ?? registry.defaultName else {
            let names = registry.names.map { "/mcp/\($0)" }.joined(separator: ", ")
            throw Refusal(404, .invalidRequest, "Several servers are offered here; ask one of them: \(names)")
        }
        guard let backend = registry.find(name) else {
            throw Refusal(404, .invalidRequest, "No server of this name is offered here")
        }
        return backend
    }

    /// Identify: who asks.
    private func identify(_ head: HTTPRequestHead, _ passage: Passage) {
        passage.principal = .anonymous
    }

    /// Own: that what the request names belongs to who asks.
    ///
    /// Someone else's is as unknown as one that never was.
    private func own(_ head: HTTPRequestHead, _ passage: Passage) throws(Refusal) {
        guard let backend = passage.backend else { return }
        // What answers at the path of all servers may have changed since.
        let isAtCommonPath = passage.resource.isCommonPath
        if case .messages = passage.resource {
            guard let id = ChannelTable.id(query: head.query) else { return }
            let server = isAtCommonPath ? nil : backend.name
            passage.channel = channels.find(id, owner: passage.principal, server: server)
        }
        guard case .server = passage.resource, let value = head.value(.mcpSessionID) else { return }
        // In the modern era the header means nothing; only a message can tell, so that nothing is refused here.
        guard let id = SessionID(value) else { return }
        passage.session = sessions.find(
            id,
            owner: passage.principal,
            server: backend.name,
            atCommonPath: isAtCommonPath
        )
    }

    /// Authorize: whether the principal may do this.
    private func authorize(_ message: Message, _ passage: Passage) throws(Refusal) {}

    /// Meter: whether the principal may do it now.
    private func meter(_ message: Message, _ passage: Passage) throws(Refusal) {}
}
