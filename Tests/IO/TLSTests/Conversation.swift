// Gatehouse. SPDX-License-Identifier: MIT

import TLS
import TestSupport

/// A server's and a client's end, and what goes between them in pieces of a given size.
final class Conversation {
    let client: TLSClient
    let server: TLSStream
    private let piece: Int
    /// What the server decrypted.
    private(set) var received: [UInt8] = []
    /// What the server's end said last.
    private(set) var progress = TLSStream.Progress.open
    private var toClient: [UInt8] = []

    convenience init(
        _ settings: TLSSettings,
        _ client: TLSClient.Settings = TLSClient.Settings(),
        piece: Int = 65_536
    ) throws {
        try self.init(TLSContext(settings), client, piece: piece)
    }

    init(
        _ context: TLSContext,
        _ client: TLSClient.Settings = TLSClient.Settings(),
        piece: Int = 65_536
    ) throws {
        server = try TLSStream(context)
        self.client = try TLSClient(client)
        self.piece = piece
    }

    /// Carries everything to the other side until nobody has anything to say.
    func settle() {
        while true {
            let toServer = client.takeOutput()
            deliver(toServer)
            let bytes = toClient
            toClient = []
            client.receive(bytes)
            if toServer.isEmpty, bytes.isEmpty { return }
        }
    }

    /// Gives bytes to the server's end as they come from a socket.
    func deliver(_ bytes: [UInt8]) {
        var start = 0
        while start < bytes.count {
            let part = Array(bytes[start..<min(start + piece, bytes.count)])
            start += part.count
            progress = server.receive(part.span) {
                keep($0)
            } take: { bytes in
                for index in bytes.indices { received.append(bytes[index]) }
                return true
            }
        }
    }

    func write(_ bytes: [UInt8]) {
        _ = server.write(bytes.span) { keep($0) }
    }

    func endWriting() {
        server.endWriting { keep($0) }
    }

    var failure: TLSFailure? {
        if case .failed(let failure) = progress { return failure }
        return nil
    }

    private func keep(_ bytes: Span<UInt8>) {
        for index in bytes.indices { toClient.append(bytes[index]) }
    }
}

extension TLSSettings {
    init(_ files: Certificates) {
        self.init(certificate: files.certificate, key: files.key)
    }
}
