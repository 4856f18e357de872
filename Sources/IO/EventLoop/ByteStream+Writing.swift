// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import CUV

/// What a stream could not write at once: the bytes that libuv has, and those that wait behind them.
///
/// The write request keeps it alive by itself, since libuv reports cancelled requests after the stream was closed.
final class Outbox {
    private let request = UnsafeMutablePointer<uv_write_t>.allocate(capacity: 1)
    private var flying = ByteQueue()
    private var waiting = ByteQueue()
    private(set) var isFlying = false
    /// Bytes that were ever given to it.
    private(set) var given = 0
    private unowned let stream: ByteStream

    init(_ stream: ByteStream) {
        self.stream = stream
    }

    deinit { request.deallocate() }

    /// Bytes that are not written: libuv counts its own as they go.
    func pending(_ handle: UnsafeMutablePointer<uv_stream_t>) -> Int {
        waiting.count + (isFlying ? Int(uv_stream_get_write_queue_size(handle)) : 0)
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        given &+= bytes.count
        waiting.append(bytes)
    }

    /// Gives libuv everything that waits, as one request; false if nothing does.
    func send() -> Bool {
        guard !isFlying, waiting.count > 0 else { return false }
        flying.removeAll()
        swap(&flying, &waiting)
        isFlying = true
        let bytes = flying.bytes
        // One request takes what a 32-bit length can say; queues are limited far below that.
        var buffer = uv_buf_t(base: bytes.baseAddress?.assumingMemoryBound(to: CChar.self), len: bytes.count)
        request.pointee.data = Unmanaged.passRetained(self).toOpaque()
        let result = uv_write(request, stream.handle, &buffer, 1) { request, status in
            guard let data = request?.pointee.data else { return }
            Unmanaged<Outbox>.fromOpaque(data).takeRetainedValue().sent(status)
        }
        if result != 0 {
            Unmanaged.passUnretained(self).release()
            isFlying = false
            stream.failLater("write", result)
        }
        return true
    }

    private func sent(_ status: Int32) {
        isFlying = false
        // The request comes back before the stream's close callback, so the stream is still there.
        stream.written(status, self)
    }
}

extension ByteStream {
    /// Writes the bytes after those before: at once as far as the peer takes them, the rest is copied and follows.
    ///
    /// There is no limit here: look at `pendingBytes`. After a failure or `endWriting` the bytes are dropped.
    package func write(_ bytes: Span<UInt8>) {
        loop.preconditionCurrent()
        guard canWrite, !bytes.isEmpty else { return }
        flushGathered()
        bytes.withUnsafeBytes { bytes in
            if let outbox {
                outbox.append(bytes)
                return
            }
            var buffer = Self.buffer(bytes)
            queue(
                after: uv_try_write(handle, &buffer, 1),
                bytes,
                UnsafeRawBufferPointer(start: nil, count: 0)
            )
        }
    }

    /// Writes two pieces as if they were one, with one system call if the peer takes them.
    package func write(_ first: Span<UInt8>, _ second: Span<UInt8>) {
        loop.preconditionCurrent()
        guard canWrite else { return }
        flushGathered()
        guard !first.isEmpty, !second.isEmpty else { return write(first.isEmpty ? second : first) }
        first.withUnsafeBytes { first in
            second.withUnsafeBytes { second in
                if let outbox {
                    outbox.append(first)
                    outbox.append(second)
                    return
                }
                let result = withUnsafeTemporaryAllocation(of: uv_buf_t.self, capacity: 2) {
                    buffers -> Int32 in
                    buffers.initializeElement(at: 0, to: Self.buffer(first))
                    buffers.initializeElement(at: 1, to: Self.buffer(second))
                    return uv_try_write(handle, buffers.baseAddress, 2)
                }
                queue(after: result, first, second)
            }
        }
    }

    /// Writes the bytes after those before, together with all that follows before the loop next waits.
    ///
    /// For streams that many write to in one turn: one system call takes it all, and the reader wakes up once.
    /// Until then the bytes count as pending; if the kernel takes them all, the delegate is not told that they went.
    package func gather(_ bytes: Span<UInt8>) {
        loop.preconditionCurrent()
        guard canWrite, !bytes.isEmpty else { return }
        guard outbox == nil, bytes.count < Self.gatherLimit else { return write(bytes) }
        if !isGathering { loop.beginGathering(self) }
        gathered.append(bytes)
        if gathered.count >= Self.gatherLimit { flushGathered() }
    }

    /// Bytes that are worth a system call of their own.
    private static let gatherLimit = 32_768

    /// Writes what was gathered, and lends its memory to the next stream that gathers.
    func flushGathered() {
        guard isGathering else { return }
        isGathering = false
        var bytes = gathered
        gathered = []
        write(bytes.span)
        bytes.removeAll(keepingCapacity: true)
        loop.endGathering(bytes)
    }

    /// Bytes that were given to `write` or `gather` and that the kernel has not taken.
    package var pendingBytes: Int {
        isClosed ? 0 : (isGathering ? gathered.count : 0) + (outbox?.pending(handle) ?? 0)
    }

    /// Bytes that the kernel has taken since it first took less than it was given; while it grows, the peer reads.
    package var takenLate: Int {
        guard !isClosed, let outbox else { return 0 }
        return outbox.given - outbox.pending(handle)
    }

    /// Tells the peer that no more comes, after what is pending.
    ///
    /// A pipe, which has one direction, is closed then.
    package func endWriting() {
        loop.preconditionCurrent()
        guard canWrite else { return }
        flushGathered()
        ending = canShutDown ? .shutdown : .close
        if outbox == nil { finishWriting() }
    }

    /// Closes when everything pending is written, or cannot be.
    package func closeAfterWriting() {
        loop.preconditionCurrent()
        guard !isClosed else { return }
        flushGathered()
        ending = .close
        if outbox == nil { close() }
    }

    private var canWrite: Bool { !isClosed && failure == nil && ending == .none }

    private static func buffer(_ bytes: UnsafeRawBufferPointer) -> uv_buf_t {
        // libuv's type has no const; it only reads.
        uv_buf_t(
            base: UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.assumingMemoryBound(to: CChar.self),
            len: bytes.count
        )
    }

    /// Keeps what an attempt to write left over.
    ///
    /// `result` is a count of bytes or a negative error.
    private func queue(after result: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer)
    {
        guard result >= 0 || result == UV_EAGAIN.rawValue else {
            failLater("write", result)
            return
        }
        let written = max(0, Int(result))
        guard written < first.count + second.count else { return }
        let outbox = Outbox(self)
        outbox.append(UnsafeRawBufferPointer(rebasing: first[min(written, first.count)...]))
        outbox.append(UnsafeRawBufferPointer(rebasing: second[max(0, written - first.count)...]))
        self.outbox = outbox
        _ = outbox.send()
    }

    /// A write request has ended.
    func written(_ status: Int32, _ finished: Outbox) {
        guard !isClosed, finished === outbox else { return }
        guard status == 0 else {
            fail(IOFailure(operation: "write", code: status))
            return
        }
        if finished.send() { return }
        outbox = nil
        guard ending == .none else { return finishWriting() }
        delegate?.streamDrained(on: self)
    }

    private func finishWriting() {
        guard ending == .shutdown else {
            if ending == .close { close() }
            return
        }
        ending = .done
        let request = UnsafeMutablePointer<uv_shutdown_t>.allocate(capacity: 1)
        let result = uv_shutdown(request, handle) { request, _ in request?.deallocate() }
        if result != 0 { request.deallocate() }
    }
}
