// Gatehouse. SPDX-License-Identifier: MIT

import EventStream
import Foundation
import Testing

/// The cases of Tests/Vectors/sse.
@Suite struct EventStreamVectorTests {
    private struct Vectors: Decodable {
        var cases: [Case]
    }

    private struct Case: Decodable {
        var name: String
        var chunks: [String]
        /// Type, data and, in some, the last event id.
        var events: [[String]]
    }

    private static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Vectors/sse/sse-vectors.json")

    @Test func `every case gives its events however it is cut`() throws {
        let cases = try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: Self.file)).cases
        #expect(cases.count == 18)
        for vector in cases {
            let bytes = vector.chunks.flatMap { Array($0.utf8) }
            for size in [bytes.count, 1, 2, 3] {
                check(try events(bytes, by: size), vector, "in pieces of \(size)")
            }
            for cut in 0...bytes.count { check(try events(bytes, cut: cut), vector, "cut at \(cut)") }
        }
    }

    private func check(_ events: [ServerSentEvent], _ vector: Case, _ how: String) {
        let found = events.map { [$0.type, $0.data, $0.id].map { String(decoding: $0, as: UTF8.self) } }
        #expect(found.count == vector.events.count, "\(vector.name), \(how)")
        for (found, expected) in zip(found, vector.events) {
            #expect(found.prefix(expected.count) == expected[...], "\(vector.name), \(how)")
        }
    }
}
