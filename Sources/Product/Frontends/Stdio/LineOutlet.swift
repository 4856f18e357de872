// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import Sessions
import StdioFraming

/// Messages to a client on a pipe, one a line (2025-11-25 and 2026-07-28, transports, "stdio").
///
/// What the client does not take waits here, up to a limit. Past half of it the client is to be read no more, so that it
/// asks for nothing further; past all of it the client is given up.
final class LineOutlet: StreamOutlet {
    private let stream: ByteStream
    private let limit: Int
    private var line: [UInt8] = []
    private var hasOverflowed = false
    /// Hears, once, that the client does not read.
    var onOverflow: () -> Void = {}

    /// Writes to a pipe.
    ///
    /// - Parameters:
    ///   - stream: The pipe.
    ///   - limit: Bytes that may wait for the client; one message may be larger.
    init(_ stream: ByteStream, limit: Int) {
        self.stream = stream
        self.limit = limit
    }

    var isOpen: Bool { !hasOverflowed && !stream.isClosed && stream.failure == nil }
    /// Whether so much waits that the client should not ask for more.
    var isCongested: Bool { stream.pendingBytes > limit / 2 }

    func send(event id: EventID?, _ message: Span<UInt8>) {
        guard isOpen else { return }
        guard stream.pendingBytes <= limit else {
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
