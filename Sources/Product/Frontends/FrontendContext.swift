// Gatehouse. SPDX-License-Identifier: MIT

package import Configuration
import Crypto
package import Diagnostics
package import EventLoop
package import Gateway
package import Sessions

/// What all frontends share.
///
/// One loop's.
package final class FrontendContext {
    let loop: EventLoop
    let pipeline: Pipeline
    var limits: Limits
    var timeouts: Timeouts
    let log: Log
    /// Seals cursors and request states.
    ///
    /// Dies with the process, so that no other instance takes them back.
    let sealer = Sealer()
    /// Bytes of parameters that waiting calls hold (`ParametersMark`).
    @exclusivity(unchecked) var markedBytes = 0
    /// Bytes that they may hold together.
    private static let markLimit = 64 << 20
    /// Bytes that another call may hold: a small request always finds room.
    var markRoom: Int { max(Self.markLimit - markedBytes, 4096) }
    /// Where events are put together, one at a time.
    @exclusivity(unchecked) var event: [UInt8] = []
    /// The sessions of the database; nil if nothing outlives the gateway.
    let lasting: LastingSessions?
    /// Brings sessions of another run back.
    private(set) lazy var restorer = lasting.map { Restorer(self, $0) }
    /// Whether what is counted may be asked for over HTTP.
    let showsMetrics: Bool
    /// What stands before our paths where clients write them, if a proxy takes it away.
    let pathPrefix: String
    /// Whether the gateway is stopping: nothing new is begun.
    @exclusivity(unchecked) package internal(set) var isDraining = false

    /// Puts together what frontends share.
    package init(
        loop: EventLoop,
        pipeline: Pipeline,
        limits: Limits,
        timeouts: Timeouts,
        lasting: LastingSessions? = nil,
        showsMetrics: Bool,
        pathPrefix: String = "",
        log: Log
    ) {
        self.loop = loop
        self.pipeline = pipeline
        self.limits = limits
        self.timeouts = timeouts
        self.showsMetrics = showsMetrics
        self.pathPrefix = pathPrefix
        self.log = log.of(.http)
        self.lasting = lasting
        pipeline.sessions.onEnd = { lasting?.ended($0) }
    }

    /// What a session keeps of its streams.
    var eventLog: EventLog {
        EventLog(
            bytes: limits.replayBytes,
            events: limits.replayEvents,
            age: limits.replayTime.wholeMilliseconds
        )
    }
}
