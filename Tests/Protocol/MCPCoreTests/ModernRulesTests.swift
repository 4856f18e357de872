// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import Testing

@Suite struct ModernRulesTests {
    private static let meta =
        #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#

    private func request(_ method: String, _ params: String = "", meta: String = Self.meta) -> String {
        #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":{\#(meta)\#(params)}}"#
    }

    private func headers(
        _ method: String?,
        name: String? = nil,
        version: String? = "2026-07-28"
    ) -> RoutingHeaders {
        var headers = RoutingHeaders()
        headers.version = version.map { Array($0.utf8)[...] }
        headers.method = method.map { Array($0.utf8)[...] }
        headers.name = name.map { Array($0.utf8)[...] }
        return headers
    }

    private func check(_ text: String, _ headers: RoutingHeaders) throws -> Int? {
        let line = try Line(text)
        return ModernRules.check(line.message, line.bytes.span, headers: headers)?.code.value
    }

    @Test func `a request that is whole passes`() throws {
        #expect(try check(request("tools/list"), headers("tools/list")) == nil)
        #expect(try check(request("tools/call", #","name":"a""#), headers("tools/call", name: "a")) == nil)
        #expect(
            try check(
                request("resources/read", #","uri":"x://ä""#),
                headers("resources/read", name: "=?base64?eDovL8Ok?=")
            ) == nil
        )
        #expect(try check(request("something/else"), headers("something/else")) == nil)
    }

    @Test func `a defect of the envelope comes before one of the headers`() throws {
        #expect(try check(request("tools/list", meta: #""_meta":{}"#), headers(nil)) == -32602)
        let withoutCapabilities = #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#
        #expect(try check(request("tools/list", meta: withoutCapabilities), headers(nil)) == -32602)
        let withWrongTypes =
            #""_meta":{"io.modelcontextprotocol/protocolVersion":1,"io.modelcontextprotocol/clientCapabilities":{}}"#
        #expect(try check(request("tools/list", meta: withWrongTypes), headers(nil)) == -32602)
        #expect(
            try check(#"{"jsonrpc":"2.0","id":null,"method":"x","params":{\#(Self.meta)}}"#, headers(nil))
                == -32600
        )
    }

    @Test(
        arguments: [
            ("tools/list", nil, nil), ("Tools/List", nil, nil), ("tools/call", nil, nil),
            ("tools/list", nil, "2025-11-25"),
        ] as [(String, String?, String?)]
    )
    func `a header that is missing or says something else is a mismatch`(
        _ method: String,
        _ name: String?,
        _ version: String?
    ) throws {
        #expect(try check(request("tools/list"), headers(method, name: name, version: version)) == -32020)
    }

    @Test(arguments: [
        nil, "b", "A", "=?base64?Yg==?=", "=?base64?YQ?=", "=?base64?YR==?=", "=?base64?Y Q==?=",
        "=?base64?YQ==", "YQ==?=",
    ])
    func `a name that does not decode to the body's is a mismatch`(_ name: String?) throws {
        #expect(
            try check(request("tools/call", #","name":"a""#), headers("tools/call", name: name)) == -32020
        )
    }

    @Test func `without prefix and suffix a name is literal`() throws {
        let text = request("tools/call", ##","name":"=?base64?YQ==""##)
        #expect(try check(text, headers("tools/call", name: "=?base64?YQ==")) == nil)
    }

    @Test func `two headers are as wrong as none`() throws {
        var both = headers("tools/list")
        both.hasDuplicates = true
        #expect(try check(request("tools/list"), both) == -32020)
    }

    @Test func `a revision that is not served is named together with those that are`() throws {
        let meta = Self.meta.replacing("2026-07-28", with: "2099-01-01")
        let line = try Line(request("tools/list", meta: meta))
        let failure = ModernRules.check(
            line.message,
            line.bytes.span,
            headers: headers("tools/list", version: "2099-01-01")
        )
        #expect(failure?.code == .unsupportedVersion)
        #expect(failure?.data == ["supported": ["2026-07-28"], "requested": "2099-01-01"])
    }

    @Test(arguments: [
        "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe",
        "tasks/result", "tasks/list",
    ])
    func `a method that the era took out is unknown`(_ method: String) throws {
        #expect(try check(request(method), headers(method)) == -32601)
    }

    @Test func `a client sends no responses`() throws {
        #expect(try check(#"{"jsonrpc":"2.0","id":1,"result":{}}"#, headers(nil)) == -32600)
    }

    @Test(arguments: ["1.5", "{}", "null", "true"])
    func `a progress token is a string or an integer`(_ token: String) throws {
        let meta = Self.meta.dropLast() + #","progressToken":\#(token)}"#
        #expect(try check(request("tools/list", meta: String(meta)), headers("tools/list")) == -32602)
    }

    @Test(
        arguments: [
            (#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#, nil, Era.legacy),
            (#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#, "2026-07-28", .legacy),
            (#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, nil, .legacy),
            (#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, "2025-11-25", .legacy),
            (#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, "2026-07-28", .modern),
            (
                #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"x"}}}"#,
                nil, .modern
            ),
            (#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#, "2026-07-28", .modern),
            (#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#, nil, .legacy),
        ] as [(String, String?, Era)]
    )
    func `the body tells the era before the header does`(_ text: String, _ header: String?, _ era: Era) throws
    {
        #expect(Era.of(try Line(text).message, header: header.map { Array($0.utf8)[...] }) == era)
    }
}
