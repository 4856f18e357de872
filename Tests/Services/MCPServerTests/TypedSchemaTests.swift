// Gatehouse. SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing

@testable import MCPServer

/// A type within itself.
struct Tree: Codable {
    var name: String
    var children: [Tree]
}

/// An enumeration that says nothing about its values.
enum Shape: Codable {
    case circle(radius: Double)
    case point
}

struct Drawing: Codable {
    var shape: Shape
}

/// A type that describes itself.
struct Temperature: Codable, SchemaDescribed {
    static let schema: JSONValue = ["type": "number", "minimum": -273]
    var degrees: Double
    init(from decoder: any Decoder) throws {
        degrees = try decoder.singleValueContainer().decode(Double.self)
    }
}

struct Answers<Output: Codable & Sendable>: Tool {
    static var name: String { "answers" }
    static var summary: String { "Answers what it holds." }
    @Parameter("What to answer.") var value: Output
    func call(_ context: ToolContext<Void>) async throws -> Output { value }
}

struct ByHand: Tool {
    static let name = "by_hand"
    static let summary = "Has a schema of its own."
    static let inputSchema: JSONValue = ["type": "object", "anyOf": [["required": ["x"]]]]
    static let outputSchema: JSONValue = ["type": "array"]
    static let icons = [Icon(source: "https://a.example/i.png", sizes: ["48x48"])]
    static let meta: JSONValue = ["example/key": 1]
    @Parameter("One field.", default: 0) var known: Int
    func call(_ context: ToolContext<Void>) async throws -> ToolResult {
        ToolResult([.text("\(known)")], structuredContent: [context.arguments])
    }
}

struct Shows: Tool {
    static let name = "shows"
    static let summary = "Content of two kinds."
    func call(_ context: ToolContext<Void>) -> [Content] {
        [.text("a"), .image(base64: "AA==", mimeType: "image/png")]
    }
}

@Suite struct TypedSchemaTests {
    @Test func `the schema of arguments comes from the declaration`() throws {
        let schema = try #require(Bench(PayInvoice.self, using: 0).inputSchema)
        #expect(
            schema
                == (try json(
                    #"""
                    {"type":"object","properties":{
                      "invoiceID":{"type":"integer","description":"The invoice to pay."},
                      "amount":{"type":"number","description":"Amount in dollars.","minimum":0.01,"maximum":1000},
                      "method":{"type":"string","enum":["creditCard","cash","barter"],"description":"How it was paid.",
                        "default":"creditCard"},
                      "priority":{"type":"integer","oneOf":[{"const":1,"title":"Whenever"},{"const":9,"title":"At once"}],
                        "description":"How urgent it is."},
                      "lines":{"type":"array","items":{"type":"object","properties":{"article":{"type":"string"},
                          "count":{"type":"integer"},"note":{"type":"string"}},"required":["article","count"],
                          "additionalProperties":false},"description":"What was bought.","maxItems":3,"default":[]},
                      "address":{"type":"object","properties":{"street":{"type":"string","description":"The street."},
                          "country":{"type":"string","description":"The country.","minLength":2,"maxLength":2,
                            "default":"DE"}},"required":["street"],"additionalProperties":false,
                        "description":"Where it goes."},
                      "paid_at":{"type":"string","format":"date-time","description":"When it was paid."},
                      "region":{"type":"string","description":"Where.","pattern":"^[a-z]+$","x-mcp-header":"Region"},
                      "email":{"type":"string","description":"Whom to tell.","format":"email"}},
                     "required":["invoiceID","amount"],"additionalProperties":false}
                    """#
                )),
            "\(text(schema))"
        )
    }

    @Test func `the schema of the output comes from its type`() throws {
        let schema = try #require(Bench(PayInvoice.self, using: 0).outputSchema)
        #expect(
            schema
                == (try json(
                    #"""
                    {"type":"object","properties":{"number":{"type":"integer"},"total":{"type":"number"},
                      "method":{"type":"string","enum":["creditCard","cash","barter"]},
                      "lines":{"type":"array","items":{"type":"object","properties":{"article":{"type":"string"},
                        "count":{"type":"integer"},"note":{"type":"string"}},"required":["article","count"]}},
                      "paidAt":{"type":"string","format":"date-time"},"note":{"type":"string"}},
                     "required":["number","total","method","lines","paidAt"]}
                    """#
                )),
            "\(text(schema))"
        )
    }

    @Test func `a tool is listed with what it declares`() {
        let definition = Bench(PayInvoice.self, using: 0).tool.definition
        #expect(definition["name"] == "pay_invoice")
        #expect(definition["title"] == "Pay an invoice")
        #expect(definition["description"] == "Record a payment against an invoice.")
        #expect(definition["annotations"] == ["readOnlyHint": false, "idempotentHint": true])
        #expect(definition["icons"] == nil)
    }

    @Test func `roots that are no objects are possible`() async throws {
        #expect(Bench(Answers<[Int]>.self).outputSchema == ["type": "array", "items": ["type": "integer"]])
        #expect(Bench(Answers<Int>.self).outputSchema == ["type": "integer"])
        #expect(Bench(Answers<Date>.self).outputSchema == ["type": "string", "format": "date-time"])
        #expect(
            Bench(Answers<[String: Bool]>.self).outputSchema?["additionalProperties"] == ["type": "boolean"]
        )
        let result = try await Bench(Answers<[Int]>.self).call(["value": [1, 2]])
        #expect(result == ToolResult([.text("[1,2]")], structuredContent: [1, 2]))
    }

    @Test func `text and content are content only`() async throws {
        #expect(Bench(Answers<String>.self).outputSchema == nil)
        #expect(try await Bench(Answers<String>.self).call(["value": "x"]) == ToolResult([.text("x")]))
        #expect(Bench(Shows.self).outputSchema == nil)
        let shown = try await Bench(Shows.self).call([:])
        #expect(shown == ToolResult([.text("a"), .image(base64: "AA==", mimeType: "image/png")]))
    }

    @Test func `what cannot be described is described by what lets all through`() async throws {
        #expect(
            Bench(Answers<Tree>.self).outputSchema?["properties"]
                == ["name": ["type": "string"], "children": ["type": "array", "items": [:]]]
        )
        #expect(Bench(Answers<Drawing>.self).outputSchema == [:])
        #expect(Bench(Answers<Temperature>.self).outputSchema == ["type": "number", "minimum": -273])
        let tree = try json(#"{"name":"a","children":[{"name":"b","children":[]}]}"#)
        #expect(try await Bench(Answers<Tree>.self).call(["value": tree]).structuredContent == tree)
        let drawing = try json(#"{"shape":{"circle":{"radius":1.5}}}"#)
        #expect(try await Bench(Answers<Drawing>.self).call(["value": drawing]).structuredContent == drawing)
    }

    @Test func `a schema by hand is published as it is, and lets other fields through`() async throws {
        let bench = Bench(ByHand.self)
        #expect(bench.inputSchema == ByHand.inputSchema)
        #expect(bench.outputSchema == ["type": "array"])
        #expect(bench.tool.definition["icons"]?.array?.count == 1)
        #expect(bench.tool.definition["_meta"] == ["example/key": 1])
        let result = try await bench.call(["known": 3, "x": 4])
        #expect(result == ToolResult([.text("3")], structuredContent: [["known": 3, "x": 4]]))
        #expect(try await bench.complaints(["known": "x"]) == ["known must be an integer, not a string"])
    }

    @Test func `numbers that JSON does not have are not written`() {
        #expect(throws: EncodingError.self) { try ToolResult(output: [Double.infinity]) }
    }
}
