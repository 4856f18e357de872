// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPClient
import Testing

@Suite struct ToolArgumentsTests {
    private let schema: JSONValue = [
        "type": "object",
        "properties": [
            "text": ["type": "string"], "count": ["type": "integer"], "ratio": ["type": "number"],
            "on": ["type": "boolean"], "list": ["type": "array"], "point": ["$ref": "#/$defs/Point"],
            "any": [:],
            "maybe": ["anyOf": [["type": "integer"], ["type": "null"]]],
            "both": ["type": ["string", "number"]],
            "choice": ["enum": ["1", "2"]], "level": ["enum": [1, 2]], "loop": ["$ref": "#/properties/loop"],
        ],
        "$defs": ["Point": ["type": "object"]],
    ]

    @Test(arguments: [
        ("text=5", "5"), ("text=", ""), ("text=a=b", "a=b"), (#"text="q""#, #""q""#), ("count=five", "five"),
        ("count=1.5", "1.5"), ("on=yes", "yes"), ("list=[1", "[1"), ("list=1", "1"), ("choice=1", "1"),
        ("any=word", "word"), ("any=", ""), ("maybe=x", "x"), ("unknown=x y", "x y"), ("ratio=NaN", "NaN"),
    ])
    func `what is not JSON of a wanted type is text`(_ word: String, _ text: String) throws {
        let key = String(word.prefix { $0 != "=" })
        #expect(try ToolArguments.parse([word], schema: schema) == .object([.init(key, .string(text))]))
    }

    @Test(
        arguments: [
            ("count=5", 5), ("count=-1", -1), ("ratio=1e3", .number("1e3")), ("count=2.0", .number("2.0")),
            ("on=true", true),
            ("list=[1]", [1]), (#"point={"x":1}"#, ["x": 1]), ("any=5", 5), ("maybe=null", .null),
            ("maybe=7", 7),
            ("both=5", 5), ("level=1", 1), ("loop=true", true), ("unknown=[]", []),
        ] as [(String, JSONValue)]
    )
    func `what is JSON of a wanted type is that`(_ word: String, _ value: JSONValue) throws {
        let key = String(word.prefix { $0 != "=" })
        #expect(try ToolArguments.parse([word], schema: schema) == .object([.init(key, value)]))
    }

    @Test func `arguments keep their order, and without a schema they are texts`() throws {
        let words = ["b=1", "a=true"]
        #expect(try ToolArguments.parse(words, schema: nil) == ["b": "1", "a": "true"])
        #expect(try ToolArguments.parse([], schema: schema) == [:])
    }

    @Test func `one JSON object may stand for all`() throws {
        #expect(try ToolArguments.parse([#" {"text": 5}"#], schema: schema) == ["text": 5])
    }

    @Test(arguments: [
        ["word"], ["=x"], ["a=1", "a=2"], ["{"], ["{}", "a=1"], [#"{"a":1,"a":2}"#], ["--", "a"],
    ])
    func `anything else is bad usage`(_ words: [String]) {
        #expect(throws: ToolArguments.Misuse.self) { try ToolArguments.parse(words, schema: schema) }
    }
}
