// Gatehouse. SPDX-License-Identifier: MIT

import Addresses
import Bytes
import Egress
import EventLoop
import TestSupport
import Testing

@testable import HTTPClient

private let hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

@Suite("What the HTTP client may reach")
struct EgressTests {
    private static func rules(_ ranges: String...) -> EgressRules {
        EgressRules(allow: ranges.compactMap { AddressRange($0).map { .range($0) } })
    }

    @Test func `a URL that must not be asked is refused before anything is looked up`() async throws {
        try await withLoop { loop in
            try await loop.run {
                let server = try ScriptedServer(loop, text: hello)
                let client = try HTTPClient(loop, egress: EgressRules())
                let error = #expect(throws: HTTPClientFailure.self) {
                    try client.start(HTTPRequest(method: "GET", url: server.url), delegate: Recorder())
                }
                #expect(error?.kind == .forbidden)
                #expect(
                    error?.description == "gateway.egress does not allow 127.0.0.1: loopback, 127.0.0.0/8"
                )
                #expect(server.connections.isEmpty)
                client.close()
            }
        }
    }

    @Test func `a name is asked about at the socket, and nobody is connected to`() async throws {
        // This lets the name be looked up; the server listens at another address of this machine.
        let rules = Self.rules("::1")
        try await withLoop { loop in
            let bench = try await loop.run {
                let bench = try Bench(ScriptedServer(loop, text: hello), loop)
                bench.client.egress = rules
                bench.transfer = try bench.client.start(
                    HTTPRequest(method: "GET", url: "http://localhost:\(bench.server.port)/"),
                    delegate: bench.recorder
                )
                return LoopBound(bench, loop)
            }
            try await loop.wait("the end") { !bench.value.recorder.ends.isEmpty }
            try await loop.run {
                #expect(bench.value.recorder.kind == .forbidden)
                #expect(bench.value.server.connections.isEmpty)
                bench.value.client.close()
            }
        }
    }

    @Test func `an address that is allowed is reached`() async throws {
        try await withLoop { loop in
            let bench = try await loop.run {
                let bench = try Bench(ScriptedServer(loop, text: hello), loop)
                bench.client.egress = Self.rules("127.0.0.0/8")
                try bench.start()
                return LoopBound(bench, loop)
            }
            try await loop.wait("the end") { !bench.value.recorder.ends.isEmpty }
            try await loop.run {
                #expect(bench.value.recorder.text == "hello")
                bench.value.client.close()
            }
        }
    }

    @Test func `a connection that is used again is asked about too`() async throws {
        try await withLoop { loop in
            let bench = try await loop.run {
                let bench = try Bench(ScriptedServer(loop, text: hello), loop)
                bench.client.egress = Self.rules("127.0.0.0/8")
                try bench.start()
                return LoopBound(bench, loop)
            }
            try await loop.wait("the first end") { bench.value.recorder.ends.count == 1 }
            try await loop.run {
                try bench.value.start()
                // The URL has passed; only the callbacks of the second request see this.
                bench.value.client.egress = Self.rules("10.0.0.0/8")
            }
            try await loop.wait("the second end") { bench.value.recorder.ends.count == 2 }
            try await loop.run {
                #expect(bench.value.recorder.kind == nil)
                #expect(bench.value.recorder.ends.last??.kind == .forbidden)
                #expect(bench.value.server.requests.count == 1)
                #expect(bench.value.server.connections.count == 1)
                bench.value.client.close()
            }
        }
    }

    @Test func `a name that leads to this machine the second time gains nothing`() async throws {
        try await withLoop { loop in
            try await loop.run {
                let client = try HTTPClient(loop, egress: EgressRules())
                let request = HTTPRequest(method: "GET", url: "https://rebinding.example/")
                let transfer = try HTTPTransfer(request, Recorder(), client)
                #expect(transfer.mayConnect(to: IPAddress("1.1.1.1")))
                #expect(!transfer.mayConnect(to: IPAddress("127.0.0.1")))
                #expect(transfer.maySend(to: IPAddress("1.1.1.1")))
                #expect(!transfer.maySend(to: IPAddress("::ffff:7f00:1")))
                #expect(!transfer.mayConnect(to: nil))
                client.close()
            }
        }
    }
}
