// Gatehouse. SPDX-License-Identifier: MIT

import CHTTPParser
import HTTPWire
import Testing

/// Whatever we accept, another parser must accept and understand in the same way.
@Suite struct SecondOpinionTests {
    /// Why the other parser sees a message differently; nil if it does not.
    private func difference(_ message: Transcript.Message) -> String? {
        let other = SecondOpinion(message.wire)
        let name = String(cString: http_errno_name(other.error))
        // It knows a fixed list of methods; ours are tokens, and the server answers 405 or 501.
        if message.method == .other && other.error == HPE_INVALID_METHOD { return nil }
        if other.error != HPE_OK { return name }
        if !other.isComplete { return "incomplete" }
        if other.target != message.target { return "target \(other.target.text)" }
        if other.body != message.body { return "body \(other.body.text)" }
        // It does not trim tabs there and stumbles over empty elements.
        let options = message.fields.filter { $0.starts(with: Array("Connection:".utf8)) }.map(\.text)
        let isPlain =
            !message.wire.contains(9)
            && options.allSatisfy { ["Connection:close", "Connection:keep-alive"].contains($0) }
        if isPlain && other.keepsAlive != message.keepsAlive { return "keeps alive: \(other.keepsAlive)" }
        return nil
    }

    private func compare(_ bytes: [UInt8]) -> Int {
        let transcript = WireConnection.read(bytes)
        let accepted = transcript.messages.filter(\.isComplete)
        for message in accepted {
            let difference = difference(message)
            #expect(difference == nil, "\(message.wire.text.debugDescription)")
        }
        return accepted.count
    }

    @Test func `the vectors that we accept are accepted`() throws {
        var accepted = 0
        for vector in try LLHTTPCase.all() {
            accepted += compare(vector.bytes)
            accepted += vector.withHost.map(compare) ?? 0
        }
        #expect(accepted > 60)
    }

    @Test func `mutated requests that we accept are accepted`() {
        var mutator = RequestMutator(seed: 0x6761_7465)
        var accepted = 0
        for _ in 0..<60_000 { accepted += compare(mutator.next()) }
        #expect(accepted > 10_000)
    }
}
