// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import Testing

/// What is read, and what is refused where.
@Suite("JSON5 reader")
struct JSON5ReaderTests {
    private func read(_ text: String) throws -> JSON5Value {
        try JSON5Reader.read(Array(text.utf8))
    }

    private func string(_ text: String) throws -> String? {
        guard case .string(let value) = try read(text).content else { return nil }
        return value
    }

    private func number(_ text: String) throws -> JSON5Number? {
        guard case .number(let value) = try read(text).content else { return nil }
        return value
    }

    @Test func `The example of the specification is read whole`() throws {
        let value = try read(
            """
            {
              // comments
              unquoted: 'and you can quote me on that',
              singleQuotes: 'I can use "double quotes" here',
              lineBreaks: "Look, Mom! \\
            No \\\\n's!",
              hexadecimal: 0xdecaf,
              leadingDecimalPoint: .8675309, andTrailing: 8675309.,
              positiveSign: +1,
              trailingComma: 'in objects', andIn: ['arrays',],
              "backwardsCompatible": "with JSON", /* and
              blocks */ ünïcode$_1: null,
            }
            """
        )
        #expect(value["unquoted"]?.content == .string("and you can quote me on that"))
        #expect(value["lineBreaks"]?.content == .string("Look, Mom! No \\n's!"))
        #expect(value["hexadecimal"]?.content == .number(JSON5Number(text: "0xdecaf")))
        #expect(value["ünïcode$_1"]?.content == .null)
        #expect(value["absent"] == nil)
        guard case .object(let members) = value.content else {
            Issue.record("not an object")
            return
        }
        #expect(members.map(\.name).prefix(3) == ["unquoted", "singleQuotes", "lineBreaks"])
    }

    @Test func `Names and values know their places`() throws {
        let value = try read("{\r\n\t\"é𝄞\": [1,\r 'x'],\u{2028}b\n: {c: true}}")
        guard case .object(let members) = value.content else {
            Issue.record("not an object")
            return
        }
        #expect(value.position == JSON5Position(line: 1, column: 1))
        #expect(members[0].position == JSON5Position(line: 2, column: 2))
        #expect(members[0].value.position == JSON5Position(line: 2, column: 8))
        guard case .array(let elements) = members[0].value.content else {
            Issue.record("not an array")
            return
        }
        #expect(elements.map(\.position) == [.init(line: 2, column: 9), .init(line: 3, column: 2)])
        #expect(members[1].position == JSON5Position(line: 4, column: 1))
        #expect(members[1].value.position == JSON5Position(line: 5, column: 3))
    }

    @Test func `A byte order mark takes no column`() throws {
        #expect(try read("\u{FEFF}1").position == JSON5Position(line: 1, column: 1))
    }

    @Test(arguments: [
        (#""\b\f\n\r\t\v\0\x41\u00e9\uD834\uDD1E\a\'\"\\\/""#, "\u{8}\u{C}\n\r\t\u{B}\0Aé𝄞a'\"\\/"),
        ("'a\\\r\nb\\\u{2028}c'", "abc"),
        ("'a\u{2028}b'", "a\u{2028}b"),
        (#""\u{1}"#.replacing("\\u{1}", with: "\u{1}\""), "\u{1}"),
        ("''", ""),
    ])
    func `Escapes are undone`(text: String, expected: String) throws {
        #expect(try string(text) == expected)
    }

    @Test(
        arguments: [
            ("0", 0, 0.0), ("-0", 0, -0.0), ("+7", 7, 7.0), ("0x1F", 31, 31.0), ("-0Xff", -255, -255.0),
            ("5.", 5, 5.0),
            ("1e3", 1000, 1000.0), ("9223372036854775807", Int.max, 9.223372036854775807e18),
            (".5", nil, 0.5), ("1.5e-1", nil, 0.15), ("9223372036854775808", nil, 9.223372036854775808e18),
            ("5.e1", 50, 50.0), ("Infinity", nil, Double.infinity), ("-Infinity", nil, -Double.infinity),
            ("1e999", nil, Double.infinity), ("0xFFFFFFFFFFFFFFFFFF", nil, 4.722366482869645e21),
        ] as [(String, Int?, Double)]
    )
    func `Numbers keep their text and have a value`(text: String, int: Int?, double: Double) throws {
        let number = try #require(try number(text))
        #expect(number.text == text)
        #expect(number.int == int)
        #expect(number.double == double)
    }

    @Test(arguments: ["NaN", "+NaN", "-NaN"])
    func `NaN is no integer`(text: String) throws {
        let number = try #require(try number(text))
        #expect(number.int == nil)
        #expect(number.double.isNaN)
    }

    @Test(arguments: [
        ("", "1:1: the text is empty"),
        ("  // only\n", "2:1: the text is empty"),
        ("{a: 1,, b: 2}", "1:7: expected a name or \"}\", found \",\""),
        ("[1,,2]", "1:4: expected a value, found \",\""),
        ("[,]", "1:2: expected a value, found \",\""),
        ("{a 1}", "1:4: expected \":\" after the name \"a\", found \"1\""),
        ("{\n  a: 1\n  b: 2\n}", "3:3: expected \",\" or \"}\", found \"b\""),
        ("{a: [1, 2}", "1:10: expected \",\" or \"]\", found \"}\""),
        ("{\n  a: {\n  b: 1\n", "4:1: the text ends within the object that begins at 2:6"),
        ("[1,", "1:4: the text ends within the array that begins at 1:1"),
        ("{a:", "1:4: expected a value, found the end of the text"),
        ("{a: 1, \"a\": 2}", "1:8: the name \"a\" stands twice in this object, first at 1:2"),
        ("{\"\\u0061\": 1, a: 2}", "1:15: the name \"a\" stands twice in this object, first at 1:2"),
        ("{a: yes}", "1:5: expected a value, found \"yes\"; strings stand in quotes"),
        ("{} x", "1:4: \"x\" after the end of the text"),
        ("'a\nb'", "1:1: this string has no end on its line"),
        ("'a", "1:1: this string has no end"),
        ("'\\", "1:3: the text ends after a backslash"),
        ("'\\01'", "1:2: octal escapes are not allowed"),
        ("'\\7'", "1:2: octal escapes are not allowed"),
        ("'\\xg0'", "1:2: expected 2 hexadecimal digits in this escape, found \"g\""),
        ("'\\uD800x'", "1:2: half of a surrogate pair is not a character"),
        ("'\\uD800\\u0041'", "1:2: half of a surrogate pair is not a character"),
        ("'\\uDC00'", "1:2: half of a surrogate pair is not a character"),
        ("/* no end", "1:1: this comment has no end"),
        ("/ 1", "1:1: expected a comment after \"/\""),
        ("01", "1:1: a number does not begin with more than one digit if that is 0"),
        ("1a", "1:2: \"a\" right after a number"),
        ("0x", "1:3: expected a hexadecimal digit, found the end of the text"),
        (".", "1:2: expected a digit, found the end of the text"),
        ("-", "1:2: expected a digit, found the end of the text"),
        ("1e+", "1:4: expected a digit of the exponent, found the end of the text"),
        ("+Inf", "1:1: expected a number, found \"Inf\""),
        ("{a\\x41: 1}", "1:3: only \\u escapes may stand in a name without quotes"),
        ("{\\u0020: 1}", "1:2: this character needs a name in quotes"),
        ("@", "1:1: expected a value, found \"@\""),
        ("\u{1}", "1:1: expected a value, found \"\\u{1}\""),
    ])
    func `What does not fit is named with its place`(text: String, expected: String) {
        #expect(throws: JSON5Error.self) { try read(text) }
        do {
            _ = try read(text)
        } catch {
            #expect("\(error)" == expected)
        }
    }

    @Test func `Bytes that are not UTF-8 are refused with their place`() {
        let error = #expect(throws: JSON5Error.self) {
            try JSON5Reader.read(Array("{\n  'é".utf8) + [0xFF] + Array("'}".utf8))
        }
        #expect(error?.description == "2:5: a byte that is not UTF-8")
        let wide = #expect(throws: JSON5Error.self) { try JSON5Reader.read([0xFF, 0xFE, 0x7B, 0]) }
        #expect(wide?.message == "the text is UTF-16; save it as UTF-8")
    }

    @Test func `Depth and size have limits`() throws {
        var limits = JSON5Reader.Limits()
        limits.depth = 3
        limits.size = 8
        #expect(try JSON5Reader.read(Array("[[[1]]]".utf8), limits: limits).kind == "an array")
        let deep = #expect(throws: JSON5Error.self) {
            try JSON5Reader.read(Array("[[[[]]]]".utf8), limits: limits)
        }
        #expect(deep?.description == "1:4: objects and arrays go deeper than the limit of 3")
        let long = #expect(throws: JSON5Error.self) {
            try JSON5Reader.read(Array("[1,2,3,4]".utf8), limits: limits)
        }
        #expect(long?.message == "the text is 9 bytes long, more than the limit of 8")
        let hostile = String(repeating: "[", count: 1_000_000)
        #expect(throws: JSON5Error.self) { try read(hostile) }
    }

    @Test func `Every beginning of a text is read or refused, never a trap`() {
        let text = Array(
            "{a:[1,-.5e+3,0xF,'\\u00e9\\uD834\\uDD1E\\x41\\\r\n',/*c*/true,null,Infinity],\"b\":{}} // é𝄞"
                .utf8
        )
        for end in 0...text.count {
            let value = try? JSON5Reader.read(Array(text[..<end]))
            // Whole from the closing brace on, unless a character is cut in two.
            if end < text.count - 10 { #expect(value == nil) }
        }
        #expect((try? JSON5Reader.read(text)) != nil)
        var seed: UInt64 = 0x9E37_79B9
        for _ in 0..<20_000 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var broken = text
            broken[Int(seed >> 33) % broken.count] = UInt8(truncatingIfNeeded: seed >> 20)
            _ = try? JSON5Reader.read(broken)
        }
    }

    @Test func `Text in messages is quoted, escaped and cut`() {
        #expect("a\"b\\c\n\u{202E}".quoted == "\"a\\\"b\\\\c\\u{a}\\u{202e}\"")
        #expect(String(repeating: "x", count: 81).quoted == "\"" + String(repeating: "x", count: 80) + "…\"")
    }
}
