// Gatehouse. SPDX-License-Identifier: MIT

import CProcess
import Glibc

/// Accepts TCP connections on an address and hands each over as a stream.
///
/// When the process has no descriptors left, it gives back one held in reserve, accepts and drops what waits (so that
/// clients see an end instead of silence), and rests for 100 ms. It lives until `close()` or the end of its loop.
package final class TCPListener {
    /// The numeric address it listens on.
    package let address: String
    /// The port it listens on, also when 0 was asked for.
    package let port: UInt16
    /// How many connections were dropped for want of descriptors.
    package private(set) var droppedConnections = 0

    private let loop: EventLoop
    private let descriptor: Int32
    private var reserve: Int32
    private var watcher: DescriptorWatcher?
    private var rest: LoopTimer?
    private var isPaused = false
    private var onAccept: ((ByteStream) -> Void)?

    /// Listens.
    ///
    /// Loop thread only. `host` is an IPv4 or IPv6 literal, or "localhost", which is 127.0.0.1; port 0 picks
    /// a free one. With `sharesPort`, listeners of several loops may have one port and the kernel spreads
    /// connections.
    package init(
        _ loop: EventLoop,
        host: String,
        port: UInt16,
        backlog: Int32 = 1024,
        sharesPort: Bool = false,
        onAccept: @escaping (ByteStream) -> Void
    ) throws(IOFailure) {
        loop.preconditionCurrent()
        let literal = host.utf8.elementsEqual("localhost".utf8) ? "127.0.0.1" : host
        let operation = "listen on \(host):\(port)"
        // A C string would end at a NUL, and so name another host than the one that was given.
        guard !literal.utf8.contains(0) else { throw IOFailure(operation: operation, code: EINVAL) }
        let result = gatehouse_listen(literal, port, backlog, sharesPort ? 1 : 0)
        descriptor = try IOFailure.check(operation, result)
        reserve = gatehouse_reserve()
        let bound = socketAddress(descriptor, peer: false)
        address = bound?.host ?? literal
        self.port = bound?.port ?? port
        self.loop = loop
        self.onAccept = onAccept
        do {
            watcher = try DescriptorWatcher(loop, descriptor: descriptor, events: .readable) { _ in
                self.accept()
            }
        } catch {
            Glibc.close(descriptor)
            if reserve >= 0 { Glibc.close(reserve) }
            throw error
        }
        rest = LoopTimer(loop) { self.resumeAfterRest() }
    }

    /// Accepts no more for now; connections wait in the kernel's backlog.
    package func pause() {
        isPaused = true
        watcher?.update([])
    }

    package func resume() {
        isPaused = false
        if rest?.isScheduled == false { watcher?.update(.readable) }
    }

    /// Stops listening; connections that were accepted live on.
    package func close() {
        guard let watcher else { return }
        watcher.close()
        self.watcher = nil
        rest?.close()
        rest = nil
        closeDescriptors()
        _ = onAccept.take()
    }

    // The watcher holds the listener until one of them is closed, or the loop has ended and closed the watcher.
    deinit {
        if watcher != nil { closeDescriptors() }
    }

    private func closeDescriptors() {
        Glibc.close(descriptor)
        if reserve >= 0 { Glibc.close(reserve) }
        reserve = -1
    }

    private func accept() {
        // Bounded, so that a flood of connections leaves room for those that are there.
        for _ in 0..<64 where watcher != nil && !isPaused {
            let connection = gatehouse_accept(descriptor)
            if connection >= 0 {
                // A failure means that the peer has gone already, and has closed the descriptor.
                if let stream = try? ByteStream(adopting: connection, kind: .tcp, loop: loop) {
                    onAccept?(stream)
                }
                continue
            }
            switch -connection {
            case EAGAIN: return
            case ECONNABORTED, EPROTO, EPERM: continue
            default: return shed()
            }
        }
    }

    /// Drops what waits by means of the reserve descriptor, and rests.
    private func shed() {
        if reserve >= 0 {
            Glibc.close(reserve)
            for _ in 0..<64 {
                let connection = gatehouse_accept(descriptor)
                guard connection >= 0 else { break }
                Glibc.close(connection)
                droppedConnections += 1
            }
        }
        reserve = gatehouse_reserve()
        watcher?.update([])
        rest?.schedule(after: 100)
    }

    private func resumeAfterRest() {
        if reserve < 0 { reserve = gatehouse_reserve() }
        if !isPaused { watcher?.update(.readable) }
    }
}
