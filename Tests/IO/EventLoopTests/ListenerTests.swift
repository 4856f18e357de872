// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import Glibc
import TestSupport
import Testing

@Suite struct `A TCP listener` {
    @Test(arguments: ["127.0.0.1", "localhost", "::1"])
    func `says where it listens`(_ host: String) async throws {
        try await withLoop { loop in
            try await loop.run {
                let listener = try TCPListener(loop, host: host, port: 0) { $0.close() }
                #expect(listener.address == (host == "localhost" ? "127.0.0.1" : host))
                #expect(listener.port != 0)
                listener.close()
                listener.close()
            }
        }
    }

    @Test(arguments: ["example.com", "", "127.0.0.1\u{0}", "127.1", "300.0.0.1"])
    func `takes literals only`(_ host: String) async throws {
        try await withLoop { loop in
            try await loop.run {
                #expect(throws: IOFailure.self) { try TCPListener(loop, host: host, port: 0) { $0.close() } }
            }
        }
    }

    @Test func `refuses a port that is taken`() async throws {
        try await withLoop { loop in
            try await loop.run {
                let listener = try TCPListener(loop, host: "localhost", port: 0) { $0.close() }
                let failure = #expect(throws: IOFailure.self) {
                    try TCPListener(loop, host: "localhost", port: listener.port) { $0.close() }
                }
                #expect(failure?.code == EADDRINUSE)
                #expect(
                    failure?.description == "listen on localhost:\(listener.port): address already in use"
                )
                listener.close()
            }
        }
    }

    @Test func `shares its port when asked to`() async throws {
        try await withLoop { loop in
            try await loop.run {
                let one = try TCPListener(loop, host: "localhost", port: 0, sharesPort: true) { $0.close() }
                let two = try TCPListener(loop, host: "localhost", port: one.port, sharesPort: true) {
                    $0.close()
                }
                #expect(two.port == one.port)
                one.close()
                two.close()
            }
        }
    }

    @Test func `leaves connections waiting while it is paused`() async throws {
        try await withLoop { loop in
            let state = try await loop.run {
                let state = State()
                let listener = try TCPListener(loop, host: "localhost", port: 0) { state.streams.append($0) }
                state.listener = listener
                listener.pause()
                state.client = try connectLoopback(listener.port)
                return LoopBound(state, loop)
            }
            // Another connection, to a listener that accepts, shows that the loop had its chance.
            let other = try await loop.run {
                let other = State()
                let listener = try TCPListener(loop, host: "localhost", port: 0) { other.streams.append($0) }
                other.listener = listener
                other.client = try connectLoopback(listener.port)
                return LoopBound(other, loop)
            }
            try await loop.wait("the other connection") { other.value.streams.count == 1 }
            try await loop.run {
                #expect(state.value.streams.isEmpty)
                state.value.listener?.resume()
            }
            try await loop.wait("the connection") { state.value.streams.count == 1 }
            try await loop.run {
                state.value.end()
                other.value.end()
            }
        }
    }

    @Test func `drops connections instead of spinning when there are no descriptors, and recovers`() async {
        await #expect(processExitsWith: .success) {
            try await withLoop { loop in
                let state = try await loop.run {
                    let state = State()
                    let listener = try TCPListener(loop, host: "localhost", port: 0) {
                        state.streams.append($0)
                    }
                    state.listener = listener
                    listener.pause()
                    state.client = try connectLoopback(listener.port)
                    var old = rlimit()
                    getrlimit(.init(RLIMIT_NOFILE.rawValue), &old)
                    var lowered = old
                    let next = dup(0)
                    close(next)
                    lowered.rlim_cur = rlim_t(next)
                    setrlimit(.init(RLIMIT_NOFILE.rawValue), &lowered)
                    state.limit = old
                    listener.resume()
                    return LoopBound(state, loop)
                }
                try await loop.wait("the drop") { state.value.listener?.droppedConnections == 1 }
                try await loop.run {
                    // The client sees the end.
                    var byte: UInt8 = 0
                    #expect(read(state.value.client, &byte, 1) <= 0)
                    #expect(state.value.streams.isEmpty)
                    setrlimit(.init(RLIMIT_NOFILE.rawValue), &state.value.limit)
                    close(state.value.client)
                    let port = try #require(state.value.listener?.port)
                    state.value.client = try connectLoopback(port)
                }
                try await loop.wait("the next connection") { state.value.streams.count == 1 }
                try await loop.run { state.value.end() }
            }
        }
    }

    @Test func `hands a few connections over when there are no descriptors, and takes all again later`() async
    {
        await #expect(processExitsWith: .success) {
            try await withLoop { loop in
                let state = try await loop.run {
                    let state = State()
                    let listener = try TCPListener(
                        loop,
                        host: "localhost",
                        port: 0,
                        onScarce: { state.scarce.append($0) }
                    ) {
                        state.streams.append($0)
                    }
                    state.listener = listener
                    listener.pause()
                    state.clients = try (0..<12).map { _ in try connectLoopback(listener.port) }
                    getrlimit(.init(RLIMIT_NOFILE.rawValue), &state.limit)
                    var lowered = state.limit
                    let next = dup(0)
                    close(next)
                    lowered.rlim_cur = rlim_t(next)
                    setrlimit(.init(RLIMIT_NOFILE.rawValue), &lowered)
                    listener.resume()
                    return LoopBound(state, loop)
                }
                try await loop.wait("the rest is dropped") { state.value.listener?.droppedConnections == 4 }
                try await loop.run {
                    #expect(state.value.scarce.count == 8)
                    #expect(state.value.streams.isEmpty)
                    for stream in state.value.scarce { stream.close() }
                    setrlimit(.init(RLIMIT_NOFILE.rawValue), &state.value.limit)
                    for client in state.value.clients { close(client) }
                    let port = try #require(state.value.listener?.port)
                    state.value.client = try connectLoopback(port)
                }
                try await loop.wait("the next connection") { state.value.streams.count == 1 }
                try await loop.run { state.value.end() }
            }
        }
    }

    /// The port is free again, which it would not be while the old listener has it.
    ///
    /// Somebody else may be given it in between, but hardly every time.
    @Test func `closes its descriptor when its loop ends`() async throws {
        var failures: [any Error] = []
        for _ in 0..<5 {
            let port = try await withLoop { loop in
                try await loop.run { try TCPListener(loop, host: "localhost", port: 0) { $0.close() }.port }
            }
            do {
                try await withLoop { loop in
                    try await loop.run {
                        try TCPListener(loop, host: "localhost", port: port) { $0.close() }.close()
                    }
                }
                return
            } catch {
                failures.append(error)
            }
        }
        Issue.record("the port was taken each time: \(failures)")
    }

    private final class State {
        var limit = rlimit()
        var listener: TCPListener?
        var streams: [ByteStream] = []
        var scarce: [ByteStream] = []
        var clients: [Int32] = []
        var client: Int32 = -1

        func end() {
            listener?.close()
            for stream in streams { stream.close() }
            close(client)
        }
    }
}
