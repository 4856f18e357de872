// Gatehouse. SPDX-License-Identifier: MIT

import JSONRPC
import Sessions

/// The sessions that federations hold with their servers, which a server may bound.
///
/// One for all federations of a gateway: the bounds are the server's, however often the federation is another.
package final class MemberPlaces {
    private struct Membership: Hashable {
        let server: ObjectIdentifier
        let principal: Principal
    }

    private var sessions: [Membership: Int] = [:]

    /// Starts with none.
    package init() {}

    /// Takes a place for a session with a server.
    ///
    /// - Parameters:
    ///   - server: The server.
    ///   - principal: Whose session it is.
    /// - Throws: That as many are open as it may have, or as this principal may.
    func enter(_ server: any Backend, for principal: Principal) throws(Failure) {
        let key = Membership(server: ObjectIdentifier(server), principal: principal)
        let own = sessions[key] ?? 0
        if let limit = server.principalSessionLimit, own >= limit {
            let text = "Too many sessions of yours are open with this server"
            throw Failure(.internalError, text, source: .gateway)
        }
        if let limit = server.sessionLimit,
            sessions.reduce(0, { $0 + ($1.key.server == key.server ? $1.value : 0) }) >= limit
        {
            throw Failure(.internalError, "Too many sessions of this server are open", source: .gateway)
        }
        sessions[key] = own + 1
    }

    /// Gives the place back.
    func leave(_ server: any Backend, for principal: Principal) {
        let key = Membership(server: ObjectIdentifier(server), principal: principal)
        guard let count = sessions[key] else { return }
        sessions[key] = count > 1 ? count - 1 : nil
    }
}
