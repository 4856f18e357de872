// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import HTTPClient
import JSON
import MCPClient
import MCPCore
import TestSupport
import Testing

/// What a server answers to a request, made of its JSON.
private func response(
    status: String = "200 OK",
    type: String = "application/json",
    fields: String = "",
    _ body: String
) -> String {
    "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

private func result(_ id: JSONValue, _ result: String) -> String {
    #"{"jsonrpc":"2.0","id":\#(String(decoding: id.text(), as: UTF8.self)),"result":\#(result)}"#
}

private let discovered =
    #"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}"#
private let initialized =
    #"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"n","version":"1"}}"#

/// A server whose answers are a function of the method, the id and how many requests came before.
private func scripted(
    _ loop: EventLoop,
    _ answer: @escaping (_ method: String, _ id: JSONValue, _ index: Int) -> String
) throws -> (ServerTarget, ScriptedServer?) {
    var index = 0
    let server = try ScriptedServer(loop) { request, stream in
        let body = try? JSONValue(Array(request.body.utf8).span)
        let method = body?["method"]?.string ?? request.line
        stream.write(answer(method, body?["id"] ?? .null, index))
        index += 1
    }
    return (.http(url: server.url, fields: [HTTPField("x-own", "mine")]), server)
}

@Suite struct HTTPTransportTests {
    @Test func `a modern server is asked without a session, with headers that route`() async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop) {
                try scripted(loop) { method, id, _ in
                    let body =
                        method == "server/discover" ? discovered : #"{"resultType":"complete","content":[]}"#
                    return response(fields: "Mcp-Session-Id: nonsense\r\n", result(id, body))
                }
            }
            try await bench.request("tools/call", ["name": "ä", "arguments": [:]])
            try await bench.close()
            try await loop.run {
                #expect(bench.value.client.server?.era == .modern)
                #expect(bench.value.texts == [#"{"resultType":"complete","content":[]}"#])
                let requests = bench.value.server?.requests ?? []
                #expect(requests.map(\.line) == ["POST /path HTTP/1.1", "POST /path HTTP/1.1"])
                let call = requests.last
                #expect(call?.value("mcp-protocol-version") == "2026-07-28")
                #expect(call?.value("mcp-method") == "tools/call")
                #expect(call?.value("mcp-name") == "=?base64?w6Q=?=")
                #expect(call?.value("mcp-session-id") == nil)
                #expect(call?.value("x-own") == "mine")
                #expect(call?.value("accept") == "application/json, text/event-stream")
                #expect(call?.value("content-type") == "application/json")
            }
        }
    }

    @Test func `a legacy server is found, its session kept and ended`() async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop) {
                try scripted(loop) { method, id, _ in
                    switch method {
                    case "server/discover":
                        response(status: "400 Bad Request", type: "text/plain", "no session")
                    case "initialize": response(fields: "Mcp-Session-Id: s-1\r\n", result(id, initialized))
                    case "notifications/initialized": "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
                    case "tools/list": response(result(id, #"{"tools":[]}"#))
                    default: "HTTP/1.1 204 No Content\r\n\r\n"
                    }
                }
            }
            try await bench.request("tools/list")
            try await bench.close()
            try await loop.run {
                #expect(bench.value.client.server?.revision == .v2025_11_25)
                #expect(bench.value.texts == [#"{"tools":[]}"#])
                let requests = bench.value.server?.requests.filter { !$0.line.hasPrefix("GET") } ?? []
                #expect(requests.map { $0.value("mcp-session-id") } == [nil, nil, "s-1", "s-1", "s-1"])
                let versions = requests.map { $0.value("mcp-protocol-version") }
                #expect(versions == ["2026-07-28", nil, "2025-11-25", "2025-11-25", "2025-11-25"])
                #expect(requests.last?.line == "DELETE /path HTTP/1.1")
                #expect(requests.last?.value("x-own") == "mine")
                #expect(
                    requests.allSatisfy {
                        $0.line.hasPrefix("DELETE") || $0.value("mcp-method") == nil
                            || $0.body.contains("discover")
                    }
                )
            }
        }
    }

    @Test func `an event stream brings progress, questions and at last the answer`() async throws {
        let events = [
            "id: 1\nretry: 10\ndata:\n\n: talk\n\n",
            #"data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":2,"progress":1}}"#,
            "\n\n", #"data: {"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{}}"#, "\n\n",
            #"data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}"#, "\n\n",
            #"event: other"#, "\n", #"data: {"jsonrpc":"2.0","id":2,"result":{"wrong":1}}"#, "\n\n",
            #"data: {"jsonrpc":"2.0","id":2,"#, "\n", #"data: "result":{"content":[]}}"#, "\n\n",
        ].joined()
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop, era: .legacy) {
                try scripted(loop) { method, id, _ in
                    switch method {
                    case "initialize": response(result(id, initialized))
                    case "tools/call": response(type: "text/event-stream; charset=utf-8", events)
                    default: "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
                    }
                }
            }
            try await bench.request("tools/call", ["name": "x"])
            try await loop.wait("the refusal") {
                bench.value.server?.requests.last?.body.contains("-32601") == true
            }
            try await loop.run {
                #expect(bench.value.texts == [#"{"content":[]}"#])
                #expect(bench.value.progress == [["progressToken": 2, "progress": 1]])
                #expect(bench.value.events == ["notifications/message"])
                let refusal = bench.value.server?.requests.last?.body ?? ""
                #expect(refusal.contains(#""id":"q""#) && refusal.contains("-32601"))
            }
            try await bench.close()
        }
    }

    @Test(arguments: [
        ("401 Unauthorized", 401), ("403 Forbidden", 403), ("500 Oops", 500), ("302 Found", 302),
    ])
    func `a refusal that says nothing about the era is not tried around`(
        _ line: String,
        _ status: Int
    ) async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop) {
                try scripted(loop) { _, _, _ in response(status: line, type: "text/html", "<p>") }
            }
            try await loop.run {
                #expect(bench.value.error == .http(status: status, detail: ""))
                #expect(bench.value.server?.requests.count == 1)
            }
            try await bench.close()
        }
    }

    @Test(arguments: [
        response(status: "404 Not Found", #"{"jsonrpc":"2.0","error":{"code":-32601,"message":"no"}}"#),
        response(status: "200 OK", type: "text/html", "<p>"), response(status: "202 Accepted", ""),
        response(status: "200 OK", "{}"),
        response(type: "text/event-stream", "data: {}\n\n"), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
    ])
    func `a request ends whatever comes instead of an answer`(_ answer: String) async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop, era: .modern) {
                try scripted(loop) { method, id, _ in
                    method == "server/discover" ? response(result(id, discovered)) : answer
                }
            }
            try await loop.run {
                bench.value.request("x/y")
                // A body that stays short ends with its connection.
                if answer.hasSuffix("\r\n\r\nx") {
                    loop.onNextTurn { bench.value.request("x/z") }
                }
            }
            if answer.hasSuffix("\r\n\r\nx") {
                try await loop.wait("the requests") { bench.value.server?.requests.count == 3 }
                try await loop.run { bench.value.server?.connections.forEach { $0.closeAfterWriting() } }
            }
            try await loop.wait("the end") { !bench.value.results.isEmpty }
            try await loop.run { #expect(bench.value.texts.first?.hasPrefix("! ") == true) }
            try await bench.close()
        }
    }

    @Test func `when headers do not fit, the tools are read again and the call is sent once more`()
        async throws
    {
        let tool =
            #"{"name":"t","inputSchema":{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A"}}}}"#
        let bad = #"{"name":"u","inputSchema":{"properties":{"a":{"type":"number","x-mcp-header":"A"}}}}"#
        let mismatch = #"{"jsonrpc":"2.0","error":{"code":-32020,"message":"no"}}"#
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop) {
                try scripted(loop) { method, id, index in
                    switch method {
                    case "server/discover": response(result(id, discovered))
                    case "tools/list":
                        response(result(id, #"{"resultType":"complete","tools":[\#(tool),\#(bad)]}"#))
                    default:
                        index == 1
                            ? response(status: "400 Bad Request", mismatch)
                            : response(result(id, #"{"ok":1}"#))
                    }
                }
            }
            try await bench.request("tools/call", ["name": "t", "arguments": ["a": "ü"]])
            try await bench.request("tools/list")
            try await bench.close()
            try await loop.run {
                #expect(bench.value.texts.first == #"{"ok":1}"#)
                #expect(bench.value.texts.last?.contains(#""name":"u""#) == false)
                #expect(bench.value.events.contains { $0.contains("\"u\"") })
                let requests = bench.value.server?.requests ?? []
                let values = requests.map { $0.value("mcp-param-a") }
                #expect(values == [nil, nil, nil, "=?base64?w7w=?=", nil])
                let ids = requests.compactMap { try? JSONValue(Array($0.body.utf8).span)["id"]?.integer }
                #expect(Set(ids).count == ids.count)
            }
        }
    }

    @Test func `a list is read page by page, and one without end is given up`() async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop) {
                try scripted(loop) { method, id, index in
                    switch (method, index) {
                    case ("server/discover", _): response(result(id, discovered))
                    case ("prompts/list", _): response(result(id, #"{"prompts":[],"nextCursor":"same"}"#))
                    case (_, 1): response(result(id, #"{"tools":[{"name":"a"}],"nextCursor":"","x":1}"#))
                    default: response(result(id, #"{"tools":[{"name":"b"}]}"#))
                    }
                }
            }
            for (index, method) in ["tools/list", "prompts/list"].enumerated() {
                try await loop.run {
                    bench.value.client.list(method) { bench.value.results.append($0) }
                }
                try await loop.wait("the list") { bench.value.results.count == index + 1 }
            }
            try await loop.run {
                #expect(
                    bench.value.texts == [
                        #"{"tools":[{"name":"a"},{"name":"b"}],"x":1}"#,
                        "! the list prompts/list does not end",
                    ]
                )
                #expect(bench.value.server?.requests[2].body.contains(#""cursor":"""#) == true)
            }
            try await bench.close()
        }
    }

    @Test func `what was told before the end still arrives`() async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop) {
                try scripted(loop) { method, id, _ in
                    method == "server/discover"
                        ? response(result(id, discovered))
                        : "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
                }
            }
            try await loop.run { bench.value.client.notify("notifications/x", ["a": 1]) }
            try await bench.close()
            try await loop.run {
                let bodies = bench.value.server?.requests.map(\.body) ?? []
                #expect(bodies.count == 2)
                #expect(bodies.last == #"{"jsonrpc":"2.0","method":"notifications/x","params":{"a":1}}"#)
            }
        }
    }

    @Test func `a cancelled call ends at once, and in the modern era by closing its stream`() async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop) {
                try scripted(loop) { method, id, _ in
                    method == "server/discover"
                        ? response(result(id, discovered))
                        : "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n:\n\n"
                }
            }
            let call = try await loop.run {
                LoopBound(bench.value.client.request("x/y") { bench.value.results.append($0) }, loop)
            }
            try await loop.wait("the request") { bench.value.server?.requests.count == 2 }
            try await loop.run { call.value.cancel() }
            try await loop.wait("the closed stream") {
                bench.value.server?.connections.allSatisfy(\.isClosed) == true
            }
            try await loop.run {
                #expect(bench.value.texts == ["! \(MCPClientError.cancelled)"])
                #expect(bench.value.server?.requests.count == 2)
            }
            try await bench.close()
        }
    }
}
