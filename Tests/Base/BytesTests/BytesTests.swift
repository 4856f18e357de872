// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Testing

@Suite struct BytesTests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("\u{3ff}", "z78="),
    ])
    func `base64 is written and read back`(_ plain: String, _ encoded: String) {
        #expect(String(decoding: Base64.encode(Array(plain.utf8), .standard), as: UTF8.self) == encoded)
        #expect(Base64.decode(Array(encoded.utf8), .standard) == Array(plain.utf8))
        let bare = encoded.filter { $0 != "=" }
        #expect(Base64.decode(Array(bare.utf8), .url) == Array(plain.utf8))
    }

    @Test(arguments: [
        "Zg=", "Zg", "Zg===", "Zh==", "Zm9=", "Z g=", "Zm9v\n", "=", "====", "Zg==Zg==", "Zm9v-_", "A",
    ])
    func `another spelling is refused`(_ text: String) {
        #expect(Base64.decode(Array(text.utf8), .standard) == nil)
    }

    @Test(arguments: ["Zg==", "Zh", "+/", "A", "Zm9v "])
    func `another spelling is refused in the URL alphabet`(_ text: String) {
        #expect(Base64.decode(Array(text.utf8), .url) == nil)
    }

    @Test(arguments: [
        (0, "0"), (7, "7"), (10, "10"), (-1, "-1"), (Int.max, "9223372036854775807"),
        (Int.min, "-9223372036854775808"), (99_999, "99999"), (100_000, "100000"), (-100_000, "-100000"),
    ])
    func `numbers are written in decimal`(_ number: Int, _ text: String) {
        var bytes: [UInt8] = Array("x".utf8)
        bytes.append(decimal: number)
        #expect(String(decoding: bytes, as: UTF8.self) == "x" + text)
    }

    @Test(arguments: [
        (0, "0000000000000000"), (0x0123_4567_89AB_CDEF, "0123456789abcdef"),
        (0xFEDC_BA98_7654_3210, "fedcba9876543210"), (.max, "ffffffffffffffff"), (1, "0000000000000001"),
        (0x9A00_0000_A900_000F, "9a000000a900000f"),
    ])
    func `numbers are written in hexadecimal`(_ number: UInt64, _ text: String) {
        var bytes: [UInt8] = Array("x".utf8)
        bytes.append(hex: number)
        #expect(String(decoding: bytes, as: UTF8.self) == "x" + text)
    }

    @Test func `bytes are compared as bytes`() {
        #expect(!Array("e\u{301}".utf8).equals("\u{e9}"))
        #expect(Array("Content-LENGTH".utf8).equalsIgnoringCase("content-length"))
        #expect(!Array("content-lengt".utf8).equalsIgnoringCase("content-length"))
        #expect(Array("/mcp/x".utf8)[1...].starts(with: "mcp/"))
        #expect(!Array("/mc".utf8)[1...].starts(with: "mcp/"))
        #expect("caf\u{e9}".hasSameBytes(as: "caf\u{e9}"))
        #expect(!"cafe\u{301}".hasSameBytes(as: "caf\u{e9}"))
    }

    @Test func `a difference is found wherever it is`() {
        for length in 0...40 {
            let bytes = (0..<length).map { UInt8($0) &* 37 }
            #expect(Self.areEqual(bytes, bytes))
            #expect(!Self.areEqual(bytes, bytes + [0]))
            for place in 0..<length {
                for bit in 0..<8 {
                    var other = bytes
                    other[place] ^= 1 << bit
                    #expect(!Self.areEqual(bytes, other))
                }
            }
        }
    }

    private static func areEqual(_ first: [UInt8], _ second: [UInt8]) -> Bool {
        first.span.equals(second.span)
    }

    @Test(arguments: [UInt8(ascii: "\n"), 0, 0x7F, 0x80, 0xFF])
    func `a byte is found at its first place, wherever that is`(_ wanted: UInt8) {
        // Neighbours in value, which a search by words could take for it.
        for other in [wanted &- 1, wanted &+ 1, wanted ^ 0x80] {
            for place in 0..<24 {
                var bytes = [UInt8](repeating: other, count: 25)
                #expect(bytes.span.firstIndex(of: wanted) == nil)
                bytes[place] = wanted
                bytes[24] = wanted
                #expect(bytes.span.firstIndex(of: wanted) == place)
                #expect(bytes.span.firstIndex(of: wanted, from: place + 1) == 24)
                #expect(bytes.span.firstIndex(of: wanted, from: 25) == nil)
            }
        }
    }
}
