// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import Glibc
import TestSupport
import Testing

/// Two streams that are connected to each other, and who listens to them.
private final class Pair {
    let near: ByteStream
    let far: ByteStream
    let nearSide = Recorder()
    let farSide = Recorder()

    init(_ loop: EventLoop) throws {
        let (one, other) = try socketPair()
        near = try ByteStream(adopting: one, kind: .pipe, loop: loop)
        far = try ByteStream(adopting: other, kind: .pipe, loop: loop)
        near.delegate = nearSide
        far.delegate = farSide
    }
}

/// Bytes that do not repeat soon, so that a lost or doubled part shows.
private func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &+ $0 >> 16) }
}

@Suite struct `A byte stream` {
    @Test func `echoes over TCP, several MiB both ways, and then ends`() async throws {
        try await withLoop { loop in
            let sent = pattern(3 << 20)
            let client = try await loop.run {
                let echo = Recorder()
                echo.keeps = false
                echo.onBytes = { bytes, stream in stream.write(bytes) }
                echo.onEnd = { $0.closeAfterWriting() }
                var listener: TCPListener?
                listener = try TCPListener(loop, host: "localhost", port: 0) { stream in
                    stream.delegate = echo
                    stream.startReading()
                    listener?.close()
                    listener = nil
                }
                let port = try #require(listener?.port)
                let recorder = Recorder()
                let stream = try ByteStream(adopting: connectLoopback(port), kind: .tcp, loop: loop)
                #expect(stream.peerAddress == "127.0.0.1")
                #expect(stream.peerPort == port)
                stream.delegate = recorder
                stream.startReading()
                for start in stride(from: 0, to: sent.count, by: 100_000) {
                    stream.write(sent[start..<min(start + 100_000, sent.count)].span)
                }
                stream.endWriting()
                return LoopBound((stream: stream, recorder: recorder), loop)
            }
            try await loop.wait("the echo ends") { !client.value.recorder.ends.isEmpty }
            try await loop.run {
                #expect(client.value.recorder.bytes == sent)
                #expect(client.value.recorder.ends == [nil])
                client.value.stream.close()
            }
        }
    }

    @Test func `gathers what is written in one turn, and keeps the order`() async throws {
        try await withLoop { loop in
            let sent = pattern(200_000)
            let pair = try await loop.run {
                let pair = try Pair(loop)
                pair.far.startReading()
                pair.near.gather(sent[0..<10].span)
                pair.near.gather(sent[10..<30].span)
                #expect(pair.near.pendingBytes == 30)
                pair.near.write(sent[30..<100].span)
                #expect(pair.near.pendingBytes == 0)
                // Past the limit of what is gathered, and past what the peer takes at once.
                for start in stride(from: 100, to: sent.count, by: 10_000) {
                    pair.near.gather(sent[start..<min(start + 10_000, sent.count)].span)
                }
                pair.near.endWriting()
                return LoopBound(pair, loop)
            }
            try await loop.wait("the end comes") { !pair.value.farSide.ends.isEmpty }
            try await loop.run {
                #expect(pair.value.farSide.bytes == sent)
                // What is gathered after the end, or by a stream that is closed, goes nowhere.
                pair.value.near.gather(sent[0..<10].span)
                #expect(pair.value.near.pendingBytes == 0)
                pair.value.far.gather(sent[0..<10].span)
                #expect(pair.value.far.pendingBytes == 10)
                pair.value.far.close()
                #expect(pair.value.far.pendingBytes == 0)
                pair.value.near.close()
            }
        }
    }

    @Test func `holds back a fast writer while its reader has stopped`() async throws {
        try await withLoop { loop in
            let sent = pattern(2 << 20)
            let pair = try await loop.run {
                let pair = try Pair(loop)
                pair.farSide.onBytes = { _, stream in stream.stopReading() }
                pair.far.startReading()
                pair.near.write(sent.span)
                return LoopBound(pair, loop)
            }
            try await loop.wait("the first bytes come") { !pair.value.farSide.bytes.isEmpty }
            try await loop.run {
                #expect(pair.value.near.pendingBytes > 0)
                #expect(pair.value.near.takenLate == 0)
                #expect(pair.value.nearSide.drains == 0)
                #expect(pair.value.farSide.bytes.count <= 65536)
                pair.value.farSide.onBytes = { _, _ in }
                pair.value.far.startReading()
            }
            try await loop.wait("the writer sees that the reader reads") {
                pair.value.near.takenLate > 0 || pair.value.nearSide.drains == 1
            }
            try await loop.wait("the rest comes") { pair.value.farSide.bytes.count == sent.count }
            try await loop.wait("the writer hears of it") { pair.value.nearSide.drains == 1 }
            try await loop.run {
                #expect(pair.value.farSide.bytes == sent)
                #expect(pair.value.near.pendingBytes == 0)
                pair.value.near.close()
                pair.value.far.close()
            }
        }
    }

    @Test(arguments: [7, 100_000, 700_000])
    func `gives what its delegate has not taken again, with what comes next`(_ length: Int) async throws {
        try await withLoop { loop in
            let sent = pattern(3 * length + 5)
            let pair = try await loop.run {
                let pair = try Pair(loop)
                pair.farSide.keeps = false
                // Takes whole records only, and the last bytes as they are.
                pair.farSide.onBytes = { bytes, stream in
                    let rest = bytes.count / length * length
                    pair.farSide.bytes.append(bytes, 0..<rest)
                    stream.keep(from: rest)
                }
                pair.far.startReading()
                for start in stride(from: 0, to: sent.count, by: 33_000) {
                    pair.near.write(sent[start..<min(start + 33_000, sent.count)].span)
                }
                pair.near.endWriting()
                return LoopBound(pair, loop)
            }
            try await loop.wait("the end comes") { !pair.value.farSide.ends.isEmpty }
            try await loop.run {
                let taken = pair.value.farSide.bytes
                #expect(taken.count == sent.count / length * length)
                pair.value.farSide.onBytes = { _, _ in }
                pair.value.farSide.keeps = true
                // What nobody keeps is gone, and is not given twice.
                pair.value.far.readKept()
                pair.value.far.readKept()
                #expect(pair.value.farSide.bytes == sent)
                pair.value.near.close()
                pair.value.far.close()
                pair.value.far.readKept()
                #expect(pair.value.farSide.bytes == sent)
            }
        }
    }

    @Test func `may be closed out of a call that keeps bytes`() async throws {
        try await withLoop { loop in
            let pair = try await loop.run {
                let pair = try Pair(loop)
                pair.farSide.onBytes = { bytes, stream in
                    stream.keep(from: 0)
                    if bytes.count > 200_000 { stream.close() }
                }
                pair.far.startReading()
                pair.near.write(pattern(300_000).span)
                return LoopBound(pair, loop)
            }
            try await loop.wait("it has enough") { pair.value.far.isClosed }
            try await loop.run {
                #expect(pair.value.farSide.ends.isEmpty)
                pair.value.near.close()
            }
        }
    }

    @Test func `keeps the order of small and large writes, in one or two pieces`() async throws {
        try await withLoop { loop in
            let large = pattern(700_000)
            var expected: [UInt8] = []
            for _ in 0..<3 {
                expected += [1, 2, 3]
                expected += large
                expected += [4]
                expected += large
            }
            let whole = expected
            let pair = try await loop.run {
                let pair = try Pair(loop)
                for _ in 0..<3 {
                    pair.near.write([1, 2, 3].span)
                    pair.near.write([UInt8]().span, large.span)
                    pair.near.write([4].span, large.span)
                }
                #expect(pair.near.pendingBytes > 0)
                pair.near.endWriting()
                pair.near.write([9].span)
                pair.far.startReading()
                return LoopBound(pair, loop)
            }
            try await loop.wait("the end") { pair.value.farSide.ends == [nil] }
            try await loop.run {
                #expect(pair.value.farSide.bytes == whole)
                // The other direction is still open.
                pair.value.near.startReading()
                pair.value.far.write([7].span)
            }
            try await loop.wait("the answer") { pair.value.nearSide.bytes == [7] }
            try await loop.run {
                pair.value.near.close()
                pair.value.far.close()
            }
        }
    }

    @Test func `may be closed while it hands over bytes, and is silent afterwards`() async throws {
        try await withLoop { loop in
            let pair = try await loop.run {
                let pair = try Pair(loop)
                pair.farSide.onBytes = { _, stream in
                    stream.write([1].span)
                    stream.close()
                    stream.close()
                    stream.write([2].span)
                    stream.startReading()
                }
                pair.far.startReading()
                pair.near.startReading()
                pair.near.write(pattern(300_000).span)
                return LoopBound(pair, loop)
            }
            try await loop.wait("the other side ends") { !pair.value.nearSide.ends.isEmpty }
            try await loop.run {
                #expect(pair.value.far.isClosed)
                #expect(pair.value.farSide.bytes.count <= 65536)
                #expect(pair.value.farSide.ends.isEmpty)
                #expect(pair.value.far.pendingBytes == 0)
                pair.value.near.close()
            }
        }
    }

    @Test func `reports a write error once, and not from within the write`() async throws {
        try await withLoop { loop in
            let pair = try await loop.run {
                let pair = try Pair(loop)
                pair.far.close()
                return LoopBound(pair, loop)
            }
            try await loop.run {
                pair.value.near.write([1].span)
                pair.value.near.write([2].span)
                #expect(pair.value.nearSide.ends.isEmpty)
            }
            try await loop.wait("the error") { !pair.value.nearSide.ends.isEmpty }
            try await loop.run {
                #expect(pair.value.nearSide.ends.map { $0?.code } == [EPIPE])
                pair.value.near.write([3].span)
                pair.value.near.close()
            }
        }
    }

    @Test func `tells a writer that waits after end of file when writing fails`() async throws {
        try await withLoop { loop in
            let pair = try await loop.run {
                let pair = try Pair(loop)
                pair.near.startReading()
                pair.far.endWriting()
                return LoopBound(pair, loop)
            }
            try await loop.wait("end of file") { pair.value.nearSide.ends == [nil] }
            try await loop.run {
                pair.value.near.write(pattern(1 << 20).span)
                #expect(pair.value.near.pendingBytes > 0)
                pair.value.far.close()
            }
            try await loop.wait("the drain") { pair.value.nearSide.drains == 1 }
            try await loop.run {
                #expect(pair.value.nearSide.ends == [nil])
                #expect(pair.value.near.failure != nil)
                #expect(pair.value.near.pendingBytes == 0)
                pair.value.near.close()
            }
        }
    }

    @Test func `closes a pipe's write end when it ends writing`() async throws {
        try await withLoop { loop in
            let sent = pattern(500_000)
            let pair = try await loop.run {
                var ends: [Int32] = [-1, -1]
                try #require(pipe(&ends) == 0)
                let reader = try ByteStream(adopting: ends[0], kind: .pipe, loop: loop)
                let writer = try ByteStream(adopting: ends[1], kind: .pipe, loop: loop)
                let recorder = Recorder()
                reader.delegate = recorder
                reader.startReading()
                writer.write(sent.span)
                writer.endWriting()
                #expect(!writer.isClosed)
                return LoopBound((reader: reader, writer: writer, recorder: recorder), loop)
            }
            try await loop.wait("the end") { pair.value.recorder.ends == [nil] }
            try await loop.run {
                #expect(pair.value.writer.isClosed)
                #expect(pair.value.recorder.bytes == sent)
                pair.value.reader.close()
            }
        }
    }

    @Test func `refuses what cannot be polled, and closes it`() async throws {
        try await withLoop { loop in
            try await loop.run {
                #expect(throws: IOFailure.self) {
                    try ByteStream(adopting: open("/dev/null", O_RDWR), kind: .pipe, loop: loop)
                }
                let descriptor = open(#filePath, O_RDONLY)
                var file = stat()
                try #require(fstat(descriptor, &file) == 0)
                #expect(throws: IOFailure.self) {
                    try ByteStream(adopting: descriptor, kind: .pipe, loop: loop)
                }
                // Another test may have got the number by now, but not the file.
                var now = stat()
                #expect(fstat(descriptor, &now) != 0 || now.st_ino != file.st_ino)
            }
        }
    }

    @Test func `is closed when its loop ends`() async throws {
        let descriptors = try await withLoop { loop in
            try await loop.run {
                let (one, other) = try socketPair()
                let stream = try ByteStream(adopting: one, kind: .pipe, loop: loop)
                stream.delegate = Recorder()
                stream.startReading()
                return [one, other]
            }
        }
        // The peer sees the end.
        var byte: UInt8 = 0
        #expect(read(descriptors[1], &byte, 1) == 0)
        close(descriptors[1])
    }
}
