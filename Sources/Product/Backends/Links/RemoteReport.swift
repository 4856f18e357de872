// Gatehouse. SPDX-License-Identifier: MIT

import MCPClient

/// What a server that runs elsewhere is at, as far as it can be seen from here, and what happened with it so far.
package struct RemoteReport: Sendable, Equatable {
    /// Whether it was there when it was last asked.
    package enum State: String, Sendable {
        /// Nobody has asked it yet.
        case untried
        /// It has answered.
        case reached
        /// It could not be reached.
        case away
    }

    /// A line to it: a session at the server, or what modern callers share.
    package struct Line: Sendable, Equatable {
        /// Whether it is on its way out.
        package let isStopping: Bool
        /// Since when it is there, in milliseconds of the loop's clock.
        package let started: UInt64
        /// Requests that were sent.
        package let calls: Int
        /// How often the server has forgotten its session.
        package let greetedAgain: Int
        /// Messages and bytes to the server and from it.
        package let sentMessages: Int
        package let sentBytes: Int
        package let receivedMessages: Int
        package let receivedBytes: Int
        /// Bytes that the server has not begun to answer.
        package let pendingBytes: Int
    }

    /// Whether it was there when it was last asked.
    package internal(set) var state = State.untried
    /// Its lines, the oldest first.
    package internal(set) var lines: [Line] = []
    /// Lines that were opened.
    package internal(set) var opened = 0
    /// How often the server has forgotten a session, so that another one was opened in its place.
    package internal(set) var greetedAgain = 0
    /// Requests that HTTP has failed.
    package internal(set) var failures = 0
    /// What was the matter with the last of them.
    package internal(set) var lastFailure: String?

    /// Takes note of a request that was not answered with a message.
    mutating func note(_ error: MCPClientError) {
        if case .cancelled = error { return }
        failures += 1
        lastFailure = RemoteFailures.summary(error)
    }
}
