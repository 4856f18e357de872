// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPCore
import Testing

@Suite struct HeaderTests {
    @Test(arguments: [
        ("plain", "plain"), ("", ""), ("a b", "a b"), ("Grüße", "=?base64?R3LDvMOfZQ==?="),
        (" x", "=?base64?IHg=?="),
        ("x ", "=?base64?eCA=?="), ("a\tb", "=?base64?YQli?="), ("a\nb", "=?base64?YQpi?="),
        ("\u{7F}", "=?base64?fw==?="),
        ("=?base64?eA==?=", "=?base64?PT9iYXNlNjQ/ZUE9PT89?="), ("=?base64?", "=?base64?"), ("x?=", "x?="),
    ])
    func `values that cannot stand in a header are wrapped`(_ value: String, _ header: String) {
        #expect(RoutingHeaders.encode(value) == header)
        let decoded = RoutingHeaders.decode(Array(header.utf8)[...])
        #expect(decoded.map { String(decoding: $0, as: UTF8.self) } == value)
    }

    private let schema: JSONValue = [
        "type": "object",
        "properties": [
            "region": ["type": "string", "x-mcp-header": "Region"],
            "n": ["type": "integer", "x-mcp-header": "N"],
            "on": ["type": "boolean", "x-mcp-header": "On"], "free": ["type": "string"],
            "in": ["type": "object", "properties": ["deep": ["type": "string", "x-mcp-header": "Deep"]]],
        ],
    ]

    @Test(
        arguments: [
            (["region": "eu", "n": 42, "on": false, "free": "x"], ["region=eu", "n=42", "on=false"]),
            (["region": "Ås", "in": ["deep": " x"]], ["region==?base64?w4Vz?=", "deep==?base64?IHg=?="]),
            (["region": .null, "n": .number("4.0")], ["n=4.0"]), ([:], []),
            (["region": ["a"], "in": "x"], []),
        ] as [(JSONValue, [String])]
    )
    func `arguments are mirrored as their tool wants`(_ arguments: JSONValue, _ expected: [String]) throws {
        let parameters = try #require(HeaderParameters(inputSchema: schema))
        let fields = parameters.fields(for: arguments)
        #expect(fields.map { "\($0.name.dropFirst("mcp-param-".count))=\($0.value)" } == expected)
        #expect(fields.allSatisfy { $0.name.hasPrefix("mcp-param-") })
        // Each side of a hop must agree with the other.
        let failure = parameters.check(arguments) { name in
            fields.filter { $0.name == "mcp-param-" + String(decoding: name, as: UTF8.self) }
                .map { Array($0.value.utf8)[...] }
        }
        #expect((failure == nil) == (arguments["region"]?.array == nil))
    }

    @Test func `a call without arguments mirrors nothing`() throws {
        let parameters = try #require(HeaderParameters(inputSchema: schema))
        #expect(parameters.fields(for: nil).isEmpty)
    }
}
