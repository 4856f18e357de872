// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import Testing

@Suite struct HeaderParametersTests {
    private func value(_ text: String) throws -> JSONValue {
        let bytes = Array(text.utf8)
        return try JSONValue(bytes.span)
    }

    private func check(_ schema: String, _ arguments: String?, _ headers: [String: [String]]) throws -> Int? {
        let parameters = try #require(HeaderParameters(inputSchema: try value(schema)))
        let failure = parameters.check(try arguments.map(value)) { name in
            (headers[String(decoding: name, as: UTF8.self)] ?? []).map { Array($0.utf8)[...] }
        }
        return failure?.code.value
    }

    private static let schema = #"""
        {"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},
        "inner":{"type":"object","properties":{"count":{"type":"integer","x-mcp-header":"Count"}}},
        "flag":{"type":"boolean","x-mcp-header":"Flag"}}}
        """#

    @Test func `arguments that are mirrored pass`() throws {
        #expect(
            try check(
                Self.schema,
                #"{"region":"eu","inner":{"count":42.0},"flag":true}"#,
                ["region": ["eu"], "count": ["42"], "flag": ["true"]]
            ) == nil
        )
        #expect(try check(Self.schema, #"{"region":null}"#, [:]) == nil)
        #expect(try check(Self.schema, nil, [:]) == nil)
        #expect(try check(Self.schema, #"{"region":"é"}"#, ["region": ["=?base64?w6k=?="]]) == nil)
    }

    @Test(arguments: [
        (#"{"region":"eu"}"#, [:]), (#"{"region":"eu"}"#, ["region": ["EU"]]), (#"{}"#, ["region": ["eu"]]),
        (#"{"region":null}"#, ["region": ["eu"]]), (#"{"region":"eu"}"#, ["region": ["eu", "eu"]]),
        (#"{"region":"eu"}"#, ["region": ["=?base64?ZXU?="]]),
        (#"{"region":"eu"}"#, ["region": ["=?base64?ZXU=!?="]]),
        (#"{"inner":{"count":42}}"#, ["count": ["43"]]), (#"{"inner":{"count":42}}"#, ["count": ["x"]]),
        (#"{"flag":true}"#, ["flag": ["True"]]), (#"{"region":{}}"#, ["region": ["eu"]]),
    ])
    func `arguments that are not are a mismatch`(_ arguments: String, _ headers: [String: [String]]) throws {
        #expect(try check(Self.schema, arguments, headers) == -32020)
    }

    @Test(arguments: [
        #"{"properties":{"a":{"type":"number","x-mcp-header":"A"}}}"#,
        #"{"properties":{"a":{"type":"string","x-mcp-header":""}}}"#,
        #"{"properties":{"a":{"type":"string","x-mcp-header":"A b"}}}"#,
        #"{"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}"#,
        #"{"properties":{"a":{"type":"array","items":{"type":"string","x-mcp-header":"A"}}}}"#,
        #"{"properties":{"a":{"anyOf":[{"type":"string","x-mcp-header":"A"}]}}}"#,
        #"{"type":"string","x-mcp-header":"A"}"#,
        #"{"$defs":{"d":{"properties":{"a":{"type":"string","x-mcp-header":"A"}}}}}"#,
    ])
    func `an annotation that breaks the rules spoils its tool`(_ schema: String) throws {
        #expect(HeaderParameters(inputSchema: try value(schema)) == nil)
    }
}
