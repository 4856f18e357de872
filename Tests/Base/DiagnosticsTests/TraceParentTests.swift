// Gatehouse. SPDX-License-Identifier: MIT

import Diagnostics
import Testing

@Suite struct TraceParentTests {
    private static let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    private func read(_ text: String) -> TraceParent? {
        let bytes = Array(text.utf8)
        return TraceParent(bytes.span)
    }

    @Test func `a value is read and written`() throws {
        let parent = try #require(read(Self.good))
        #expect(parent.traceText == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(parent.span == 0x00f0_67aa_0ba9_02b7)
        #expect(parent.isSampled)
        var output: [UInt8] = []
        parent.append(to: &output)
        #expect(String(decoding: output, as: UTF8.self) == Self.good)
    }

    @Test(arguments: [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", true),
        // Flags that nobody knows yet are not passed on.
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", true),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe", false),
        // A later version may say more.
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-holds", true),
    ])
    func `a proper value is taken`(_ text: String, _ isSampled: Bool) {
        #expect(read(text)?.isSampled == isSampled)
    }

    @Test(arguments: [
        "", "00", good + "-", good + "-01", good + "0", " " + good, good + " ",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
        "00-4bf92f3577b34da6a3ce929d0e0e473.-00f067aa0ba902b7-01",
        "0.-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0\"", "traceparent",
    ])
    func `an improper value is none`(_ text: String) {
        #expect(read(text) == nil)
    }

    private func isState(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return TraceLists.isState(bytes.span)
    }

    private func isBaggage(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return TraceLists.isBaggage(bytes.span)
    }

    @Test(arguments: [
        "rojo=00f067aa0ba902b7", "rojo=1,congo=t61rcWkgMzE", "a=1 , b=2,,c=3", "0tenant@system=x",
        "a=" + String(repeating: "v", count: 256),
    ])
    func `a proper tracestate is passed on`(_ text: String) {
        #expect(isState(text))
    }

    @Test(arguments: [
        "", ",", "a", "=1", "A=1", "a=", "a=b=c", "a=\u{1}", "a=\u{7F}", "a=é", "a=1\nb=2",
        "a=" + String(repeating: "v", count: 257), String(repeating: "k", count: 257) + "=1",
        (0..<33).map { "k\($0)=v" }.joined(separator: ","), String(repeating: "a=1234567,", count: 60),
    ])
    func `an improper tracestate is not`(_ text: String) {
        #expect(!isState(text))
    }

    @Test(arguments: ["k=v", "k = v", "k1=v1;p=1;q,k2=%20", "a="])
    func `a proper baggage is passed on`(_ text: String) {
        #expect(isBaggage(text))
    }

    @Test(arguments: [
        "", "k", "=v", "k=\"v\"", "k=\\", "k=\n", "k k=v", "(k)=v", "k=é",
        (0..<65).map { "k\($0)=v" }.joined(separator: ","), "k=" + String(repeating: "v", count: 8192),
    ])
    func `an improper baggage is not`(_ text: String) {
        #expect(!isBaggage(text))
    }
}
