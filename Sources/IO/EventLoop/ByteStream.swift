// Gatehouse. SPDX-License-Identifier: MIT

import CProcess
import CUV
import Glibc

/// A TCP connection, or one end of a pipe or Unix socket.
///
/// It belongs to one loop and is used on that thread only. It starts out not reading. It lives, and keeps its delegate
/// alive, until `close()` or the end of its loop: whoever holds a stream has to close it.
/// An idle stream costs its libuv handle and little more: reading uses the loop's buffer, and memory for
/// writing is held only while the peer takes less than it is given.
package final class ByteStream: LoopResource {
    /// What a descriptor is.
    package enum Kind: Sendable {
        /// A connected TCP socket.
        case tcp
        /// A pipe, a Unix socket or a terminal.
        case pipe
    }

    /// Where a stream's handle lies; both kinds begin with a `uv_stream_t`.
    enum Memory {
        case tcp(Handle<uv_tcp_t>)
        case pipe(Handle<uv_pipe_t>)

        var stream: UnsafeMutablePointer<uv_stream_t> {
            switch self {
            case .tcp(let handle): handle.stream
            case .pipe(let handle): handle.stream
            }
        }
    }

    /// What is to happen when all has been written.
    enum Ending {
        case none
        case shutdown
        case close
        /// Shut down already.
        case done
    }

    /// Who is told; released by `close()`.
    @exclusivity(unchecked) package var delegate: (any ByteStreamDelegate)?
    /// The loop that the stream belongs to.
    package let loop: EventLoop
    @exclusivity(unchecked) package private(set) var isClosed = false
    /// What reading or writing failed with, if it did.
    ///
    /// Writing does nothing from then on.
    @exclusivity(unchecked) package private(set) var failure: IOFailure?

    private let memory: Memory
    private let isSocket: Bool
    private var hasEnded = false
    /// What was read and is given again.
    @exclusivity(unchecked) var kept = ByteQueue()
    /// From where on the bytes that the delegate has are kept; nil if they are not.
    @exclusivity(unchecked) var keptFrom: Int?
    /// How many bytes were kept when they were last given in whole: as many may come again.
    var mostKept = 0
    /// What could not be written yet; nil when there is nothing.
    @exclusivity(unchecked) var outbox: Outbox?
    /// What is to be written when the loop has come round; in the loop's list while there is something.
    @exclusivity(unchecked) var gathered: [UInt8] = []
    /// Whether it is in that list.
    var isGathering = false
    @exclusivity(unchecked) var ending = Ending.none

    var handle: UnsafeMutablePointer<uv_stream_t> { memory.stream }

    /// Takes a descriptor over; it is closed with the stream, or at once if this throws.
    ///
    /// Loop thread only.
    ///
    /// Regular files and devices such as /dev/null cannot be polled and are refused (EPERM).
    package init(adopting descriptor: Int32, kind: Kind, loop: EventLoop) throws(IOFailure) {
        loop.preconditionCurrent()
        self.loop = loop
        let found = gatehouse_descriptor_kind(descriptor)
        isSocket = found == Int32(GATEHOUSE_SOCKET.rawValue)
        var result = found < 0 ? found : found == Int32(GATEHOUSE_OTHER.rawValue) ? -EPERM : 0
        if result == 0 { result = gatehouse_set_cloexec(descriptor) }
        switch kind {
        case .tcp:
            let handle = Handle<uv_tcp_t>()
            memory = .tcp(handle)
            uv_tcp_init(loop.uv, handle.pointer)
            if result == 0 { result = uv_tcp_open(handle.pointer, descriptor) }
            if result == 0 {
                result = uv_tcp_nodelay(handle.pointer, 1)
                guard result == 0 else {
                    handle.close()
                    throw IOFailure(operation: "adopt a connection", code: result)
                }
            }
        case .pipe:
            let handle = Handle<uv_pipe_t>()
            memory = .pipe(handle)
            uv_pipe_init(loop.uv, handle.pointer, 0)
            if result == 0 { result = uv_pipe_open(handle.pointer, descriptor) }
        }
        guard result == 0 else {
            closeHandle()
            Glibc.close(descriptor)
            throw IOFailure(operation: "adopt a descriptor", code: result)
        }
        switch memory {
        case .tcp(let handle): handle.own(self)
        case .pipe(let handle): handle.own(self)
        }
    }

    /// Lets bytes come.
    ///
    /// Nothing happens after the end.
    package func startReading() {
        loop.preconditionCurrent()
        guard !isClosed, !hasEnded else { return }
        let result = uv_read_start(
            handle,
            { handle, _, buffer in
                guard let stream = owner(handle?.pointee.data, as: ByteStream.self) else { return }
                let room = stream.roomToRead()
                buffer?.pointee = uv_buf_t(
                    base: room.baseAddress?.assumingMemoryBound(to: CChar.self),
                    len: room.count
                )
            },
            { handle, count, _ in
                owner(handle?.pointee.data, as: ByteStream.self)?.received(count)
            }
        )
        guard result != UV_EALREADY.rawValue else { return }
        if result != 0 { failLater("read", result) }
    }

    /// Asks the system for a larger buffer, in bytes, of the pipe that is read.
    ///
    /// For a peer that sends large messages: it then has to wait less often until some of one was taken. Where the system
    /// does not grant it, nothing changes.
    package func widenPipe(to bytes: Int32) {
        loop.preconditionCurrent()
        guard !isClosed, !isSocket else { return }
        var descriptor: uv_os_fd_t = -1
        let any = UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)
        if uv_fileno(any, &descriptor) == 0 { gatehouse_widen_pipe(descriptor, bytes) }
    }

    /// Lets no more bytes come for now; the peer is held back once the kernel's buffers are full.
    ///
    /// Nothing is heard of the peer in the meantime, not even that it has gone.
    package func stopReading() {
        loop.preconditionCurrent()
        if !isClosed { uv_read_stop(handle) }
    }

    /// Closes at once; what was not written is dropped.
    ///
    /// No delegate call follows. Harmless if already closed.
    package func close() {
        guard !isClosed else { return }
        loop.preconditionCurrent()
        isClosed = true
        isGathering = false
        gathered = []
        closeHandle()
        _ = delegate.take()
    }

    /// The IP address of the other end as text, without port; nil if there is none, or none any more.
    package var peerAddress: String? { address(ofPeer: true)?.host }

    /// The port of the other end.
    package var peerPort: UInt16? { address(ofPeer: true)?.port }

    /// Reports an error once the caller has returned, so that a delegate is never called out of its own call.
    func failLater(_ operation: String, _ code: Int32) {
        loop.onNextTurn { self.fail(IOFailure(operation: operation, code: code)) }
    }

    func fail(_ failure: IOFailure) {
        guard !isClosed, self.failure == nil else { return }
        self.failure = failure
        uv_read_stop(handle)
        let hadPending = outbox != nil
        outbox = nil
        isGathering = false
        gathered = []
        if ending == .close {
            close()
        } else if hasEnded {
            if hadPending { delegate?.streamDrained(on: self) }
        } else {
            hasEnded = true
            delegate?.streamEnded(failure, on: self)
        }
    }

    private var handleBase: UnsafeMutablePointer<uv_handle_t> {
        UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)
    }

    private func closeHandle() {
        switch memory {
        case .tcp(let handle): handle.close()
        case .pipe(let handle): handle.close()
        }
    }

    private func received(_ count: Int) {
        guard !isClosed, count != 0 else { return }
        guard count < 0 else { return deliver(count) }
        guard count == Int(UV_EOF.rawValue) else {
            fail(IOFailure(operation: "read", code: Int32(clamping: count)))
            return
        }
        uv_read_stop(handle)
        hasEnded = true
        delegate?.streamEnded(nil, on: self)
    }

    private func address(ofPeer peer: Bool) -> (host: String, port: UInt16)? {
        loop.preconditionCurrent()
        var descriptor: Int32 = -1
        guard !isClosed, isSocket, uv_fileno(handleBase, &descriptor) == 0 else { return nil }
        return socketAddress(descriptor, peer: peer)
    }

    /// Whether the write side can be shut down apart; a plain pipe can only be closed.
    var canShutDown: Bool { isSocket }
}

/// The numeric address of a socket's end.
func socketAddress(_ descriptor: Int32, peer: Bool) -> (host: String, port: UInt16)? {
    var port: UInt16 = 0
    let host = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text -> String? in
        guard let start = text.baseAddress else { return nil }
        let result = gatehouse_address(descriptor, peer ? 1 : 0, start, text.count, &port)
        return result == 0 ? String(cString: start) : nil
    }
    return host.map { ($0, port) }
}
