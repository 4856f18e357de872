// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import Testing

@Suite struct EditsTests {
    /// The place of a piece of text in another.
    private func slice(_ piece: String, _ text: String) throws -> JSONSlice {
        let range = try #require(text.firstRange(of: piece))
        let start = text.utf8.distance(from: text.startIndex, to: range.lowerBound)
        return JSONSlice(start, start + piece.utf8.count)
    }

    private func apply(_ edits: Edits, _ text: String, onOneLine: Bool = false) -> String {
        let bytes = Array(text.utf8)
        var output: [UInt8] = Array("<".utf8)
        edits.apply(to: bytes.span, onOneLine: onOneLine, into: &output)
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `changes are made in the order of the text, not of the calls`() throws {
        let text = #"{"id":"abc","token":7,"cursor":"x"}"#
        var edits = Edits()
        edits.replace(try slice(#""x""#, text), with: "\"sealed\"")
        edits.replace(try slice(#""abc""#, text), with: 12)
        edits.replace(try slice("7", text), with: Array("null".utf8))
        #expect(apply(edits, text) == #"<{"id":12,"token":null,"cursor":"sealed"}"#)
        // What stands behind the last of them is the same as before.
        var first: [UInt8] = []
        edits.applyBeforeEnd(to: Array(text.utf8).span, into: &first)
        #expect(String(decoding: first, as: UTF8.self) == #"{"id":12,"token":null,"cursor":"sealed""#)
        #expect(edits.end == text.utf8.count - 1)
        #expect(Edits().end == 0)
    }

    @Test(arguments: [
        (#"{"a":1,"b":2}"#, #""a""#, "1", #"<{"b":2}"#), (#"{"a":1,"b":2}"#, #""b""#, "2", #"<{"a":1}"#),
        (#"{ "a" : 1 , "b" : 2 }"#, #""b""#, "2", #"<{ "a" : 1 }"#), (#"{"b":2}"#, #""b""#, "2", "<{}"),
        (#"{"a":1, "b":2 , "c":3}"#, #""b""#, "2", #"<{"a":1,  "c":3}"#),
    ])
    func `a member is taken out with its comma`(
        _ text: String,
        _ name: String,
        _ value: String,
        _ expected: String
    ) throws {
        let bytes = Array(text.utf8)
        let quoted = try slice(name, text)
        var edits = Edits()
        let string = JSONString(slice: JSONSlice(quoted.start + 1, quoted.end - 1), hasEscapes: false)
        edits.remove(string, try slice(value, text), of: bytes.span)
        let result = apply(edits, text)
        #expect(result == expected)
        let read = Array(result.utf8.dropFirst())
        #expect((try? JSONValue(read.span)) != nil)
    }

    @Test func `members are put in front, with a comma only where others follow`() throws {
        for (text, expected) in [(#"{"a":1}"#, #"<{"n":0,"a":1}"#), ("{ }", #"<{"n":0 }"#)] {
            let bytes = Array(text.utf8)
            var edits = Edits()
            edits.prepend(Array(#""n":0"#.utf8), toObject: JSONSlice(0, bytes.count), of: bytes.span)
            #expect(apply(edits, text) == expected)
        }
    }

    @Test(arguments: [1, 87, 88, 89, 90, 91, 300])
    func `members of any length are put in front, several times`(_ length: Int) {
        let first = #""n":""# + String(repeating: "x", count: length) + #"""#
        let second = #""m":""# + String(repeating: "y", count: length) + #"""#
        let text = #"[{"a":1},{ }]"#
        let bytes = Array(text.utf8)
        var edits = Edits()
        edits.prepend(Array(first.utf8).span, toObject: JSONSlice(1, 8), of: bytes.span)
        edits.prepend(Array(second.utf8).span, toObject: JSONSlice(9, 12), of: bytes.span)
        #expect(apply(edits, text) == #"<[{\#(first),"a":1},{\#(second) }]"#)
    }

    @Test func `a text is put on one line without touching its strings`() {
        #expect(apply(Edits(), "{\r\n\"a\":\n\"x\\ny\"}", onOneLine: true) == "<{  \"a\": \"x\\ny\"}")
    }

    @Test func `nothing changes without edits`() {
        #expect(apply(Edits(), #"{"a":1}"#) == #"<{"a":1}"#)
    }
}
