// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Children
package import Configuration
package import Diagnostics
package import EventLoop
import JSON
import MCPCore
import StdioFraming
package import Telemetry

/// What all conversations with one server have in common: its configuration, its bounds, and what happened so far.
///
/// One loop's; it lives as long as the server is configured.
package final class ServerContext {
    /// The server, as configured.
    let server: ServerConfiguration
    /// Bounds of the whole gateway.
    private(set) var limits: Limits
    let loop: EventLoop
    let log: Log
    /// Milliseconds for which a call waits for what its caller was asked.
    private(set) var patience: UInt64
    /// Milliseconds after which a process that modern callers used and use no more is ended.
    private(set) var idleLimit: UInt64
    /// Where frames are put together, one at a time.
    var frame: [UInt8] = []
    /// What happened so far with its processes.
    var counts = ProcessCounts()
    /// What makes spans of their starts; nil for none.
    let tracer: Tracer?
    /// What came from children and went nowhere, by reason.
    private(set) var dropped: [String: Int] = [:]

    package init(
        server: ServerConfiguration,
        limits: Limits,
        loop: EventLoop,
        timeouts: Timeouts,
        tracer: Tracer? = nil,
        log: Log
    ) {
        self.tracer = tracer
        self.server = server
        self.limits = limits
        self.loop = loop
        patience = timeouts.requestState.wholeMilliseconds
        idleLimit = (server.sessionTimeout ?? timeouts.session).wholeMilliseconds
        self.log = log.of(.server, server: server.name)
    }

    /// Takes over the bounds of another configuration, for what begins from now on.
    func adopt(_ limits: Limits, _ timeouts: Timeouts) {
        self.limits = limits
        patience = timeouts.requestState.wholeMilliseconds
        idleLimit = (server.sessionTimeout ?? timeouts.session).wholeMilliseconds
    }

    /// How many calls of one client may wait.
    var inFlightLimit: Int { server.limits.inFlight ?? limits.inFlight }

    /// A process was started, or could not be; `asked` is when, in nanoseconds since 1970.
    func noteStart(since asked: UInt64, failure: String?) {
        if failure == nil { counts.starts += 1 } else { counts.startFailures += 1 }
        guard let tracer else { return }
        let place = tracer.place(in: nil)
        guard place.isSampled else { return }
        let shape = SpanShape("start process", .internal, attributes: [("gatehouse.server", server.name)])
        var span = FinishedSpan(place, parent: nil, shape, start: asked, end: WallClock.now)
        span.failure = failure
        tracer.exporter.add(span)
    }

    /// Counts something that a child said and nobody can use.
    func drop(_ reason: String) {
        dropped[reason, default: 0] += 1
        log.debug("dropped a message of the server: \(reason)")
    }
}
