// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPClient
import Testing

@Suite struct ElicitationTests {
    private func field(_ schema: JSONValue) throws -> ElicitationField {
        try #require(ElicitationField.all(in: ["properties": ["f": schema], "required": ["f"]]).first)
    }

    @Test func `the five forms of enumerations are read`() throws {
        let plain = [ElicitationField.Choice(value: "a", title: "a"), .init(value: "b", title: "b")]
        let titled = [ElicitationField.Choice(value: "a", title: "A"), .init(value: "b", title: "B")]
        let constants: JSONValue = [["const": "a", "title": "A"], ["const": "b", "title": "B"]]
        #expect(try field(["type": "string", "enum": ["a", "b"]]).kind == .choice(plain))
        #expect(try field(["type": "string", "oneOf": constants]).kind == .choice(titled))
        #expect(
            try field(["type": "string", "enum": ["a", "b"], "enumNames": ["A", "B"]]).kind
                == .choice(titled)
        )
        #expect(
            try field(["type": "array", "items": ["type": "string", "enum": ["a", "b"]]]).kind
                == .choices(plain, count: 0...Int.max)
        )
        #expect(
            try field(["type": "array", "minItems": 1, "maxItems": 2, "items": ["anyOf": constants]]).kind
                == .choices(titled, count: 1...2)
        )
    }

    @Test(
        arguments: [
            (["type": "string"], "x y", "x y"), (["type": "integer"], "42", 42),
            (["type": "number"], "1.50", .number("1.50")), (["type": "boolean"], "Yes", true),
            (["type": "boolean"], "n", false), (["enum": ["a", "b"]], "b", "b"),
            (["enum": ["a", "b"]], "1", "a"),
            (["oneOf": [["const": "x", "title": "The X"]]], "the x", "x"),
            (["type": "array", "items": ["enum": ["a", "b", "c"]]], "3, a,a", ["c", "a"]),
            (["type": "array", "items": ["enum": ["a"]]], "-", []),
            (["type": "string", "format": "email"], "a@b.c", "a@b.c"),
            (["type": "string", "format": "uri"], "urn:x:y", "urn:x:y"),
            (["type": "string", "format": "date"], "2026-07-28", "2026-07-28"),
            (["type": "string", "format": "date-time"], "2026-07-28T01:02:03Z", "2026-07-28T01:02:03Z"),
            (["type": "object"], "{\"a\":1}", ["a": 1]),
        ] as [(JSONValue, String, JSONValue)]
    )
    func `what is entered becomes a value of the field's type`(
        _ schema: JSONValue,
        _ text: String,
        _ value: JSONValue
    ) throws {
        #expect(try field(schema).value(of: text) == value)
    }

    @Test(
        arguments: [
            (["type": "integer"], "1.5"), (["type": "integer"], "x"), (["type": "number"], "nan"),
            (["type": "number"], "0x10"), (["type": "number"], "1e999"),
            (["type": "number", "maximum": 3], "4"),
            (["type": "integer", "minimum": 3], "2"), (["type": "boolean"], "maybe"), (["enum": ["a"]], "2"),
            (["enum": ["a"]], "0"), (["enum": ["a"]], "-9223372036854775808"),
            (["type": "string", "minLength": 3], "ab"), (["type": "string", "maxLength": 3], "abcd"),
            (["type": "string", "format": "email"], "a@b@c"), (["type": "string", "format": "email"], "@b"),
            (["type": "string", "format": "uri"], "x"), (["type": "string", "format": "uri"], "1:x"),
            (["type": "string", "format": "date"], "28.7.2026"),
            (["type": "string", "format": "date-time"], "2026-07-28"),
            (["type": "array", "minItems": 2, "items": ["enum": ["a", "b"]]], "a"), (["type": "object"], "{"),
        ] as [(JSONValue, String)]
    )
    func `what does not fit is refused`(_ schema: JSONValue, _ text: String) throws {
        let field = try field(schema)
        #expect(throws: ElicitationField.Misfit.self) { try field.value(of: text) }
    }

    @Test func `fields that were left out of an accepted form get their defaults`() {
        let schema: JSONValue = [
            "properties": ["a": ["default": 1], "b": ["default": "x"], "c": ["type": "string"]]
        ]
        let form: JSONValue = ["requestedSchema": schema]
        let given: JSONValue = ["action": "accept", "content": ["b": "mine"]]
        #expect(
            Elicitation.filled(given, asked: form) == [
                "action": "accept", "content": ["b": "mine", "a": 1],
            ]
        )
        #expect(
            Elicitation.filled(["action": "accept"], asked: form) == [
                "action": "accept", "content": ["a": 1, "b": "x"],
            ]
        )
        for answer in [["action": "decline"], ["action": "cancel"]] as [JSONValue] {
            #expect(Elicitation.filled(answer, asked: form) == answer)
        }
        let url: JSONValue = ["mode": "url", "requestedSchema": schema]
        #expect(Elicitation.filled(["action": "accept"], asked: url) == ["action": "accept"])
        // Answers to other questions have no action.
        #expect(Elicitation.filled(["roots": []], asked: form) == ["roots": []])
    }

    @Test func `only what was declared may be asked`() {
        var identity = ClientIdentity(name: "n", version: "1")
        #expect(!identity.offers("elicitation/create", [:]))
        identity.capabilities = ["elicitation": [:]]
        #expect(identity.offers("elicitation/create", [:]))
        #expect(identity.offers("elicitation/create", ["mode": "form"]))
        #expect(!identity.offers("elicitation/create", ["mode": "url"]))
        identity.capabilities = ["elicitation": ["url": [:]], "roots": [:]]
        #expect(!identity.offers("elicitation/create", [:]))
        #expect(identity.offers("elicitation/create", ["mode": "url"]))
        #expect(identity.offers("roots/list", .null))
        #expect(!identity.offers("sampling/createMessage", .null))
        #expect(!identity.offers("tools/call", .null))
    }
}
