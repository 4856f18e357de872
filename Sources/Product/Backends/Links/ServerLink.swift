// Gatehouse. SPDX-License-Identifier: MIT

import JSONRPC
import MCPCore
import Sessions

/// A line to a server that takes whole messages and brings whole messages.
///
/// A source opens it; it works from then on, and ends once: by itself, which its delegate is told, or by `stop`, after which
/// the delegate hears nothing more. One loop's.
protocol ServerLink: AnyObject {
    /// Who hears what the server says; held weakly. What came before there was one is told soon after it is set.
    var delegate: (any ServerLinkDelegate)? { get set }
    /// Bytes that the server has not taken yet.
    var pendingBytes: Int { get }
    /// What passed so far.
    var traffic: LinkTraffic { get }
    /// What is known of the server's state, for those whose calls fail: the last lines of its standard error.
    var diagnosticsTail: String { get }
    /// The server's process, if it is one of ours.
    var processID: Int32? { get }
    /// The call on whose stream the message came that is being told; nil where there is one stream for all.
    var subject: Int? { get }
    /// Whether the server must say something before it is believed to be there; else each call shows it.
    var mustProveItself: Bool { get }
    /// Sends a message with changes to its text.
    func send(_ message: Message, _ bytes: Span<UInt8>, _ edits: Edits)
    /// Sends a message as it is.
    func send(_ text: Span<UInt8>)
    /// Ends the line, and the server with it if it is one of ours.
    func stop()
}

/// What passed on a line, in both directions.
struct LinkTraffic: Equatable {
    /// Messages to the server.
    var sentMessages = 0
    /// Their bytes.
    var sentBytes = 0
    /// Messages from the server.
    var receivedMessages = 0
    /// Their bytes.
    var receivedBytes = 0
}

/// What a line tells the conversation that uses it.
protocol ServerLinkDelegate: AnyObject {
    /// A message came, or an array of them; the bytes are borrowed.
    func linkReceived(_ bytes: Span<UInt8>)
    /// The server shows that it lives without saying anything.
    func linkShowsLife()
    /// A call could not be delivered, or its answer will not come; the line goes on.
    func linkLost(call id: Int, _ failure: Failure)
    /// A call was not run, since the server has forgotten the session; it is to be sent again in another one.
    ///
    /// - Parameters:
    ///   - id: The call.
    ///   - text: What was sent.
    ///   - isNews: Whether the line needs a greeting first; else another one has been begun, or is over.
    func linkForgot(call id: Int, _ text: [UInt8], isNews: Bool)
    /// Whether a call still waits for its answer; this may be asked at any time.
    func linkAwaits(_ id: Int) -> Bool
    /// The line has ended, and why.
    func linkEnded(_ failure: Failure)
}

/// Where the lines to one server come from: processes of ours, or a server that runs elsewhere.
///
/// One loop's; it ends with `end`, when the last line is gone.
protocol LinkSource: AnyObject {
    /// How many servers of ours run because of it.
    var processCount: Int { get }
    /// What each of its servers is at.
    var reports: [ServerReport] { get }
    /// What the server is at, if it runs elsewhere.
    var remote: RemoteReport? { get }
    /// Finds out what the server speaks; calls back once, unless it is abandoned.
    func probe(_ completion: @escaping (Result<ServerFinding, Failure>) -> Void) -> any ServerProbe
    /// Opens a line on behalf of a principal; calls back later, or at once.
    func open(
        _ traits: ServerTraits,
        _ era: Era,
        for principal: Principal,
        _ completion: @escaping (Result<any ServerLink, Failure>) -> Void
    )
    /// Takes over how another configuration confines its servers, for those that are started from now on.
    func adopt(_ confinement: Confinement)
    /// Does what is due: keeps as many servers ready as is configured.
    func sweep(now: UInt64, _ traits: ServerTraits?)
    /// Opens no more; calls back when nothing is left.
    func end(_ completion: @escaping () -> Void)
}

/// The search for what a server speaks, while it goes on.
protocol ServerProbe: AnyObject {
    /// Gives it up: it calls back with a failure.
    func abandon()
}

/// What a probe has found.
struct ServerFinding {
    /// What the server speaks.
    var traits: ServerTraits
    /// Whether the server said so itself.
    var isCertain: Bool
}

/// What one server of ours is at.
package struct ServerReport: Sendable, Equatable {
    /// What it does.
    package enum State: String, Sendable, CaseIterable {
        /// It is kept ready and serves nobody yet.
        case warm
        /// It serves.
        case up
        /// It is told to end.
        case stopping
    }

    /// What it does.
    package let state: State
    /// Its process.
    package let pid: Int32
    /// Since when it runs, in milliseconds of the loop's clock.
    package let started: UInt64
    /// Messages and bytes to it and from it.
    package let sentMessages: Int
    package let sentBytes: Int
    package let receivedMessages: Int
    package let receivedBytes: Int
    /// Bytes that it has not taken yet.
    package let pendingBytes: Int
    /// The last lines of its standard error.
    package let diagnosticsTail: String
}

extension LinkSource {
    var remote: RemoteReport? { nil }
}

extension ServerLink {
    var subject: Int? { nil }
}

extension ServerLinkDelegate {
    func linkForgot(call id: Int, _ text: [UInt8], isNews: Bool) {
        linkLost(
            call: id,
            Failure(.internalError, "The server has forgotten the session", source: .upstream)
        )
    }

    func linkAwaits(_ id: Int) -> Bool { false }
}
