// Gatehouse. SPDX-License-Identifier: MIT

import HTTPWire
import Testing

@Suite struct HostTests {
    private func host(_ value: String) -> HTTPWireError.Kind? {
        refusal("GET / HTTP/1.1\r\nHost:\(value)\r\n\r\n")
    }

    @Test(arguments: [
        "a", " a", "example.org", "EXAMPLE.org:1", "a_b-c.d:65535", "127.0.0.1:8080", "[::1]",
        "[2001:DB8::1]:443",
        "[::ffff:127.0.0.1]",
    ])
    func `a host is a name or an address with an optional port`(value: String) {
        #expect(host(value) == nil)
    }

    @Test(arguments: [
        "", " ", "a,b", "a, b", "a b", "u@a", "u:p@a", "a/", "a/b", "a?b", "a\\b", "http://a", ":80", "a:",
        "a:b",
        "a:123456", "a:65536", "a:80:80", "a:+1", "a:80 81", "[", "[]", "[::1", "::1", "[::1]a", "[::1]:",
        "[g::]",
        "[::1%25eth0]", "a%2eb", "é", "a\t.b", "*", "a'b", "a~b", "a:8\u{E9}",
    ])
    func `anything else is refused`(value: String) {
        #expect(host(value) == .malformedHost)
    }

    @Test func `a host is required in HTTP 1 point 1 only`() throws {
        #expect(refusal("GET / HTTP/1.1\r\n\r\n") == .missingHost)
        #expect(refusal("GET / HTTP/1.1\r\nHosts: a\r\n\r\n") == .missingHost)
        #expect(try message("GET / HTTP/1.0\r\n\r\n").authority == nil)
        #expect(refusal("GET / HTTP/1.0\r\nHost:\r\n\r\n") == .malformedHost)
    }

    @Test func `a host that is given twice is refused even when both agree`() {
        #expect(refusal(fields: "Host: a") == .repeatedHost)
        #expect(refusal(fields: "hOsT: b") == .repeatedHost)
        #expect(refusal(fields: "Host: b", version: "1.0") == .repeatedHost)
    }

    @Test func `the only expectation is 100-continue and it is given once`() throws {
        func expects(_ text: String) throws -> Bool { try message(text).expectsContinue }
        let body = "Host: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\nx"
        #expect(try expects("POST / HTTP/1.1\r\n" + body))
        #expect(try !expects("POST / HTTP/1.0\r\n" + body))
        #expect(try !expects("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"))
        for value in ["", "100", "100-continue, x", "100-continue;a", "200-ok", "100-continuex"] {
            #expect(refusal(fields: "Expect: \(value)") == .unsupportedExpectation, "\(value)")
        }
        #expect(refusal(fields: "Expect: 100-continue", "Expect: 100-continue") == .repeatedExpectation)
        #expect(HTTPWireError(.unsupportedExpectation).status == 417)
        #expect(HTTPWireError(.repeatedExpectation).status == 400)
    }
}
