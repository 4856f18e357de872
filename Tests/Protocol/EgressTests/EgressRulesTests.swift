// Gatehouse. SPDX-License-Identifier: MIT

import Addresses
import Foundation
import Testing

@testable import Egress

@Suite("What may be reached")
struct EgressRulesTests {
    private func range(_ text: String) throws -> EgressRules.Rule { .range(try #require(AddressRange(text))) }

    private func refusal(_ rules: EgressRules, _ url: String, at address: String) throws -> String? {
        let destination = try Destination(url)
        return rules.refusal(of: destination, at: try #require(IPAddress(address)))?.description
    }

    @Test func `Public addresses over https may be reached, and nothing else`() throws {
        let rules = EgressRules()
        #expect(rules.refusal(of: "https://example.com/mcp") == nil)
        #expect(rules.refusal(of: "https://1.1.1.1/") == nil)
        #expect(try refusal(rules, "https://example.com", at: "1.1.1.1") == nil)
        #expect(try refusal(rules, "https://example.com", at: "2606:4700::1") == nil)
        #expect(rules.refusal(of: "http://example.com/") != nil)
        #expect(rules.refusal(of: "https://10.0.0.1/") != nil)
    }

    @Test func `A name that leads elsewhere the second time is refused there`() throws {
        let rules = EgressRules()
        #expect(try refusal(rules, "https://rebinding.example", at: "1.1.1.1") == nil)
        #expect(
            try refusal(rules, "https://rebinding.example", at: "127.0.0.1")
                == "gateway.egress does not allow 127.0.0.1: loopback, 127.0.0.0/8"
        )
    }

    @Test func `A host that is allowed may lead anywhere, with or without TLS`() throws {
        let rules = EgressRules(allow: [.host("internal.example")])
        #expect(rules.refusal(of: "http://Internal.example.:8080/") == nil)
        #expect(try refusal(rules, "http://internal.example", at: "10.0.0.1") == nil)
        #expect(try refusal(rules, "https://other.example", at: "10.0.0.1") != nil)
        #expect(rules.refusal(of: "http://sub.internal.example/") != nil)
        #expect(rules.refusal(of: "http://internal.example.evil.example/") != nil)
    }

    @Test(arguments: [
        ("http://Collector.internal.:4318/v1/traces", "10.0.0.1"), ("http://127.0.0.1:4318/", "127.0.0.1"),
        ("http://[::1]:4318", "::1"), ("http://localhost:4318/x?y", "127.0.0.1"),
    ]) func `A service that is allowed is reached at its port, and nothing else of its host`(
        url: String,
        address: String
    ) throws {
        let rules = try EgressRules(service: url)
        #expect(rules.refusal(of: url) == nil)
        #expect(try refusal(rules, url, at: address) == nil)
        let other = url.replacing(":4318", with: ":4319")
        #expect(rules.refusal(of: other) != nil)
        #expect(try refusal(rules, other, at: address) != nil)
        #expect(rules.refusal(of: "http://10.0.0.1:4318/") != nil)
        #expect(try refusal(rules, "https://other.example:4318", at: address) != nil)
    }

    @Test(arguments: ["https://user@a.example/", "http://2130706433:4318/", "ftp://a.example/", ""])
    func `No rules are made of a URL that cannot be read`(url: String) {
        #expect(throws: EgressRefusal.self) { try EgressRules(service: url) }
    }

    @Test func `Addresses that are allowed may be reached by any name, with or without TLS`() throws {
        let rules = EgressRules(allow: [try range("10.1.0.0/16"), try range("::1")])
        #expect(rules.refusal(of: "http://10.1.2.3/") == nil)
        #expect(rules.refusal(of: "http://10.2.2.3/") != nil)
        #expect(rules.refusal(of: "http://some.example/") == nil)
        #expect(try refusal(rules, "http://some.example", at: "10.1.0.1") == nil)
        #expect(try refusal(rules, "http://some.example", at: "10.2.0.1") != nil)
        #expect(try refusal(rules, "http://some.example", at: "1.1.1.1") != nil)
        #expect(rules.refusal(of: "http://localhost/") == nil)
        #expect(try refusal(rules, "http://localhost", at: "::1") == nil)
        #expect(try refusal(rules, "http://localhost", at: "127.0.0.1") != nil)
    }

    @Test func `A name of this machine is not looked up in vain`() {
        #expect(EgressRules().refusal(of: "https://localhost/") != nil)
        #expect(EgressRules().refusal(of: "https://a.localhost./") != nil)
        #expect(EgressRules(allow: [.host("localhost")]).refusal(of: "http://localhost:1/") == nil)
    }

    @Test func `Without rules everything may be reached`() throws {
        #expect(EgressRules.anywhere.refusal(of: "http://127.0.0.1/") == nil)
        #expect(try refusal(.anywhere, "http://localhost", at: "::1") == nil)
        #expect(EgressRules.anywhere != EgressRules())
    }

    @Test(arguments: [
        ("http://example.com", "\"allow\" names, and example.com is not there"),
        ("https://169.254.169.254/latest", "does not allow 169.254.169.254: cloud metadata"),
        ("https://[::ffff:10.0.0.1]/", "does not allow ::ffff:a00:1: IPv4-mapped"),
        ("https://192.168.1.1/secret?token=x", "does not allow 192.168.1.1: private, 192.168.0.0/16"),
        ("https://user:secret@example.com", "it has user information in it"),
    ]) func `A refusal names the rule, and nothing of the URL but its host`(url: String, words: String) {
        let text = EgressRules().refusal(of: url)?.description ?? ""
        #expect(text.hasSuffix(words))
        #expect(!text.contains("secret"))
    }

    // MARK: Tests/Vectors/ssrf

    private struct Vectors: Decodable {
        var urls: [String]
    }

    private static let urls: [String] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Vectors/ssrf/ssrf-urls.json")
        let vectors = try? JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file))
        return vectors?.urls ?? []
    }()

    @Test func `The vectors are there`() {
        #expect(Self.urls.count == 50)
    }

    @Test(arguments: urls) func `What a server must not be made to ask is refused before a look-up`(
        url: String
    ) {
        #expect(EgressRules().refusal(of: url) != nil)
        // By TLS, only this name would be looked up; the address that it has is refused then.
        guard !url.contains("metadata.google.internal"), url.hasPrefix("http://") else { return }
        #expect(EgressRules().refusal(of: "https://" + url.dropFirst(7)) != nil)
    }
}
