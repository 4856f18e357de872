// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import Glibc
import Synchronization
import Testing

/// Notes what a stream says.
final class Recorder: ByteStreamDelegate {
    var bytes: [UInt8] = []
    var ends: [IOFailure?] = []
    var drains = 0
    var onBytes: (Span<UInt8>, ByteStream) -> Void = { _, _ in }
    var onEnd: (ByteStream) -> Void = { _ in }
    var keeps = true

    func streamReceived(_ bytes: Span<UInt8>, on stream: ByteStream) {
        if keeps { self.bytes.append(bytes) }
        onBytes(bytes, stream)
    }

    func streamEnded(_ failure: IOFailure?, on stream: ByteStream) {
        ends.append(failure)
        onEnd(stream)
    }

    func streamDrained(on stream: ByteStream) { drains += 1 }
}

/// Two connected Unix sockets.
func socketPair() throws -> (Int32, Int32) {
    var ends: [Int32] = [-1, -1]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    return (ends[0], ends[1])
}
