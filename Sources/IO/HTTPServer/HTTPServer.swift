// Gatehouse. SPDX-License-Identifier: MIT

package import EventLoop
package import HTTPWire
package import TLS

/// An HTTP/1.1 server (RFC 9112) on one loop, under the strict profile of `HTTPWire`.
///
/// It starts listening when it is made, and gives every request to its handler. `drain` begins its end: it accepts no
/// more connections, closes those that are idle, and lets the others finish the response they are in.
package final class HTTPServer {
    /// The loop it lives on.
    package let loop: EventLoop
    /// What bounds its connections.
    package var limits: HTTPServerLimits
    /// What it speaks TLS with; nil speaks plain HTTP.
    let identity: TLSIdentity?
    /// Fields of every response by TLS, ours and the handler's.
    let secureFields: HTTPResponseFields
    let handler: any HTTPHandler
    let output = OutputBuffer()
    private(set) var isDraining = false
    private var listener: TCPListener?
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    private var onIdle: (() -> Void)?
    /// Connections that were closed at once because there were too many.
    package private(set) var refusedConnections = 0

    /// Listens.
    ///
    /// - Parameters:
    ///   - loop: Where it lives; this must be its thread.
    ///   - host: An address, or `localhost`.
    ///   - port: A port; 0 for any.
    ///   - limits: What bounds its connections.
    ///   - identity: What it speaks TLS with; nil for plain HTTP.
    ///   - secureFields: Fields that every response by TLS has besides.
    ///   - handler: Who answers.
    /// - Throws: Why it cannot listen.
    package init(
        loop: EventLoop,
        host: String,
        port: UInt16,
        limits: HTTPServerLimits,
        identity: TLSIdentity? = nil,
        secureFields: HTTPResponseFields = [],
        handler: any HTTPHandler
    ) throws(IOFailure) {
        self.loop = loop
        self.limits = limits
        self.identity = identity
        self.secureFields = secureFields
        self.handler = handler
        listener = try TCPListener(
            loop,
            host: host,
            port: port,
            backlog: 4096,
            // A little longer than the bound on those who are there and take nothing.
            peerTimeout: limits.write &+ 10_000,
            onScarce: { [weak self] in self?.accept($0, isScarce: true) }
        ) { [weak self] stream in
            self?.accept(stream, isScarce: false)
        }
    }

    /// The port that it listens on.
    package var port: UInt16 { listener?.port ?? 0 }
    /// The address that it listens on.
    package var address: String { listener?.address ?? "" }
    /// How many connections are open.
    package var connectionCount: Int { connections.count }

    /// How many responses are streams that are open.
    package var streamCount: Int { connections.values.count(where: \.isStreaming) }
    /// Bytes that wait for clients to take them.
    package var pendingBytes: Int { connections.values.reduce(0) { $0 + $1.pendingBytes } }

    /// Stops accepting, closes idle connections, and calls back when the last one is gone.
    package func drain(_ completion: @escaping () -> Void) {
        isDraining = true
        listener?.close()
        listener = nil
        onIdle = completion
        for connection in Array(connections.values) { connection.drain() }
        if connections.isEmpty { idle() }
    }

    /// Closes every connection at once.
    package func close() {
        listener?.close()
        listener = nil
        for connection in Array(connections.values) { connection.close() }
    }

    /// Takes a connection; a scarce one has a descriptor that was kept for the time when there are no others, so that it is
    /// to answer one request and end.
    private func accept(_ stream: ByteStream, isScarce: Bool) {
        guard connections.count < limits.connections else {
            refusedConnections += 1
            stream.close()
            return
        }
        var tls: TLSStream?
        if let identity {
            do {
                tls = try TLSStream(identity.context)
            } catch {
                handler.refused(HTTPRefusal(error))
                return stream.close()
            }
        }
        let connection = HTTPConnection(stream, tls, server: self, isScarce: isScarce)
        connections[ObjectIdentifier(connection)] = connection
        connection.start()
    }

    func closed(_ connection: HTTPConnection) {
        connections[ObjectIdentifier(connection)] = nil
        if isDraining, connections.isEmpty { idle() }
    }

    private func idle() {
        let completion = onIdle
        onIdle = nil
        completion?()
    }
}

/// The memory in which the responses of a loop are put together, used again for each.
///
/// A body is composed first, behind a gap; its head, whose length field needs the body's length, goes into the gap.
final class OutputBuffer {
    static let gap = 1024
    private var bytes: [UInt8] = []
    private var head: [UInt8] = []

    /// Composes a response and gives it away in one piece.
    func compose(
        body: (inout [UInt8]) -> Void,
        head composeHead: (_ length: Int, inout [UInt8]) -> Void = { _, _ in },
        write: (Span<UInt8>) -> Void
    ) {
        // Taken out while callers run, so that a response composed inside another gets memory of its own.
        var bytes = take(&self.bytes)
        var head = take(&self.head)
        if bytes.count < Self.gap {
            bytes.append(contentsOf: repeatElement(0, count: Self.gap - bytes.count))
        }
        bytes.removeLast(bytes.count - Self.gap)
        body(&bytes)
        head.removeAll(keepingCapacity: true)
        composeHead(bytes.count - Self.gap, &head)
        if head.count <= Self.gap {
            let start = Self.gap - head.count
            bytes.replaceSubrange(start..<Self.gap, with: head)
            write(bytes.span.extracting(start..<bytes.count))
        } else {
            bytes.replaceSubrange(0..<Self.gap, with: head)
            write(bytes.span)
        }
        if bytes.capacity > 4 << 20 { bytes = [] }
        self.bytes = bytes
        self.head = head
    }

    private func take(_ buffer: inout [UInt8]) -> [UInt8] {
        let taken = buffer
        buffer = []
        return taken
    }
}
