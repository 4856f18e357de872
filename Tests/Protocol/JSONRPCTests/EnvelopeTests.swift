// Gatehouse. SPDX-License-Identifier: MIT

import Foundation
import JSON
import JSONRPC
import Testing

/// Passes the parts of a message without looking into them.
private struct Passing: EnvelopeVisitor {
    mutating func params(_ reader: inout JSONReader) throws(JSONError) { try reader.skipValue() }
    mutating func result(_ reader: inout JSONReader) throws(JSONError) { try reader.skipValue() }
    mutating func error(_ reader: inout JSONReader) throws(JSONError) { try reader.skipValue() }
}

@Suite struct EnvelopeTests {
    private func read(_ text: String) throws(JSONError) -> Envelope {
        let bytes = Array(text.utf8)
        var reader = JSONReader(bytes.span)
        var visitor = Passing()
        return try Envelope(&reader, visitor: &visitor)
    }

    @Test(arguments: [
        (#"{"jsonrpc":"2.0","id":1,"method":"a"}"#, MessageKind.request),
        (#"{"jsonrpc":"2.0","method":"a"}"#, .notification),
        (#"{"id":"x","result":{},"jsonrpc":"2.0"}"#, .result),
        (#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}"#, .error),
        (#"{"jsonrpc":"2.0","error":{"code":1,"message":""}}"#, .error),
        (#"{"jsonrpc":"2.0","id":"","\u006dethod":"a","params":{}}"#, .request),
    ])
    func `a message is of one kind`(_ text: String, _ kind: MessageKind) throws {
        let envelope = try read(text)
        #expect(envelope.defect == nil)
        #expect(envelope.kind == kind)
    }

    @Test(arguments: [
        ("[]", Envelope.Defect.notAnObject), ("1", .notAnObject), (#"{"id":1,"method":"a"}"#, .version),
        (#"{"jsonrpc":"1.0","id":1,"method":"a"}"#, .version),
        (#"{"jsonrpc":2.0,"id":1,"method":"a"}"#, .version),
        (#"{"jsonrpc":"2.0","id":null,"method":"a"}"#, .id),
        (#"{"jsonrpc":"2.0","id":1.5,"method":"a"}"#, .id),
        (#"{"jsonrpc":"2.0","id":1e2,"method":"a"}"#, .id), (#"{"jsonrpc":"2.0","id":{},"method":"a"}"#, .id),
        (#"{"jsonrpc":"2.0","id":1,"method":1}"#, .method),
        (#"{"jsonrpc":"2.0","id":1,"method":"a","params":[]}"#, .params),
        (#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, .shape), (#"{"jsonrpc":"2.0","id":1}"#, .shape),
        (#"{"jsonrpc":"2.0","result":{}}"#, .shape), (#"{"jsonrpc":"2.0","id":1,"result":7}"#, .shape),
        (#"{"jsonrpc":"2.0","id":1,"method":"a","result":{}}"#, .shape),
        (#"{"jsonrpc":"2.0","id":1,"METHOD":"a"}"#, .shape),
        (#"{"jsonrpc":"2.0","id":1,"method\u0000":"a"}"#, .shape),
    ])
    func `what is JSON but no message says why`(_ text: String, _ defect: Envelope.Defect) throws {
        #expect(try read(text).defect == defect)
    }

    @Test func `a name that stands twice is refused however it is written`() {
        for text in [
            #"{"jsonrpc":"2.0","method":"a","method":"b","id":1}"#,
            #"{"jsonrpc":"2.0","method":"a","meth\u006fd":"b","id":1}"#,
        ] {
            #expect(throws: JSONError.self) { try read(text) }
        }
    }

    @Test func `an id is echoed as it was written`() throws {
        for id in ["9007199254740993", "-7", "\"a\\u0041\"", "12345678901234567890123"] {
            let text = #"{"jsonrpc":"2.0","id":\#(id),"method":"a"}"#
            let envelope = try read(text)
            #expect(String(decoding: Array(text.utf8)[envelope.id.range], as: UTF8.self) == id)
        }
    }

    // MARK: Vectors

    private struct Vectors: Decodable {
        struct Case: Decodable {
            let body: String
            let expect: Expectation
        }
        enum Expectation: Decodable {
            case code(Int)
            case words(String)
            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let code = try? container.decode(Int.self) {
                    self = .code(code)
                } else {
                    self = .words(try container.decode(String.self))
                }
            }
        }
        let cases: [Case]
    }

    /// What we answer: -32700, -32600, or nothing, where the envelope is good and what is in it decides.
    private func code(_ text: String) -> Int? {
        do {
            return try read(text).defect == nil ? nil : -32600
        } catch {
            return error.kind == .duplicateName ? -32600 : -32700
        }
    }

    @Test func `the vectors are judged as they say`() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Vectors/jsonrpc/jsonrpc-cases.json")
        let vectors = try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file))
        #expect(vectors.cases.count == 16)
        for vector in vectors.cases {
            switch vector.expect {
            case .code(-32601): #expect(code(vector.body) == nil, "\(vector.body)")
            case .code(let expected): #expect(code(vector.body) == expected, "\(vector.body)")
            case .words("id echoed exactly"): #expect(code(vector.body) == nil, "\(vector.body)")
            case .words: #expect(code(vector.body) == -32600, "\(vector.body)")
            }
        }
    }
}
