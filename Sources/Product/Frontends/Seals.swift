// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Crypto
import JSON
import MCPCore
import Sessions

/// Cursors as clients see them: the server's own, sealed, so that one is only good for whom and for what it was given.
struct CursorSeal {
    let sealer: Sealer
    let purpose: String

    init(_ sealer: Sealer, server: String, principal: Principal, method: Method) {
        self.sealer = sealer
        purpose = "cursor|\(server)|\(method.rawValue)|\(principal.key)"
    }

    /// The client's cursor as a JSON string, for the server's.
    func seal(_ cursor: [UInt8]) -> [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "\"")]
        text.append(contentsOf: sealer.seal(cursor, purpose: purpose))
        text.append(UInt8(ascii: "\""))
        return text
    }

    /// The server's cursor as a JSON string, for the client's; nil if we did not make it.
    func open(_ cursor: [UInt8]) -> [UInt8]? {
        guard let inner = sealer.open(cursor, purpose: purpose) else { return nil }
        var text: [UInt8] = []
        text.append(json: inner)
        return text
    }
}

/// The parameters that make two requests the same, so that an answer to one cannot be used for another.
///
/// They are kept as they are, and only hashed when a server asks for input, which few calls come to; those that there is no
/// room to keep are hashed at once.
struct ParametersMark {
    private var kept: [UInt8] = []
    private var isHashed = false

    /// Marks the parameters of a request, keeping no more than `room` bytes.
    init(_ message: Message, _ bytes: Span<UInt8>, room: Int) {
        let params = message.params
        kept.reserveCapacity(params.name.slice.count + params.uri.slice.count + params.arguments.count + 32)
        kept.append(message.method.rawValue)
        for slice in [params.name.slice, params.uri.slice, params.arguments] {
            kept.append(UInt8(ascii: "|"))
            kept.append(decimal: slice.count)
            kept.append(UInt8(ascii: ":"))
            kept.append(bytes, slice.range)
        }
        guard kept.count > room else { return }
        kept = SHA256.hash(kept)
        isHashed = true
    }

    /// Bytes that it holds.
    var size: Int { kept.count }

    /// The hash of the parameters: 32 bytes.
    var digest: [UInt8] { isHashed ? kept : SHA256.hash(kept) }
}

/// A `requestState` as clients see it (2026-07-28, "Multi Round-Trip Requests"): sealed, expiring, and good only for the
/// principal and the request that it was given to.
///
/// Inside is the server's own state, if it gave one, and the number of the conversation to go back to.
struct RequestState {
    /// The conversation that the next round should reach.
    var instance: UInt64
    /// The server's own state, unescaped; nil if it gave none.
    var inner: [UInt8]?

    private static func purpose(server: String, principal: Principal) -> String {
        "requestState|\(server)|\(principal.key)"
    }

    /// The state as a JSON string.
    func sealed(
        _ sealer: Sealer,
        server: String,
        principal: Principal,
        digest: [UInt8],
        expires: UInt64
    ) -> [UInt8] {
        var plain: [UInt8] = []
        plain.append(bigEndian: expires)
        plain.append(bigEndian: instance)
        plain.append(contentsOf: digest)
        plain.append(inner == nil ? 0 : 1)
        plain.append(contentsOf: inner ?? [])
        var text: [UInt8] = [UInt8(ascii: "\"")]
        text.append(
            contentsOf: sealer.seal(plain, purpose: Self.purpose(server: server, principal: principal))
        )
        text.append(UInt8(ascii: "\""))
        return text
    }

    /// Opens what a client gave back; nil if we did not make it, not for this request, or too long ago.
    init?(
        _ text: [UInt8],
        _ sealer: Sealer,
        server: String,
        principal: Principal,
        digest: [UInt8],
        now: UInt64
    ) {
        guard let plain = sealer.open(text, purpose: Self.purpose(server: server, principal: principal)),
            plain.count >= 49, UInt64(bigEndian: plain[0..<8]) > now, Array(plain[16..<48]) == digest
        else { return nil }
        instance = UInt64(bigEndian: plain[8..<16])
        inner = plain[48] == 1 ? Array(plain[49...]) : nil
    }

    init(instance: UInt64, inner: [UInt8]?) {
        self.instance = instance
        self.inner = inner
    }
}

extension [UInt8] {
    mutating func append(bigEndian number: UInt64) {
        for shift in stride(from: 56, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
        }
    }
}

extension UInt64 {
    init(bigEndian bytes: ArraySlice<UInt8>) {
        self = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
