// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import HTTPServer
import HTTPWire
import TestSupport
import Testing

/// A piece of a body; no two neighbours are alike.
private func piece(_ number: Int) -> [UInt8] {
    (0..<8192).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number &* 13 &+ $0 >> 8) }
}

@Suite struct `A body that is taken as it comes` {
    /// The client sends a piece only when the one before it was taken: nothing waits for the rest.
    @Test(arguments: [true, false])
    func `comes in parts that are gone when they were taken`(_ isChunked: Bool) async throws {
        let pieces = 200
        try await withLine(limit: 8192 * pieces) { loop, line in
            try await loop.run {
                let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(8192 * pieces)"
                line.value.send("POST / HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
            }
            for number in 0..<pieces {
                try await loop.run {
                    if isChunked {
                        var chunk: [UInt8] = []
                        let piece = piece(number)
                        HTTPResponseHead.append(chunk: piece.span, to: &chunk)
                        line.value.send(chunk)
                    } else {
                        line.value.send(piece(number))
                    }
                }
                try await loop.wait("piece \(number)") {
                    line.value.handler.received == 8192 * (number + 1)
                }
            }
            if isChunked { try await loop.run { line.value.send("0\r\n\r\n") } }
            try await loop.wait("the answer") { line.value.text.hasSuffix("\r\n\r\n\(8192 * pieces)") }
            try await loop.run {
                let handler = line.value.handler
                #expect(handler.rests == [0])
                #expect(handler.parts.allSatisfy { 1...8192 ~= $0 })
                #expect(handler.sum == (0..<pieces).reduce(0) { Taking.sum(piece($1), from: $0) })
                #expect(handler.refusals.isEmpty)
            }
        }
    }

    @Test func `is followed by the next request`() async throws {
        try await withLine(limit: 10) { loop, line in
            try await loop.run {
                line.value.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
                line.value.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                line.value.send(
                    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"
                )
            }
            try await loop.wait("the last answer") { line.value.text.hasSuffix("\r\n\r\n5") }
            try await loop.run {
                #expect(line.value.handler.rests == [0, 0, 0])
                #expect(line.value.handler.sum == Taking.sum("abcde".utf8))
            }
        }
    }

    @Test func `is refused when its length is above the limit, before any of it was taken`() async throws {
        try await withLine(limit: 10) { loop, line in
            try await loop.run {
                line.value.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nabc")
            }
            try await loop.wait("the refusal") { line.value.text.hasPrefix("HTTP/1.1 413 ") }
            try await loop.run {
                #expect(line.value.handler.parts.isEmpty)
                #expect(line.value.handler.refusals == [413])
            }
        }
    }

    @Test func `is refused in chunks as soon as it is above the limit`() async throws {
        try await withLine(limit: 10) { loop, line in
            try await loop.run {
                line.value.send(
                    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n"
                )
            }
            try await loop.wait("the first chunk") { line.value.handler.received == 6 }
            try await loop.run { line.value.send("6\r\nghijkl\r\n") }
            try await loop.wait("the refusal") { line.value.text.hasPrefix("HTTP/1.1 413 ") }
            try await loop.run {
                #expect(line.value.handler.received <= 10)
                #expect(line.value.handler.rests.isEmpty)
                #expect(line.value.handler.vanished == 1)
                #expect(line.value.handler.refusals == [413])
            }
        }
    }

    @Test func `ends with its client`() async throws {
        try await withLine(limit: 100) { loop, line in
            try await loop.run {
                line.value.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nabc")
            }
            try await loop.wait("the beginning") { line.value.handler.received == 3 }
            try await loop.run { line.value.leave() }
            try await loop.wait("the news") { line.value.handler.vanished == 1 }
            try await loop.run { #expect(line.value.handler.rests.isEmpty) }
        }
    }
}
