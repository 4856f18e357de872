// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Children
package import Configuration
package import Diagnostics
package import EventLoop
import JSON
import MCPCore
import StdioFraming

/// What all conversations with one server have in common: its configuration, its bounds, and what happened so far.
///
/// One loop's; it lives as long as the server is configured.
package final class ServerContext {
    /// The server, as configured.
    let server: ServerConfiguration
    /// Bounds of the whole gateway.
    let limits: Limits
    let loop: EventLoop
    let log: Log
    /// Milliseconds for which a call waits for what its caller was asked.
    let patience: UInt64
    /// Milliseconds after which a process that modern callers used and use no more is ended.
    let idleLimit: UInt64
    /// Where frames are put together, one at a time.
    var frame: [UInt8] = []
    /// What came from children and went nowhere, by reason.
    private(set) var dropped: [String: Int] = [:]

    package init(
        server: ServerConfiguration,
        limits: Limits,
        loop: EventLoop,
        timeouts: Timeouts,
        log: Log
    ) {
        self.server = server
        self.limits = limits
        self.loop = loop
        patience = timeouts.requestState.wholeMilliseconds
        idleLimit = (server.sessionTimeout ?? timeouts.session).wholeMilliseconds
        self.log = log.of("server", server: server.name)
    }

    /// How many calls of one client may wait.
    var inFlightLimit: Int { server.limits.inFlight ?? limits.inFlight }

    /// Counts something that a child said and nobody can use.
    func drop(_ reason: String) {
        dropped[reason, default: 0] += 1
        log.debug("dropped a message of the server: \(reason)")
    }
}
