// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import HTTPWire
import Testing

@Suite struct LimitTests {
    private let start = "GET / HTTP/1.1\r\nHost: a\r\n"

    @Test func `the default limits are those of the profile`() {
        let limits = HTTPLimits()
        #expect(limits.field == 16384)
        #expect(limits.head == 65536)
        #expect(limits.fieldCount == 128)
        #expect(limits.chunkExtensions == 1024)
        for kind in [HTTPWireError.Kind.headTooLarge, .fieldTooLarge, .tooManyFields] {
            #expect(HTTPWireError(kind).status == 431)
        }
    }

    @Test func `a field of just the limit passes and one byte more is refused`() {
        let limits = HTTPLimits(field: 40)
        for line in [
            "A: \(String(repeating: "b", count: 37))", "\(String(repeating: "A", count: 39)):",
            "A:\(String(repeating: " ", count: 38))",
        ] {
            #expect(refusal("\(start)\(line)\r\n\r\n", limits: limits) == nil)
        }
        for line in [
            "A: \(String(repeating: "b", count: 38))", "\(String(repeating: "A", count: 40)):",
            "A:\(String(repeating: " ", count: 39))", String(repeating: "A", count: 41),
        ] {
            #expect(refusal("\(start)\(line)\r\n\r\n", limits: limits) == .fieldTooLarge)
            #expect(refusal("\(start)\(line)", limits: limits) == .fieldTooLarge)
        }
    }

    @Test func `a head of just the limit passes and one byte more is refused`() {
        let head = "\(start)A: bcd\r\nE: f\r\n\r\n"
        let size = head.utf8.count
        #expect(refusal(head, limits: HTTPLimits(head: size)) == nil)
        for limit in 0..<size {
            #expect(refusal(head, limits: HTTPLimits(head: limit)) == .headTooLarge, "\(limit)")
        }
    }

    @Test func `a head of just so many fields passes and one more is refused`() {
        let limits = HTTPLimits(fieldCount: 3)
        #expect(refusal("\(start)A: b\r\nA: b\r\n\r\n", limits: limits) == nil)
        #expect(refusal("\(start)A: b\r\nA: b\r\nA: b\r\n\r\n", limits: limits) == .tooManyFields)
    }

    @Test func `endless heads are refused at the limit and no later`() {
        for line in ["A: b\r\n", "a", "A: " + String(repeating: "b", count: 1000) + "\r\n"] {
            var parser = HTTPRequestHeadParser()
            var bytes = Array(start.utf8)
            var error: HTTPWireError?
            while error == nil && bytes.count < 100_000 {
                bytes.append(line)
                do { _ = try parser.parse(bytes.span) } catch let refused { error = refused }
            }
            #expect(error?.status == 431)
            #expect(bytes.count <= 65536 + line.utf8.count)
        }
    }

    @Test func `limits that make no sense do no harm`() {
        let none = HTTPLimits(target: -1, field: .min, head: -5, fieldCount: -1, chunkExtensions: -1)
        #expect(refusal("GET / HTTP/1.1\r\nHost: a\r\n\r\n", limits: none) == .headTooLarge)
        let all = HTTPLimits(target: .max, field: .max, head: .max, fieldCount: .max, chunkExtensions: .max)
        #expect(refusal("GET / HTTP/1.1\r\nHost: a\r\n\r\n", limits: all) == nil)
    }
}
