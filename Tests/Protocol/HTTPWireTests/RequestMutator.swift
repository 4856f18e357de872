// Gatehouse. SPDX-License-Identifier: MIT

/// Makes requests that are nearly right: the same ones for the same seed.
struct RequestMutator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    private static let seeds = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /mcp?x=1 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
        "POST /mcp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\n\r\n",
        "GET http://a/b HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
        "PUT /x HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab",
        "DELETE /s HTTP/1.1\r\nHost: [::1]:8\r\nMcp-Session-Id: 1\r\nExpect: 100-continue\r\n\r\n",
    ]

    private static let pieces = [
        "\r", "\n", "\r\n", " ", "\t", "\0", ":", ",", ";", "0", "1", "f", "\u{7F}", "é", "/", "?", "#", "%",
        "\"",
        "\\", "@", "a", "Z", "-", "_", "{", "|", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n",
        "Host: a\r\n", "X: y\r\n", "close", "keep-alive", "chunked", "0\r\n\r\n", "HTTP/1.0",
        "Connection: upgrade\r\n",
        "Upgrade: h2c\r\n", "*", "http://a", "+", "x",
    ]

    /// One of the seeds, or two in a row, with up to three places changed.
    mutating func next() -> [UInt8] {
        var bytes = Array(pick(Self.seeds).utf8)
        if below(4) == 0 { bytes += Array(pick(Self.seeds).utf8) }
        for _ in 0...below(3) { mutate(&bytes) }
        return bytes
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let place = below(bytes.count)
        switch below(6) {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random())
        case 1: bytes.remove(at: place)
        case 2, 3: bytes.insert(contentsOf: Array(pick(Self.pieces).utf8), at: place)
        case 4:
            let piece = Array(pick(Self.pieces).utf8)
            bytes.replaceSubrange(place..<min(place + piece.count, bytes.count), with: piece)
        default:
            // A line once more, or a piece put where a line starts.
            let ends = bytes.indices.filter { bytes[$0] == 10 }
            guard !ends.isEmpty else { return }
            let start = ends[below(ends.count)] + 1
            let piece =
                below(2) == 0
                ? Array(bytes[start...].prefix { $0 != 10 }) + [10] : Array(pick(Self.pieces).utf8)
            bytes.insert(contentsOf: piece, at: start)
        }
        if bytes.isEmpty { bytes = [10] }
    }

    private mutating func pick(_ texts: [String]) -> String {
        texts[below(texts.count)]
    }

    private mutating func below(_ bound: Int) -> Int {
        Int(random() % UInt64(bound))
    }

    /// SplitMix64.
    private mutating func random() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
