// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON
import Testing

@Suite struct JSONReaderTests {
    private func error(_ text: String) -> JSONError.Kind? {
        let bytes = Array(text.utf8)
        do {
            _ = try JSONValue(bytes.span)
            return nil
        } catch {
            return error.kind
        }
    }

    @Test(arguments: [
        (#"{"a":1,"a":2}"#, JSONError.Kind.duplicateName), (#"{"a":1,"\u0061":2}"#, .duplicateName),
        (#"{"a":{"b":1,"b":2}}"#, .duplicateName), (#"{"a":1,}"#, .unexpectedByte),
        (#"{,"a":1}"#, .unexpectedByte),
        (#"[1,]"#, .unexpectedByte), (#"{"a" 1}"#, .unexpectedByte), (#"{"a":1"#, .unexpectedEnd),
        (#""\q""#, .invalidString), ("\"a\nb\"", .invalidString), (#""\ud800""#, .invalidString),
        ("01", .trailingBytes),
        ("1.", .invalidNumber), ("-", .invalidNumber), ("tru", .unexpectedEnd), ("trux", .unexpectedByte),
        ("1 2", .trailingBytes), ("", .unexpectedEnd), ("]", .unexpectedByte), ("[1}", .unexpectedByte),
    ])
    func `a broken text is refused for its reason`(_ text: String, _ kind: JSONError.Kind) {
        #expect(error(text) == kind)
    }

    @Test func `names that differ only in case or by a NUL are different names`() {
        #expect(error(#"{"a":1,"A":2,"a\u0000":3}"#) == nil)
    }

    @Test func `a name that stands twice is found among many`() {
        let names = (0..<100).map { "\"n\($0)\":0" } + ["\"n7\":1"]
        #expect(error("{\(names.joined(separator: ","))}") == .duplicateName)
        #expect(error("{\(names.dropLast().joined(separator: ","))}") == nil)
    }

    @Test(arguments: [11, 12, 16, 20])
    func `names are told apart though they differ in two places`(_ length: Int) {
        let base = Array("option_amin0max0_abc".utf8.prefix(length))
        var names: Set<String> = []
        for first in 0..<length {
            for second in first + 1..<length {
                for (left, right): (UInt8, UInt8) in [(4, 4), (8, 12), (12, 4), (1, 1), (2, 6), (7, 3)] {
                    var name = base
                    name[first] ^= left
                    name[second] ^= right
                    names.insert(String(decoding: name, as: UTF8.self))
                }
            }
        }
        let members = names.filter { $0.utf8.allSatisfy { $0 >= 0x30 && $0 != 0x5C } }.map { "\"\($0)\":0" }
        #expect(members.count > 200)
        #expect(error("{\(members.joined(separator: ","))}") == nil)
        #expect(error(#"{"option_amin0max0":1,"option_mmin4max4":2}"#) == nil)
    }

    @Test(arguments: 1...20)
    func `names are told apart by any of their bytes, and known again when escaped`(_ length: Int) {
        let name = String(repeating: "a", count: length)
        var names = [name, name + "a"]
        for place in 0..<length {
            var other = Array(name.utf8)
            other[place] = UInt8(ascii: "b")
            names.append(String(decoding: other, as: UTF8.self))
        }
        let members = names.map { "\"\($0)\":0" }
        #expect(error("{\(members.joined(separator: ","))}") == nil)
        let escaped = "\"\\u0061\(name.dropFirst())\":1"
        #expect(error("{\((members + [escaped]).joined(separator: ","))}") == .duplicateName)
    }

    @Test(arguments: [(64, true), (65, false)])
    func `values nest as deep as the limit and no deeper`(_ depth: Int, _ passes: Bool) {
        let arrays = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let objects = String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
        for text in [arrays, objects] {
            let bytes = Array(text.utf8)
            var reader = JSONReader(bytes.span)
            let skipped = (try? reader.skipValue()) != nil
            #expect(skipped == passes)
            #expect((error(text) == nil) == passes)
        }
    }

    @Test func `a value that is skipped is judged as one that is decoded`() {
        let texts = [
            #"{"a":[1,{"b":"cäö€😀\"\\ \u0041"},[],{}],"c":-1.5e+3}"#, #"[{"a":1},,]"#, #"{"a":}"#,
            #"[[[]],{"x":[{}]}]"#,
            "{\"a\":\"\u{7f}\"}", #"["0123456789abcdef0123456789abcdef\n","é0123456"]"#, "[1 2]",
            #"{"a":1 "b":2}"#,
            #"{"a":[}"#, #"{"a":1]"#, #"[{"a"]"#, #"["a"#, " [ ] ", "[\t1\r\n,2 ]",
        ]
        for text in texts {
            let bytes = Array(text.utf8)
            var reader = JSONReader(bytes.span)
            var skipped = true
            do {
                try reader.skipValue()
                try reader.finish()
            } catch { skipped = false }
            #expect(skipped == (error(text) == nil), "\(text)")
        }
    }

    @Test func `a control byte or quote is found at every place of a word`() throws {
        for length in 0..<40 {
            let plain = String(repeating: "x", count: length)
            #expect(error("\"\(plain)\"") == nil)
            #expect(error("\"\(plain)\u{1f}\(plain)\"") == .invalidString)
            #expect(error("\"\(plain)\\\"\(plain)é\(plain)\"") == nil)
            let broken = Array("\"\(plain)".utf8) + [0xFF] + Array("\(plain)\"".utf8)
            #expect(throws: JSONError(.invalidUTF8, at: length + 1)) { try JSONValue(broken.span) }
        }
    }

    @Test func `line breaks between tokens are noticed, those in escapes are not`() throws {
        for (text, expected) in [
            ("{\"a\":\n1}", true), (#"{"a":"\n"}"#, false), ("[1,\r2]", true), ("[1, 2]", false),
        ] {
            let bytes = Array(text.utf8)
            var reader = JSONReader(bytes.span)
            try reader.skipValue()
            #expect(reader.hasLineBreaks == expected)
        }
    }

    @Test func `members are walked with their slices`() throws {
        let bytes = Array(#" { "id" : 7 , "m\u0065thod":"x\ty", "rest":[1, 2] } "#.utf8)
        var reader = JSONReader(bytes.span)
        var members = try reader.object()
        var seen: [String] = []
        while let name = try reader.next(&members) {
            if reader.equals(name, "method") {
                let value = try reader.readString()
                #expect(reader.string(value).map { String(decoding: $0, as: UTF8.self) } == "x\ty")
                seen.append("method")
            } else {
                seen.append(
                    String(decoding: [UInt8](bytes.span, try reader.skipValue().range), as: UTF8.self)
                )
            }
        }
        try reader.finish()
        #expect(seen == ["7", "method", "[1, 2]"])
    }
}
