// Gatehouse. SPDX-License-Identifier: MIT

import Gateway
import HTTPWire
import JSONRPC
import Testing

@Suite struct GatewayTests {
    @Test(arguments: [
        ("/mcp", Resource.server(nil)), ("/mcp/", .server(nil)), ("/api/mcp", .server(nil)),
        ("/mcp/git", .server("git")),
        ("/mcp/git/", .server("git")), ("/api/mcp/git_1-x", .server("git_1-x")), ("/healthz", .health),
        ("/mcp/health", .health),
        ("/readyz", .readiness), ("/api/session_metrics", .sessionMetrics), ("/metrics", .metrics),
        ("/", .unknown), ("/api/metrics", .unknown), ("/metrics/x", .unknown),
        ("/mcp//", .unknown),
        ("/mcp/sse", .events(nil)), ("/mcp/message/", .messages(nil)), ("/api/mcp/sse/", .events(nil)),
        ("/mcp/git/sse", .events("git")), ("/api/mcp/git/message", .messages("git")),
        ("/mcp/git/sse/x", .unknown), ("/mcp/git//sse", .unknown), ("/mcp//sse", .unknown),
        ("/mcp/sse/message", .messages("sse")), ("/mcp/git/SSE", .unknown),
        ("/mcp/git/x", .unknown), ("/mcp/g%69t", .unknown), ("/mcp/..%2fx", .unknown), ("/mcp/a.b", .unknown),
        ("/MCP", .unknown),
        ("/api/api/mcp", .unknown), ("/mcpx", .unknown), ("/session_metrics", .unknown),
        ("/api/healthz", .unknown),
    ])
    func `a path has one meaning`(_ path: String, _ resource: Resource) {
        #expect(Resource(path: Array(path.utf8)[...]) == resource)
    }

    @Test func `a name of more than 64 characters is none`() {
        let name = String(repeating: "a", count: 64)
        #expect(Resource(path: Array("/mcp/\(name)".utf8)[...]) == .server(name))
        #expect(Resource(path: Array("/mcp/\(name)a".utf8)[...]) == .unknown)
    }

    private func admit(_ admission: Admission, _ fields: [String]) throws -> Bool {
        let text = "POST /mcp HTTP/1.1\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
        var parser = HTTPRequestHeadParser(limits: HTTPLimits())
        let bytes = Array(text.utf8)
        _ = try #require(try parser.parse(bytes.span))
        do {
            _ = try admission.admit(parser.takeHead())
            return true
        } catch {
            #expect(error.status == 403)
            return false
        }
    }

    private static let loopback = Admission(
        hosts: ["gate.example", "other.example:8443"],
        origins: ["https://app.example"],
        allowsLoopback: true
    )

    @Test(arguments: [
        ("localhost", true), ("LOCALHOST:80", true), ("127.0.0.1:8080", true), ("[::1]:1", true),
        ("[::1]", true), ("gate.example", true),
        ("GATE.example:99", true), ("other.example:8443", true), ("other.example", false),
        ("other.example:1", false), ("evil.test", false),
        ("localhost.evil.test", false), ("127.0.0.1.evil.test", false), ("xgate.example", false),
        ("127.0.0.2", false),
    ])
    func `only known hosts are served`(_ host: String, _ isServed: Bool) throws {
        #expect(try admit(Self.loopback, ["Host: \(host)"]) == isServed)
    }

    @Test func `names of this machine mean nothing where others can reach it`() throws {
        let open = Admission(hosts: ["gate.example"], origins: [], allowsLoopback: false)
        #expect(try !admit(open, ["Host: localhost"]))
        #expect(try admit(open, ["Host: gate.example"]))
        #expect(try !admit(open, ["Host: gate.example", "Origin: http://localhost"]))
    }

    @Test(arguments: [
        ("http://localhost:3000", true), ("https://127.0.0.1", true), ("http://[::1]:5", true),
        ("https://app.example", true),
        ("https://evil.example", false), ("null", false), ("http://app.example", false),
        ("https://app.example:444", false),
        ("http://localhost.evil.test", false), ("http://localhost/x", false), ("file://", false),
        ("localhost", false),
    ])
    func `only known origins are served`(_ origin: String, _ isServed: Bool) throws {
        #expect(try admit(Self.loopback, ["Host: localhost", "Origin: \(origin)"]) == isServed)
    }

    @Test func `a request across sites is refused although it names no origin`() throws {
        #expect(try !admit(Self.loopback, ["Host: localhost", "Sec-Fetch-Site: cross-site"]))
        #expect(try admit(Self.loopback, ["Host: localhost", "Sec-Fetch-Site: same-origin"]))
    }

    @Test func `two origins are one too many`() throws {
        #expect(
            try !admit(
                Self.loopback,
                ["Host: localhost", "Origin: http://localhost", "Origin: http://localhost"]
            )
        )
    }

    @Test(arguments: [
        (ErrorCode.invalidParams, FaultSource.upstream, 400), (.methodNotFound, .client, 404),
        (.unsupportedVersion, .upstream, 400), (.internalError, .client, 429),
        (.internalError, .upstream, 503),
        (.internalError, .gateway, 503), (ErrorCode(-1), .gateway, 503),
    ])
    func `a failure becomes the refusal that its code and its source say`(
        _ code: ErrorCode,
        _ source: FaultSource,
        _ status: Int
    ) {
        let refusal = Refusal(Failure(code, "no", source: source))
        #expect(refusal.status == status)
        #expect(refusal.failure.message == "no")
        #expect(refusal.fields.contains { "\($0.0)" == "Retry-After" } == (status == 429 || status == 503))
    }
}
