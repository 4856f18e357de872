// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// A client's event stream, to which its messages come apart (2024-11-05, transports, "HTTP with SSE").
package protocol Channel: AnyObject {
    /// Who opened it; nobody else can send to it or learn that it exists.
    var owner: Principal { get }
    /// The server's name.
    var server: String { get }
    /// Whether it has been open for long without a session.
    func isLate(at now: UInt64) -> Bool
    /// Ends it at once, and its session.
    func close()
    /// Ends it when what was asked is answered.
    func drain()
}

/// The channels that are open, by an id of their own.
///
/// A channel is here from its first event until its stream closes. Sessions have other ids, which their clients never
/// learn, so that no session can be used both here and by `Mcp-Session-Id`. Each channel holds a connection and a place
/// among the sessions, of which there are not more than so many.
package final class ChannelTable {
    private var channels: [SessionID: any Channel] = [:]

    /// Starts empty.
    package init() {}

    /// How many are open.
    package var count: Int { channels.count }

    /// Takes a channel in.
    package func insert(_ channel: any Channel, _ id: SessionID) {
        channels[id] = channel
    }

    /// Forgets a channel.
    package func remove(_ id: SessionID) {
        channels[id] = nil
    }

    /// Finds a channel of this principal to this server, or to any.
    package func find(_ id: SessionID, owner: Principal, server: String?) -> (any Channel)? {
        guard let channel = channels[id], channel.owner == owner,
            server.map({ channel.server.hasSameBytes(as: $0) }) ?? true
        else { return nil }
        return channel
    }

    /// Ends the channels that have waited too long for their session.
    package func sweep(at now: UInt64) {
        for channel in Array(channels.values) where channel.isLate(at: now) { channel.close() }
    }

    /// Ends all channels, each when what was asked is answered.
    package func drain() {
        for channel in Array(channels.values) { channel.drain() }
    }

    /// Ends the channels to a server that is not offered any more, or not as it was, in the same way.
    package func drain(server: String) {
        for channel in Array(channels.values) where channel.server.hasSameBytes(as: server) {
            channel.drain()
        }
    }

    /// Reads the id out of a query; nil if there is none, or more than one.
    package static func id(query: ArraySlice<UInt8>?) -> SessionID? {
        let name = "sessionId="
        let values = (query ?? []).split(separator: UInt8(ascii: "&")).filter { $0.starts(with: name.utf8) }
        guard values.count == 1, let value = values.first else { return nil }
        return SessionID(value.dropFirst(name.utf8.count))
    }
}
