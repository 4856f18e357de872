// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import Testing

@Suite struct JSONValueTests {
    private func roundTrip(_ text: String, _ style: JSONValue.Style = .compact) throws -> String {
        let bytes = Array(text.utf8)
        return String(decoding: try JSONValue(bytes.span).text(style), as: UTF8.self)
    }

    @Test(arguments: [
        #"{"b":1,"a":[true,false,null,-0.10e5,12345678901234567890]}"#, #"["\"\\\b\f\n\r\t\u0001é😀"]"#, "{}",
        "[]", "\"\"",
    ])
    func `a value is written as it was read`(_ text: String) throws {
        #expect(try roundTrip(text) == text)
    }

    @Test func `equal values have equal canonical texts`() throws {
        #expect(
            try roundTrip(#"{ "b" : "\u0041", "a": {"d":1,"c":2} }"#, .canonical)
                == #"{"a":{"c":2,"d":1},"b":"A"}"#
        )
    }

    @Test func `the text for people is indented`() throws {
        #expect(
            try roundTrip(#"{"a":[1,{}],"b":2}"#, .pretty)
                == "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": 2\n}"
        )
    }

    @Test func `names that look alike are not the same`() throws {
        let value: JSONValue = ["e\u{301}": 1]
        #expect(value["\u{e9}"] == nil)
        #expect(value["e\u{301}"] == 1)
    }
}
