// Gatehouse. SPDX-License-Identifier: MIT

import MCPCore

/// Where the events of a stream go while a client listens.
package protocol StreamOutlet: AnyObject {
    /// Whether events still reach the client.
    var isOpen: Bool { get }
    /// Sends a message, or with none the event that opens a stream and names where to resume.
    func send(event id: EventID?, _ message: Span<UInt8>)
    /// Shows that it is alive, if nothing else is on its way.
    func sendHeartbeat()
    /// Ends the stream as finished.
    func finish()
}

/// An event stream of a legacy session: the answer to a POST, or what a GET opened.
///
/// It outlives the connection that carries it: what is sent while nobody listens is kept for the client to resume. It ends
/// when the calls that it answers are answered, or with its session.
package final class SessionStream {
    /// Its number in the session.
    package let number: Int
    /// Whether it came from a GET, and so answers no call.
    package let isGeneral: Bool
    /// Where its events go; nil while nobody listens.
    package private(set) var outlet: (any StreamOutlet)?
    /// Whether it has sent all that it will.
    package private(set) var isFinished = false
    private var nextEvent = 0
    private unowned let session: Session

    init(number: Int, isGeneral: Bool, session: Session) {
        self.number = number
        self.isGeneral = isGeneral
        self.session = session
    }

    /// Opens it towards a client.
    package func open(_ outlet: any StreamOutlet, at now: UInt64) {
        self.outlet = outlet
        if session.revision.primesStreams {
            let id = EventID(stream: number, event: nextEvent)
            nextEvent += 1
            outlet.send(event: id, [UInt8]().span)
        }
        let notices = session.openingNotices
        session.openingNotices = []
        for notice in notices { send(notice.span, at: now) }
    }

    /// Whether an event of this number was sent.
    func hasSent(_ event: Int) -> Bool {
        (0..<nextEvent).contains(event)
    }

    /// Gives it to a client that came back, after the events that it missed.
    package func resume(_ outlet: any StreamOutlet) {
        self.outlet?.finish()
        self.outlet = isFinished ? nil : outlet
        if isFinished { outlet.finish() }
    }

    /// Sends a message, which is kept if the stream can be resumed.
    package func send(_ message: Span<UInt8>, at now: UInt64) {
        let id = EventID(stream: number, event: nextEvent)
        nextEvent += 1
        session.log.append(id, message, at: now)
        outlet?.send(event: id, message)
    }

    /// The client's connection is gone; the stream goes on.
    package func detach(_ gone: any StreamOutlet) {
        if outlet === gone { outlet = nil }
    }

    /// Ends it.
    package func finish() {
        isFinished = true
        outlet?.finish()
        outlet = nil
    }
}
