// Gatehouse. SPDX-License-Identifier: MIT

import JSON
package import JSONRPC

/// A call that waits for a server's answer.
package struct Call {
    /// Our id for it on this hop; also its progress token.
    package let id: Int
    /// The caller's id, as written.
    package let clientID: String
    /// The caller's progress token, as written.
    package let progressToken: String?
    /// The method.
    package let method: Method
    /// Whether the caller asked for log messages with this request (modern era).
    package let wantsLogs: Bool
    /// When it gives up waiting; nil for one that lasts, such as a listen, or waits for a person.
    package internal(set) var clock: CallClock?
    /// What a result that does not state its type begins with, as JSON text without braces; nil for the type alone.
    package var resultStart: [UInt8]?
    /// Who is answered.
    package let caller: any Caller

    /// Takes a request on.
    ///
    /// - Parameters:
    ///   - id: Our id for it.
    ///   - message: The request.
    ///   - bytes: Its text.
    ///   - clock: When it gives up waiting; nil for one that lasts.
    ///   - caller: Who is answered.
    package init(
        id: Int,
        _ message: Message,
        _ bytes: Span<UInt8>,
        clock: CallClock?,
        caller: any Caller
    ) {
        let token = message.params.meta.progressToken
        self.id = id
        clientID = bytes.text(message.envelope.id)
        progressToken = token.isPresent ? bytes.text(token) : nil
        method = message.method
        wantsLogs = message.params.meta.logLevel.isPresent
        self.clock = clock
        self.caller = caller
    }
}

/// When a call gives up waiting, in milliseconds of the loop's clock.
///
/// Progress gives it its whole time again, but never beyond its last moment (2025-11-25, lifecycle, "Timeouts").
package struct CallClock: Sendable, Equatable {
    /// When it gives up; never, while its caller is asked something.
    package private(set) var deadline: UInt64
    /// How long it may wait without progress.
    package let patience: UInt64
    private let ceiling: UInt64
    private var last: UInt64

    /// Starts now.
    ///
    /// - Parameters:
    ///   - now: The time.
    ///   - patience: How long it may wait without progress.
    ///   - ceiling: How long it may wait in all; no less than `patience`.
    package init(at now: UInt64, patience: UInt64, ceiling: UInt64) {
        self.patience = patience
        self.ceiling = max(patience, ceiling)
        last = now &+ self.ceiling
        deadline = now &+ patience
    }

    /// Whether progress gives it no more time.
    package var isAtCeiling: Bool { deadline == last && ceiling > patience }

    /// How long it has been waited for when its time is over, in all or since it last made progress.
    package var limit: UInt64 { isAtCeiling ? ceiling : patience }

    /// It made progress.
    mutating func noteProgress(at now: UInt64) {
        deadline = max(deadline, min(now &+ patience, last))
    }

    /// Its caller is asked something: the server is not to blame for what that takes.
    mutating func hold() {
        deadline = .max
    }

    /// The server has it again.
    mutating func resume(at now: UInt64) {
        deadline = now &+ patience
        last = now &+ ceiling
    }
}

/// Who made a call, and hears what comes of it.
///
/// Any number of notices, then exactly one of `reply` and `failed`; nothing after that. Messages come as the server wrote
/// them, with this hop's ids in them; the bytes are only there during the call.
package protocol Caller: AnyObject {
    /// The server's answer: a result or an error.
    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call)
    /// Progress, a log message, or a notification of the call's subscription.
    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call)
    /// There will be no answer.
    func failed(_ failure: Failure, _ call: Call)
    /// The call was taken back by its own client; there will be no answer.
    func cancelled(_ call: Call)
    /// The gateway is stopping: something that would last for ever should end now.
    func stopping(_ call: Call)
    /// The call still waits; a good time to show the client that the connection lives.
    func stillWaiting(_ call: Call, now: UInt64)
    /// Whether the client of the call is still there.
    var isPresent: Bool { get }
    /// Whether a call is the gateway's own, which takes no place from those of its client.
    var isOwn: Bool { get }
}

extension Caller {
    /// Who has no client of its own is there.
    package var isPresent: Bool { true }
    /// Who calls, does it for a client.
    package var isOwn: Bool { false }
}
