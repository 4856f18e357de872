// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Crypto
import Testing

@Suite struct SealerTests {
    @Test(arguments: ["", "x", "a longer text, äöü"])
    func `what was sealed opens for its purpose only`(_ text: String) {
        let sealer = Sealer()
        let sealed = sealer.seal(Array(text.utf8), purpose: "cursor")
        #expect(sealer.open(sealed, purpose: "cursor") == Array(text.utf8))
        #expect(sealer.open(sealed, purpose: "state") == nil)
        #expect(Sealer().open(sealed, purpose: "cursor") == nil)
    }

    @Test func `a change anywhere is noticed`() {
        let sealer = Sealer()
        let sealed = sealer.seal(Array("the inner state".utf8), purpose: "state")
        for index in sealed.indices {
            var changed = sealed
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(sealer.open(changed, purpose: "state") == nil)
        }
        #expect(sealer.open(sealed.dropLast(), purpose: "state") == nil)
        #expect(sealer.open([UInt8](), purpose: "state") == nil)
    }

    @Test func `nothing is sealed the same way twice`() {
        let sealer = Sealer()
        let seals = (0..<100).map { _ in sealer.seal([1], purpose: "p") }
        #expect(Set(seals).count == 100)
    }

    @Test func `the hash is SHA-256`() {
        var hex: [UInt8] = []
        hex.append(hex: SHA256.hash(Array("abc".utf8)))
        #expect(
            String(decoding: hex, as: UTF8.self)
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
    }
}
