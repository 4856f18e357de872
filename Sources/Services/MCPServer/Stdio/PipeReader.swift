// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import Glibc
import StdioFraming

/// Reads messages, one a line, from a descriptor of any kind, on a thread of its own.
///
/// It begins with `run`, once, and ends with the input, with a line that is too long, or with `stop`.
final class PipeReader: Sendable {
    /// Why it ended.
    enum End: Sendable {
        case endOfInput, tooLong, stopped
    }

    private let descriptor: Int32
    private let limit: Int
    private let latch = Latch<End>()
    /// A pipe whose closed end wakes the thread; nil once it is closed.
    private let wake = Locked<Int32?>(nil)
    private let isStopped = Locked(false)

    init(_ descriptor: Int32, limit: Int) {
        self.descriptor = descriptor
        self.limit = limit
    }

    /// Hands each message to a handler, on the thread, until the end.
    func run(_ receive: @escaping @Sendable ([UInt8]) -> Void) async -> End {
        var pipe: [Int32] = [-1, -1]
        guard Glibc.pipe(&pipe) == 0 else { return .endOfInput }
        // A process that a tool starts must not hold the other end.
        for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (woken, waker) = (pipe[0], pipe[1])
        wake.withLock { $0 = waker }
        // Asked to stop before it began.
        if isStopped.withLock({ $0 }) { stop() }
        Threads.start { [self] in
            let end = read(woken, receive)
            stop()
            close(woken)
            latch.open(end)
        }
        return await latch.wait()
    }

    /// Ends the reading soon; again is no mistake.
    func stop() {
        isStopped.withLock { $0 = true }
        let waker = wake.withLock { $0.take() }
        if let waker { close(waker) }
    }

    private func read(_ woken: Int32, _ receive: ([UInt8]) -> Void) -> End {
        var reader = FrameReader(framing: .newline, limit: limit)
        var held: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            var waiting = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: woken, events: Int16(POLLIN), revents: 0),
            ]
            if poll(&waiting, 2, -1) < 0 {
                guard errno == EINTR else { return .endOfInput }
                continue
            }
            if waiting[1].revents != 0 { return .stopped }
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            guard count > 0 else { return .endOfInput }
            held.append(contentsOf: chunk[..<count])
            var position = 0
            reading: while true {
                switch reader.next(held.span, from: &position) {
                case .message(let range): receive(Array(held[range]))
                case .skip: receive(Array("not JSON".utf8))
                case .needMore: break reading
                case .tooLong: return .tooLong
                }
            }
            held.removeSubrange(..<position)
        }
    }
}
