// Gatehouse. SPDX-License-Identifier: MIT

import CProcess
import Glibc

/// Accepts TCP connections on an address and hands each over as a stream.
///
/// When the process has no descriptors left, it gives back those held in reserve: a few connections are handed over with
/// them, if somebody takes such; the others that wait are accepted and dropped, so that clients see an end instead of
/// silence. Then it rests for 100 ms. It lives until `close()` or the end of its loop.
package final class TCPListener {
    /// The numeric address it listens on.
    package let address: String
    /// The port it listens on, also when 0 was asked for.
    package let port: UInt16
    /// How many connections were dropped for want of descriptors.
    package private(set) var droppedConnections = 0

    private let loop: EventLoop
    private let descriptor: Int32
    /// Descriptors for the time when there are no others; the last is to drop connections with.
    private var reserve: [Int32] = []
    private let reserveCount: Int
    private var watcher: DescriptorWatcher?
    private var rest: LoopTimer?
    private var isPaused = false
    private var onAccept: ((ByteStream) -> Void)?
    private var onScarce: ((ByteStream) -> Void)?

    /// How many connections are handed over when there are no descriptors.
    private static let scarceCount = 8

    /// Listens.
    ///
    /// Loop thread only. `host` is an IPv4 or IPv6 literal, or "localhost", which is 127.0.0.1; port 0 picks
    /// a free one. With `sharesPort`, listeners of several loops may have one port and the kernel spreads
    /// connections. After `peerTimeout` milliseconds without an answer of the other end's system, a connection fails;
    /// with nil it takes as long as the system thinks. `onScarce` takes a few connections when there are no
    /// descriptors, and should close them soon.
    package init(
        _ loop: EventLoop,
        host: String,
        port: UInt16,
        backlog: Int32 = 1024,
        sharesPort: Bool = false,
        peerTimeout: UInt64? = nil,
        onScarce: ((ByteStream) -> Void)? = nil,
        onAccept: @escaping (ByteStream) -> Void
    ) throws(IOFailure) {
        loop.preconditionCurrent()
        let literal = host.utf8.elementsEqual("localhost".utf8) ? "127.0.0.1" : host
        let operation = "listen on \(host):\(port)"
        // A C string would end at a NUL, and so name another host than the one that was given.
        guard !literal.utf8.contains(0) else { throw IOFailure(operation: operation, code: EINVAL) }
        let result = gatehouse_listen(literal, port, backlog, sharesPort ? 1 : 0)
        descriptor = try IOFailure.check(operation, result)
        if let peerTimeout { _ = gatehouse_watch_peers(descriptor, Int32(clamping: peerTimeout)) }
        reserveCount = onScarce == nil ? 1 : 1 + Self.scarceCount
        self.onScarce = onScarce
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
            throw error
        }
        fillReserve()
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
        _ = onScarce.take()
    }

    // The watcher holds the listener until one of them is closed, or the loop has ended and closed the watcher.
    deinit {
        if watcher != nil { closeDescriptors() }
    }

    private func closeDescriptors() {
        Glibc.close(descriptor)
        for spare in reserve { Glibc.close(spare) }
        reserve = []
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

    /// Hands over a few of those that wait and drops the others, by means of the reserve, and rests.
    private func shed() {
        while reserve.count > 1, let spare = reserve.popLast() {
            Glibc.close(spare)
            let connection = gatehouse_accept(descriptor)
            guard connection >= 0 else { break }
            if let stream = try? ByteStream(adopting: connection, kind: .tcp, loop: loop) {
                onScarce?(stream)
            }
        }
        if let spare = reserve.popLast() {
            Glibc.close(spare)
            for _ in 0..<64 {
                let connection = gatehouse_accept(descriptor)
                guard connection >= 0 else { break }
                Glibc.close(connection)
                droppedConnections += 1
            }
        }
        fillReserve()
        watcher?.update([])
        rest?.schedule(after: 100)
    }

    private func fillReserve() {
        while reserve.count < reserveCount {
            let spare = gatehouse_reserve()
            guard spare >= 0 else { return }
            reserve.append(spare)
        }
    }

    private func resumeAfterRest() {
        fillReserve()
        if !isPaused { watcher?.update(.readable) }
    }
}
