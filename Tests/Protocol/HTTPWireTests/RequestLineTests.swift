// Gatehouse. SPDX-License-Identifier: MIT

import HTTPWire
import Testing

@Suite struct RequestLineTests {
    private func line(_ line: String) -> HTTPWireError.Kind? {
        refusal(line + "\r\nHost: a\r\n\r\n")
    }

    @Test func `the parts of a request line are told apart`() throws {
        let request = try message("GET /mcp/echo?a=1?2 HTTP/1.1\r\nHost: example.org:8080\r\n\r\n")
        #expect(request.method == .get)
        #expect(request.target.text == "/mcp/echo?a=1?2")
        #expect(request.path.text == "/mcp/echo")
        #expect(request.query?.text == "a=1?2")
        #expect(request.authority?.text == "example.org:8080")
        #expect(request.minor == 1)
        #expect(request.framing == .none)
    }

    @Test func `an empty query is not a missing query`() throws {
        #expect(try message("GET /? HTTP/1.1\r\nHost: a\r\n\r\n").query == [])
        #expect(try message("GET / HTTP/1.1\r\nHost: a\r\n\r\n").query == nil)
    }

    @Test(arguments: [
        ("GET", HTTPMethod.get), ("POST", .post), ("DELETE", .delete), ("OPTIONS", .options), ("HEAD", .head),
        ("PUT", .put), ("PATCH", .patch), ("TRACE", .trace), ("get", .other), ("PURGE", .other),
        ("M-SEARCH", .other), ("G", .other),
    ])
    func `methods are case-sensitive tokens`(name: String, method: HTTPMethod) throws {
        let request = try message("\(name) / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(request.method == method)
        #expect(request.name.text == name)
    }

    @Test func `a method that is no token is refused`() {
        for method in ["", "G@T", "GE\tT", "GÉT", "G\u{0}T", "\u{16}\u{3}\u{1}"] {
            #expect(line("\(method) / HTTP/1.1") == .malformedRequestLine)
        }
    }

    @Test func `a method longer than any known is answered 501`() {
        #expect(line(String(repeating: "A", count: 32) + " / HTTP/1.1") == nil)
        #expect(line(String(repeating: "A", count: 33) + " / HTTP/1.1") == .methodTooLong)
        #expect(HTTPWireError(.methodTooLong).status == 501)
    }

    @Test func `the parts are separated by one space`() {
        #expect(line(" GET / HTTP/1.1") == .malformedRequestLine)
        #expect(line("GET  / HTTP/1.1") == .malformedRequestLine)
        #expect(line("GET /  HTTP/1.1") == .malformedVersion)
        #expect(line("GET / HTTP/1.1 ") == .malformedVersion)
        #expect(line("GET\t/ HTTP/1.1") == .malformedRequestLine)
        #expect(line("GET /\tHTTP/1.1") == .malformedTarget)
        #expect(line("GET /a b HTTP/1.1") == .malformedVersion)
        #expect(line("GET") == .malformedRequestLine)
        #expect(line("GET /") == .malformedRequestLine)
        #expect(line("GET / ") == .malformedVersion)
    }

    @Test func `nothing may stand before the request line`() {
        #expect(line("\r\nGET / HTTP/1.1") == .malformedRequestLine)
        #expect(line("\nGET / HTTP/1.1") == .malformedRequestLine)
        #expect(line("\u{FEFF}GET / HTTP/1.1") == .malformedRequestLine)
    }

    @Test func `another version is answered 505`() {
        for version in ["HTTP/0.9", "HTTP/1.2", "HTTP/1.9", "HTTP/2.0", "HTTP/3.1", "HTTP/9.9", "HTTP/0.1"] {
            #expect(line("GET / \(version)") == .unsupportedVersion)
        }
        #expect(refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == .unsupportedVersion)
        #expect(HTTPWireError(.unsupportedVersion).status == 505)
    }

    @Test func `what is no version is refused`() {
        for version in [
            "http/1.1", "HTTP/1", "HTTP/1.", "HTTP/.1", "HTTP/11", "HTTP/1.1a", "HTTP/1.10", "HTTP 1.1",
            "HTTPS/1.1",
            "HTTP/1,1", "HTTP/+1.1", "ICE/1.0", "RTSP/1.0", "HTTP/ 1.1",
        ] {
            #expect(line("GET / \(version)") == .malformedVersion, "\(version)")
        }
        #expect(HTTPWireError(.malformedVersion).status == 400)
    }

    @Test func `a target holds visible ASCII and no fragment`() {
        for target in ["/#", "/a#b", "/é", "/\u{0}", "/\u{7F}", "/\u{B}"] {
            #expect(line("GET \(target) HTTP/1.1") == .malformedTarget, "\(target)")
        }
        #expect(line("GET /~!$&'()*+,;=:@%2F|{}\"<>\\^`[] HTTP/1.1") == nil)
    }

    @Test func `a target beyond its limit is answered 414`() {
        let longest = "/" + String(repeating: "a", count: 99)
        let limits = HTTPLimits(target: 100)
        #expect(refusal("GET \(longest) HTTP/1.1\r\nHost: a\r\n\r\n", limits: limits) == nil)
        #expect(refusal("GET \(longest)a HTTP/1.1\r\nHost: a\r\n\r\n", limits: limits) == .targetTooLong)
        #expect(refusal("GET \(longest)a", limits: limits) == .targetTooLong)
        #expect(HTTPLimits().target == 8192)
        #expect(HTTPWireError(.targetTooLong).status == 414)
    }

    @Test func `an asterisk is for OPTIONS only`() throws {
        #expect(try message("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").path.text == "*")
        #expect(line("GET * HTTP/1.1") == .malformedTarget)
        #expect(line("OPTIONS ** HTTP/1.1") == .malformedTarget)
    }

    @Test func `the authority of an absolute target wins and must be the host`() throws {
        let request = try message("GET http://Example.org:80/a?b HTTP/1.1\r\nHost: example.ORG:80\r\n\r\n")
        #expect(request.authority?.text == "Example.org:80")
        #expect(request.path.text == "/a")
        #expect(request.query?.text == "b")
        #expect(try message("GET HTTPS://a HTTP/1.0\r\n\r\n").authority?.text == "a")
        #expect(try message("GET http://a?b HTTP/1.1\r\nHost: a\r\n\r\n").path.text == "/")
        for host in ["b", "a:80", "a.", "[::1]"] {
            #expect(refusal("GET http://a/ HTTP/1.1\r\nHost: \(host)\r\n\r\n") == .hostMismatch)
        }
        // Equal but for bit 5 of a byte that is no letter.
        #expect(refusal("GET http://a-b/ HTTP/1.1\r\nHost: a\rb\r\n\r\n") == .bareCarriageReturn)
        #expect(refusal("GET http://a/ HTTP/1.1\r\n\r\n") == .missingHost)
    }

    @Test func `an absolute target is an http URL with a plain authority`() {
        for target in [
            "ftp://a/", "http:/a", "http:///a", "http://", "https://", "http://?a", "//a", "a", "a:80",
            "http:a",
            "http://u@a/", "http://u:p@a/", "http://a:b/", "http://a,b/", "http://a%2e/",
            "file:///etc/passwd",
        ] where target != "//a" {
            #expect(line("GET \(target) HTTP/1.1") == .malformedTarget, "\(target)")
        }
    }

    @Test func `a path may start with two slashes`() throws {
        #expect(try message("GET //a/b HTTP/1.1\r\nHost: a\r\n\r\n").path.text == "//a/b")
    }

    @Test func `CONNECT names an authority and nothing else does`() throws {
        let request = try message("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")
        #expect(request.method == .connect)
        #expect(request.authority?.text == "a:443")
        #expect(request.path.isEmpty)
        #expect(line("CONNECT / HTTP/1.1") == .malformedTarget)
        #expect(line("CONNECT http://a HTTP/1.1") == .malformedTarget)
        #expect(line("CONNECT b HTTP/1.1") == .hostMismatch)
    }
}
