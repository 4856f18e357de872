// Gatehouse. SPDX-License-Identifier: MIT

import Addresses
import Testing

@testable import Egress

@Suite("Where a URL leads")
struct DestinationTests {
    @Test(arguments: [
        ("https://Example.COM", "example.com", 443, true),
        ("http://example.com/a?b", "example.com", 80, false),
        ("HTTPS://example.com.:8443/", "example.com", 8443, true),
        ("https://a_b.c-d?x", "a_b.c-d", 443, true),
        ("https://1.2.3.4:1", "1.2.3.4", 1, true),
        ("https://[2001:DB8::1]:65535/", "2001:db8::1", 65_535, true),
        ("https://7.example", "7.example", 443, true), ("https://0x.example", "0x.example", 443, true),
        ("https://example.com/@b", "example.com", 443, true),
    ]) func `A plain URL is read`(url: String, host: String, port: Int, isSecure: Bool) throws {
        let destination = try Destination(url)
        #expect(destination.host == host)
        #expect(Int(destination.port) == port)
        #expect(destination.isSecure == isSecure)
    }

    @Test(arguments: [
        "", "https", "https:", "https:/", "https://", "https:///", "https://:80", "//example.com/",
        "ftp://example.com", "https://a b", "https://a\u{0}", "https://ä.example", "https://a\\b",
        "https://a/\\b",
        "https://u@a", "https://u:p@a", "https://a#b", "https://a/#b", "https://a:", "https://a:0",
        "https://a:65536",
        "https://a:080000", "https://a:+1", "https://a:1x", "https://a..b", "https://.a", "https://a..",
        "https://a%2eb", "https://[::1", "https://[]", "https://[1.2.3.4]", "https://[::1]x",
        "https://[fe80::1%25eth0]",
        "https://[::1]]", "https://1", "https://2130706433", "https://127.1", "https://0177.0.0.1",
        "https://0x7f.1",
        "https://0x7f000001/", "https://a.0x", "https://a.08", "https://1.2.3.4.5", "https://256.0.0.1",
        "https://-\u{7F}",
    ]) func `What could be read in two ways is refused`(url: String) {
        #expect(throws: EgressRefusal.self) { try Destination(url) }
    }

    @Test func `A label and a name have their lengths`() throws {
        let label = String(repeating: "a", count: 63)
        #expect(try Destination("https://\(label).b").host == "\(label).b")
        #expect(throws: EgressRefusal.self) { try Destination("https://\(label)a.b") }
        let name = Array(repeating: label, count: 4).joined(separator: ".")
        #expect(throws: EgressRefusal.self) { try Destination("https://\(name)") }
    }
}
