// Gatehouse. SPDX-License-Identifier: MIT

import TLS
import TestSupport
import Testing

/// Bytes of which no two neighbours are alike.
private func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
}

@Suite struct `The server's end of TLS` {
    private let files: Certificates

    init() throws { files = try Certificates() }

    @Test func `speaks 1.3 with who can, and 1.2 with who cannot`() throws {
        let newest = try Conversation(TLSSettings(files))
        newest.settle()
        #expect(newest.client.isEstablished && newest.server.isEstablished)
        #expect(newest.server.version == "TLSv1.3")
        var old = TLSClient.Settings()
        old.newest = TLSClient.Settings.v1_2
        let older = try Conversation(TLSSettings(files), old)
        older.settle()
        #expect(older.client.isEstablished && older.client.version == "TLSv1.2")
    }

    @Test func `does not speak 1.1, nor 1.2 where 1.3 is the least`() throws {
        var old = TLSClient.Settings()
        old.newest = TLSClient.Settings.v1_1
        let oldest = try Conversation(TLSSettings(files), old)
        oldest.settle()
        #expect(oldest.failure?.description == "unsupported protocol")
        #expect(oldest.client.hasFailed && !oldest.client.isEstablished)
        old.newest = TLSClient.Settings.v1_2
        var strict = TLSSettings(files)
        strict.minimumVersion = .v1_3
        let older = try Conversation(strict, old)
        older.settle()
        #expect(older.failure?.description == "unsupported protocol")
    }

    @Test(arguments: [
        (["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1"), ([], ""),
    ])
    func `agrees on HTTP/1.1 (RFC 7301)`(_ offered: [String], _ chosen: String) throws {
        var settings = TLSClient.Settings()
        settings.protocols = offered
        let talk = try Conversation(TLSSettings(files), settings)
        talk.settle()
        #expect(talk.client.isEstablished && talk.client.selectedProtocol == chosen)
    }

    @Test func `has nothing to say to a client that does not offer HTTP/1.1`() throws {
        var settings = TLSClient.Settings()
        settings.protocols = ["h2", "http/1.0"]
        let talk = try Conversation(TLSSettings(files), settings)
        talk.settle()
        #expect(talk.failure != nil && talk.client.hasFailed)
    }

    @Test(arguments: [1, 7, 1_000, 65_536], [TLSClient.Settings.v1_2, TLSClient.Settings().newest])
    func `carries a mebibyte both ways, in pieces of any size`(_ piece: Int, _ version: Int32) throws {
        var settings = TLSClient.Settings()
        settings.newest = version
        let talk = try Conversation(TLSSettings(files), settings, piece: piece)
        talk.settle()
        let bytes = pattern(1 << 20)
        talk.client.write(bytes)
        talk.settle()
        #expect(talk.received == bytes)
        talk.write(bytes)
        talk.settle()
        #expect(talk.client.received == bytes)
        #expect(talk.progress == .open)
    }

    @Test func `ends in order from either side`() throws {
        let ended = try Conversation(TLSSettings(files))
        ended.settle()
        ended.client.write([1, 2, 3])
        ended.client.endWriting()
        ended.settle()
        #expect(ended.received == [1, 2, 3])
        #expect(ended.progress == .ended)
        let ending = try Conversation(TLSSettings(files))
        ending.settle()
        ending.write([4, 5])
        ending.endWriting()
        ending.write([6])
        ending.settle()
        #expect(ending.client.received == [4, 5])
        #expect(ending.client.isEnded && !ending.client.hasFailed)
    }

    @Test func `says nothing before the handshake is over`() throws {
        let talk = try Conversation(TLSSettings(files))
        talk.write([1, 2, 3])
        talk.endWriting()
        talk.settle()
        #expect(talk.client.isEstablished)
        #expect(talk.client.received == [])
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n\r\n", "POST /mcp HTTP/1.1\r\n", "HEAD / HTTP/1.0\r\n\r\n"])
    func `knows plain HTTP when it sees it`(_ text: String) throws {
        let talk = try Conversation(TLSSettings(files))
        talk.deliver(Array(text.utf8))
        #expect(talk.failure?.isPlainHTTP == true)
    }

    /// Seeded, so that what fails can be seen again.
    @Test func `takes no harm from garbage, before the handshake or in it or after it`() throws {
        var seed: UInt64 = 42
        func next() -> UInt64 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return seed >> 33
        }
        let context = try TLSContext(TLSSettings(files))
        for round in 0..<200 {
            let talk = try Conversation(context, piece: 1 + Int(next() % 300))
            if round % 3 == 1 { talk.settle() }
            var bytes = round % 3 == 2 ? talk.client.takeOutput() : []
            for _ in 0...next() % 600 { bytes.append(UInt8(truncatingIfNeeded: next())) }
            if round % 3 == 2 { bytes[Int(next() % 100)] ^= UInt8(1 + next() % 255) }
            talk.deliver(bytes)
            #expect(talk.received == [])
            #expect(talk.progress != .ended)
        }
        let good = try Conversation(context)
        good.settle()
        good.client.write([9])
        good.settle()
        #expect(good.received == [9])
    }

    @Test func `notices a record that was changed on its way`() throws {
        let talk = try Conversation(TLSSettings(files))
        talk.settle()
        talk.client.write(pattern(1000))
        var bytes = talk.client.takeOutput()
        bytes[500] ^= 1
        talk.deliver(bytes)
        #expect(talk.received == [])
        #expect(talk.failure?.description == "decryption failed or bad record mac")
        talk.deliver([1, 2, 3])
        #expect(talk.failure?.description == "decryption failed or bad record mac")
    }
}
