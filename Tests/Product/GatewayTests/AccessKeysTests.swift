// Gatehouse. SPDX-License-Identifier: MIT

import Gateway
import HTTPWire
import Testing

@Suite struct `Access keys` {
    private func status(_ keys: [String], _ line: String, _ fields: String...) throws -> Int {
        let text = "\(line) HTTP/1.1\r\nHost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
        var parser = HTTPRequestHeadParser(limits: HTTPLimits())
        let bytes = Array(text.utf8)
        _ = try #require(try parser.parse(bytes.span))
        let access = try #require(AccessKeys(keys))
        do {
            try access.check(parser.takeHead())
            return 200
        } catch {
            #expect(error.fields.map(\.1) == ["ApiKey"])
            return error.status
        }
    }

    @Test func `are none without one, or with an empty one`() {
        #expect(AccessKeys([]) == nil)
        #expect(AccessKeys(["a", ""]) == nil)
    }

    @Test(arguments: [
        ("POST /mcp", 401), ("POST /mcp?code=", 401), ("POST /mcp?code=one", 200),
        ("POST /mcp?code=t%77o", 200),
        ("POST /mcp?x=1&code=one", 200), ("POST /mcp?code=one&code=one", 401), ("POST /mcp?code=onee", 401),
        ("POST /mcp?code=on", 401), ("POST /mcp?Code=one", 401), ("POST /mcp?code=%6", 401),
        ("GET /metrics", 401), ("GET /api/session_metrics", 401), ("GET /nothing", 401),
        ("GET /healthz", 200),
        ("GET /mcp/health", 200), ("GET /readyz", 200), ("OPTIONS /mcp", 200),
    ])
    func `are asked of everybody but those who look after the gateway`(_ line: String, _ expected: Int) throws
    {
        #expect(try status(["one", "two"], line) == expected)
    }

    @Test func `count in the field before the query`() throws {
        #expect(try status(["one", "two"], "POST /mcp", "X-Functions-Key: two") == 200)
        #expect(try status(["one"], "POST /mcp", "x-functions-key: two") == 401)
        #expect(try status(["one"], "POST /mcp?code=one", "x-functions-key: two") == 401)
        #expect(try status(["one"], "POST /mcp", "x-functions-key: one", "x-functions-key: one") == 401)
    }
}
