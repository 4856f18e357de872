// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import Sessions
import StdioFraming

/// Messages to a client on a pipe, one a line (2025-11-25 and 2026-07-28, transports, "stdio").
///
/// What the client does not take waits here. Past half of the limit the client is to be read no more, so that it asks for
/// nothing further; past all of it the client is given up, as `Backlog` says.
final class LineOutlet: StreamOutlet {
    private let stream: ByteStream
    private var backlog: Backlog
    private var line: [UInt8] = []
    private var hasOverflowed = false
    /// Hears, once, that the client does not read.
    var onOverflow: () -> Void = {}

    /// Writes to a pipe.
    ///
    /// - Parameters:
    ///   - stream: The pipe.
    ///   - backlog: How much may wait for the client.
    init(_ stream: ByteStream, _ backlog: Backlog) {
        self.stream = stream
        self.backlog = backlog
    }

    var isOpen: Bool { !hasOverflowed && !stream.isClosed && stream.failure == nil }
    /// Whether so much waits that the client should not ask for more.
    var isCongested: Bool { stream.pendingBytes > backlog.limit / 2 }

    func send(event id: EventID?, _ message: Span<UInt8>) {
        guard isOpen else { return }
        guard backlog.admits(pending: stream.pendingBytes, taken: stream.takenLate, at: stream.loop.now)
        else {
            hasOverflowed = true
            return onOverflow()
        }
        var line = line
        self.line = []
        line.removeAll(keepingCapacity: line.capacity <= 1 << 20)
        FrameWriter.append(message, framing: .newline, to: &line)
        stream.gather(line.span)
        self.line = line
    }

    /// A pipe needs none.
    func sendHeartbeat() {}

    /// The pipe ends with the program.
    func finish() {}
}
