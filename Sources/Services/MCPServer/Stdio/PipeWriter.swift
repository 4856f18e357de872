// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import Glibc
import StdioFraming

/// Writes messages, one a line, to a descriptor of any kind, on a thread of its own.
///
/// Writing never waits: what the other side has not read is kept, up to a limit. It ends with `finish`, or when the
/// limit is reached or the other side is gone; from then on nothing is taken.
final class PipeWriter: Sendable {
    private let queue: ByteMailbox
    private let latch = Latch<Void>()

    /// Starts the thread, which has a descriptor of its own: it may outlast the caller's.
    init(_ descriptor: Int32, limit: Int) {
        let queue = ByteMailbox(limit: limit)
        self.queue = queue
        let latch = latch
        let descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        Threads.start {
            defer { close(descriptor) }
            while let bytes = queue.take() {
                guard Self.write(bytes, to: descriptor) else {
                    queue.close(dropping: true)
                    break
                }
            }
            latch.open(())
        }
    }

    /// Takes a message; false if nothing is taken any more.
    func write(_ message: [UInt8]) -> Bool {
        var frame: [UInt8] = []
        FrameWriter.append(message.span, framing: .newline, to: &frame)
        return queue.put(frame)
    }

    /// Writes what was taken, and ends.
    ///
    /// - Parameter patience: Returns when the other side has had enough time to read.
    func finish(_ patience: @escaping @Sendable () async -> Void) async {
        queue.close(dropping: false)
        let latch = latch
        let timer = Task(name: "patience") {
            await patience()
            latch.open(())
        }
        await latch.wait()
        timer.cancel()
        // A thread that still waits for the other side ends when the descriptor's reader does.
        queue.close(dropping: true)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, -1)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
