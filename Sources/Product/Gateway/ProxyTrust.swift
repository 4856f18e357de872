// Gatehouse. SPDX-License-Identifier: MIT

package import Addresses
import Bytes
package import HTTPWire
import JSONRPC

/// Which proxies are believed what they say about a client (`gateway.trustedProxies`).
///
/// `Forwarded` (RFC 7239) and `X-Forwarded-For`, `-Proto` and `-Host` count only where the peer of the connection is one of
/// them: anybody else can write them too. Of the addresses they list, the last that is no trusted proxy's is the client:
/// what stands before it may be the client's own invention.
package struct ProxyTrust: Sendable {
    private let proxies: [AddressRange]

    /// Trusts the proxies at these addresses.
    package init(_ proxies: [AddressRange]) {
        self.proxies = proxies
    }

    /// Whether nobody is trusted, so that nothing need be read.
    package var isEmpty: Bool { proxies.isEmpty }

    /// Who asks, as trusted proxies tell it; nil where the peer is the client as far as anybody knows.
    ///
    /// - Throws: A refusal, when the two ways to tell the client disagree: a proxy writes one of them and may let the
    ///   client's own through in the other.
    package func client(of head: HTTPRequestHead, peer: String?) throws(Refusal) -> ForwardedClient? {
        guard let peer, proxies.contains(where: { $0.contains(peer) }) else { return nil }
        let standard = try forwarded(head)
        let usual = xForwarded(head)
        guard let standard, let usual else { return standard ?? usual }
        guard usual.address == standard.address || head.count(.xForwardedFor) == 0 else {
            throw Refusal(
                400,
                .invalidRequest,
                "Bad Request: Forwarded and X-Forwarded-For name different clients"
            )
        }
        guard let first = standard.host, let second = usual.host, !first.elementsEqual(second) else {
            return ForwardedClient(
                address: standard.address,
                isSecure: standard.isSecure ?? usual.isSecure,
                host: standard.host ?? usual.host
            )
        }
        throw Refusal(
            400,
            .invalidRequest,
            "Bad Request: Forwarded and X-Forwarded-Host name different hosts"
        )
    }

    private func forwarded(_ head: HTTPRequestHead) throws(Refusal) -> ForwardedClient? {
        guard head.count(.forwarded) > 0 else { return nil }
        var elements: [ArraySlice<UInt8>] = []
        for value in head.values(named: "forwarded") {
            // A quote that the client left open would swallow what the proxies have added after it.
            guard let parts = Self.split(value, at: UInt8(ascii: ",")) else {
                throw Refusal(400, .invalidRequest, "Bad Request: a quote in Forwarded is not closed")
            }
            elements += parts
        }
        var found: ForwardedClient?
        for element in elements.reversed() {
            let client = Self.element(element)
            found = client
            guard let address = client.address, isTrusted(address) else { break }
        }
        return found
    }

    private func xForwarded(_ head: HTTPRequestHead) -> ForwardedClient? {
        let chain = head.values(named: "x-forwarded-for").flatMap(Self.list)
        // The proxy that is nearest wrote the last of each.
        let scheme = head.values(named: "x-forwarded-proto").last.flatMap { Self.list($0).last }
        let host = head.values(named: "x-forwarded-host").last.flatMap { Self.list($0).last }
        guard !chain.isEmpty || scheme != nil || host != nil else { return nil }
        var address: String?
        for node in chain.reversed() {
            address = Self.address(node)
            guard let address, isTrusted(address) else { break }
        }
        return ForwardedClient(address: address, isSecure: scheme.map { Self.isHTTPS($0) }, host: host)
    }

    private func isTrusted(_ address: String) -> Bool {
        proxies.contains { $0.contains(address) }
    }

    // MARK: Grammar

    private static func isHTTPS(_ scheme: ArraySlice<UInt8>) -> Bool {
        scheme.map(ASCII.lowercased).elementsEqual("https".utf8)
    }

    /// One hop of `Forwarded`: pairs of a name and a token or quoted string (RFC 7239 §4).
    private static func element(_ text: ArraySlice<UInt8>) -> ForwardedClient {
        var client = ForwardedClient()
        for pair in split(text, at: UInt8(ascii: ";")) ?? [] {
            guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = pair[..<equals].map(ASCII.lowercased)
            let value = unquoted(pair[(equals + 1)...])
            if name.elementsEqual("for".utf8) { client.address = address(value) }
            if name.elementsEqual("proto".utf8) { client.isSecure = isHTTPS(value) }
            if name.elementsEqual("host".utf8) { client.host = value }
        }
        return client
    }

    /// The address of a node, without its port; nil for `unknown`, a pseudonym, and what is none.
    private static func address(_ node: ArraySlice<UInt8>) -> String? {
        var text = String(decoding: node, as: UTF8.self)[...]
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") && rest.dropFirst().utf8.allSatisfy(ASCII.isDigit)
            else {
                return nil
            }
            text = text[..<end].dropFirst()
        } else if let colon = text.firstIndex(of: ":"), colon == text.lastIndex(of: ":") {
            text = text[..<colon]
        }
        return IPAddress(text).map { "\($0.unmapped)" }
    }

    /// What stands between commas in the usual headers, where quotes mean nothing.
    private static func list(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        text.split(separator: UInt8(ascii: ",")).map(trimmed).filter { !$0.isEmpty }
    }

    /// What stands between separators that are not in quotes, without white space around it; empty parts count for nothing.
    ///
    /// Nil if a quote is not closed.
    private static func split(_ text: ArraySlice<UInt8>, at separator: UInt8) -> [ArraySlice<UInt8>]? {
        var parts: [ArraySlice<UInt8>] = []
        var start = text.startIndex
        var isQuoted = false
        var isEscaped = false
        for index in text.indices {
            let byte = text[index]
            if isEscaped {
                isEscaped = false
            } else if isQuoted, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == separator, !isQuoted {
                parts.append(trimmed(text[start..<index]))
                start = index + 1
            }
        }
        guard !isQuoted else { return nil }
        parts.append(trimmed(text[start...]))
        return parts.filter { !$0.isEmpty }
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return text
    }

    private static func unquoted(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let quote = UInt8(ascii: "\"")
        guard text.count >= 2, text.first == quote, text.last == quote else { return text }
        var bytes: [UInt8] = []
        var isEscaped = false
        for byte in text.dropFirst().dropLast() {
            if !isEscaped, byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                bytes.append(byte)
                isEscaped = false
            }
        }
        // The last quote was no end, but part of the text.
        return isEscaped ? [] : bytes[...]
    }
}

/// Who asks, as trusted proxies tell it.
package struct ForwardedClient: Sendable, Equatable {
    /// The client's address; nil where the proxies do not tell it.
    package var address: String?
    /// Whether the client speaks TLS with the first of them; nil where they do not tell it.
    package var isSecure: Bool?
    /// The host that the client wrote; nil where they do not tell it.
    package var host: ArraySlice<UInt8>?

    /// What the proxies told.
    package init(address: String? = nil, isSecure: Bool? = nil, host: ArraySlice<UInt8>? = nil) {
        self.address = address
        self.isSecure = isSecure
        self.host = host
    }
}
