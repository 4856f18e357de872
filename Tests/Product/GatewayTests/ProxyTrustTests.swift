// Gatehouse. SPDX-License-Identifier: MIT

import Addresses
import Gateway
import HTTPWire
import Testing

@Suite struct `Trusted proxies` {
    private let trust = ProxyTrust(
        ["10.0.0.0/8", "2001:db8::/32", "127.0.0.1"].compactMap { AddressRange($0) }
    )

    private func head(_ fields: [String]) throws -> HTTPRequestHead {
        let text = "GET /mcp HTTP/1.1\r\nHost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
        var parser = HTTPRequestHeadParser(limits: HTTPLimits())
        let bytes = Array(text.utf8)
        _ = try #require(try parser.parse(bytes.span))
        return parser.takeHead()
    }

    private func client(_ fields: String..., peer: String? = "10.0.0.1") throws -> ForwardedClient? {
        try trust.client(of: head(fields), peer: peer)
    }

    @Test func `alone are believed`() throws {
        #expect(try client("X-Forwarded-For: 192.0.2.1", peer: "192.0.2.9") == nil)
        #expect(try client("Forwarded: for=192.0.2.1", peer: "11.0.0.1") == nil)
        #expect(try client("X-Forwarded-For: 192.0.2.1", peer: nil) == nil)
        #expect(try client("X-Forwarded-For: 192.0.2.1")?.address == "192.0.2.1")
        #expect(try client("X-Forwarded-For: 192.0.2.1", peer: "::ffff:10.1.2.3")?.address == "192.0.2.1")
        #expect(try client() == nil)
    }

    @Test(
        arguments: [
            ("192.0.2.1", "192.0.2.1"),
            // What stands before the last one that is not trusted may be the client's invention.
            ("127.0.0.1, 192.0.2.1", "192.0.2.1"),
            ("192.0.2.1, 10.1.1.1", "192.0.2.1"),
            ("1.1.1.1, 192.0.2.1, 10.1.1.1, 2001:db8::7", "192.0.2.1"),
            ("10.9.9.9, 10.1.1.1", "10.9.9.9"),
            ("192.0.2.1:4711", "192.0.2.1"), ("[2002::1]:4711", "2002::1"), ("2002::1", "2002::1"),
            ("192.0.2.1, unknown", nil), ("unknown", nil), ("192.0.2.1, 300.1.1.1", nil),
            // Quotes mean nothing here: one that the client leaves open takes nothing from what the proxy adds.
            ("[127.0.0.1]\", 192.0.2.1", "192.0.2.1"), ("[127.0.0.1]x", nil), ("[2002::1]:", "2002::1"),
            ("'; DROP", nil),
        ] as [(String, String?)]
    )
    func `are passed over from the right`(_ value: String, _ address: String?) throws {
        #expect(try client("X-Forwarded-For: \(value)")?.address == address)
    }

    @Test func `may write several lines`() throws {
        #expect(
            try client("X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 192.0.2.1, 10.0.0.2")?.address
                == "192.0.2.1"
        )
    }

    @Test(
        arguments: [
            ("for=192.0.2.1;proto=https;host=gate.example", "192.0.2.1", true, "gate.example"),
            ("For=\"[2002::1]:4711\" ; Proto=HTTP", "2002::1", false, nil),
            (
                "for=1.1.1.1;host=a, for=192.0.2.1;host=\"b,c;d\", for=10.0.0.9;host=e", "192.0.2.1", nil,
                "b,c;d"
            ),
            ("for=\"_hidden\"", nil, nil, nil),
            (";;=,,", nil, nil, nil),
        ] as [(String, String?, Bool?, String?)]
    )
    func `speak RFC 7239`(_ value: String, _ address: String?, _ isSecure: Bool?, _ host: String?) throws {
        let client = try #require(try client("Forwarded: \(value)"))
        #expect(client.address == address)
        #expect(client.isSecure == isSecure)
        #expect(client.host.map { String(decoding: $0, as: UTF8.self) } == host)
    }

    @Test func `tell scheme and host by the usual names too`() throws {
        let client = try client(
            "X-Forwarded-For: 192.0.2.1",
            "X-Forwarded-Proto: http, https",
            "X-Forwarded-Host: evil.test, gate.example"
        )
        #expect(client?.isSecure == true)
        #expect(client?.host?.elementsEqual("gate.example".utf8) == true)
    }

    @Test func `are refused when they let through what the client wrote in the other header`() throws {
        #expect(throws: Refusal.self) { try client("Forwarded: for=127.0.0.1", "X-Forwarded-For: 192.0.2.1") }
        #expect(throws: Refusal.self) {
            try client("Forwarded: for=192.0.2.1;host=a", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: b")
        }
        // A quote that the client leaves open would hide what the proxy adds.
        for open in ["for=127.0.0.1;x=\", for=192.0.2.1", "for=\"192.0.2.1\\\"", "\""] {
            #expect(throws: Refusal.self) { try client("Forwarded: \(open)") }
        }
        let agreed = try client(
            "Forwarded: for=192.0.2.1",
            "X-Forwarded-For: 192.0.2.1",
            "X-Forwarded-Proto: https"
        )
        #expect(agreed == ForwardedClient(address: "192.0.2.1", isSecure: true))
    }

    @Test func `tell a host that must be known like the other one`() throws {
        let admission = Admission(hosts: ["a", "gate.example"], origins: [], allowsLoopback: false)
        let head = try head([])
        _ = try admission.admit(head, forwardedHost: Array("gate.example".utf8)[...])
        #expect(throws: Refusal.self) {
            try admission.admit(head, forwardedHost: Array("evil.test".utf8)[...])
        }
    }
}
