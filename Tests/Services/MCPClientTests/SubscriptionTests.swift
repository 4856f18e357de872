// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import HTTPClient
import JSON
import MCPClient
import MCPCore
import TestSupport
import Testing

@Suite struct SubscriptionFilterTests {
    @Test func `a filter is written as the modern era has it, and read back`() {
        var filter = SubscriptionFilter()
        #expect(filter.isEmpty && filter.value == [:])
        filter.tools = true
        filter.uris = ["a:b"]
        filter.tasks = ["t"]
        #expect(
            filter.value == [
                "toolsListChanged": true, "resourceSubscriptions": ["a:b"], "taskIds": ["t"],
            ]
        )
        #expect(SubscriptionFilter(filter.value) == filter)
        #expect(SubscriptionFilter(["toolsListChanged": 1, "resourceSubscriptions": "x"]) == nil)
    }

    @Test func `notifications of a session are told to those who want them`() {
        var filter = SubscriptionFilter()
        filter.prompts = true
        filter.uris = ["file:///a"]
        #expect(filter.covers(.promptsChanged, uri: nil))
        #expect(!filter.covers(.toolsChanged, uri: nil))
        #expect(filter.covers(.resourceUpdated, uri: "file:///a"))
        #expect(filter.covers(.resourceUpdated, uri: "file:///a/b"))
        #expect(!filter.covers(.resourceUpdated, uri: "file:///ab"))
        #expect(!filter.covers(.resourceUpdated, uri: nil))
        #expect(!filter.covers(.other, uri: nil))
    }

    @Test func `pauses double within bounds, and end`() {
        var backoff = Backoff(first: 100, longest: 500, limit: 5)
        #expect((0..<6).map { _ in backoff.failed() } == [100, 200, 400, 500, 500, nil])
        backoff.succeeded()
        #expect(backoff.failed() == 100)
    }
}

@Suite struct SubscriptionTests {
    private static let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

    private static func notice(_ id: JSONValue, _ method: String, _ more: String = "") -> String {
        let id = String(decoding: id.text(), as: UTF8.self)
        let meta = #""_meta":{"io.modelcontextprotocol/subscriptionId":\#(id)}"#
        return #"data: {"jsonrpc":"2.0","method":"notifications/\#(method)","params":{\#(more)\#(meta)}}"#
            + "\n\n"
    }

    /// The words for what became of a subscription.
    private static func word(_ event: MCPSubscription.Event) -> String {
        switch event {
        case .began(let filter): "began \(String(decoding: filter.value.text(), as: UTF8.self))"
        case .notice(let method, _): method
        case .interrupted: "interrupted"
        case .ended(nil): "ended"
        case .ended: "failed"
        }
    }

    @Test func `a stream that breaks off is opened again under a new id, until the server ends it`()
        async throws
    {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop) {
                var listens = 0
                let server = try ScriptedServer(loop) { request, stream in
                    let body = try? JSONValue(Array(request.body.utf8).span)
                    let id = body?["id"] ?? .null
                    guard body?["method"] == "subscriptions/listen" else {
                        let result = #"{"supportedVersions":["2026-07-28"],"capabilities":{}}"#
                        let text = #"{"jsonrpc":"2.0","id":1,"result":\#(result)}"#
                        stream.write(
                            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                + "Content-Length: \(text.utf8.count)\r\n\r\n\(text)"
                        )
                        return
                    }
                    listens += 1
                    let early = Self.notice(id, "prompts/list_changed")
                    let ack = Self.notice(
                        id,
                        "subscriptions/acknowledged",
                        #""notifications":{"toolsListChanged":true},"#
                    )
                    let other = Self.notice(99, "tools/list_changed")
                    stream.write(Self.head + early + ack + other + Self.notice(id, "tools/list_changed"))
                    if listens == 2 {
                        let number = String(decoding: id.text(), as: UTF8.self)
                        stream.write(#"data: {"jsonrpc":"2.0","id":\#(number),"result":{}}"# + "\n\n")
                    }
                    stream.closeAfterWriting()
                }
                return (.http(url: server.url), server)
            }
            try await loop.run {
                var filter = SubscriptionFilter()
                filter.tools = true
                bench.value.client.subscribe(filter) { bench.value.told.append(Self.word($0)) }
            }
            try await loop.wait("the end") { bench.value.told.last == "ended" }
            try await loop.run {
                let began = #"began {"toolsListChanged":true}"#
                let changed = "notifications/tools/list_changed"
                #expect(bench.value.told == [began, changed, "interrupted", began, changed, "ended"])
                let ids = bench.value.server?.requests.compactMap {
                    try? JSONValue(Array($0.body.utf8).span)["id"]?.integer
                }
                #expect(Set(ids ?? []).count == 3)
            }
            try await bench.close()
        }
    }

    @Test func `a refused subscription ends, and so does one when the client does`() async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop) {
                (
                    shell(
                        """
                        *server/discover*) reply '{"supportedVersions":["2026-07-28"],"capabilities":{}}' ;;
                        *toolsList*) printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no"}}\\n' "$id" ;;
                        """
                    ), nil
                )
            }
            try await loop.run {
                var filter = SubscriptionFilter()
                filter.tools = true
                bench.value.client.subscribe(filter) { bench.value.told.append("1 " + Self.word($0)) }
                filter = SubscriptionFilter()
                filter.prompts = true
                bench.value.client.subscribe(filter) { bench.value.told.append("2 " + Self.word($0)) }
            }
            try await loop.wait("the refusal") { bench.value.told == ["1 failed"] }
            try await bench.close()
            try await loop.run { #expect(bench.value.told == ["1 failed", "2 failed"]) }
        }
    }

    @Test func `a legacy server is asked once for each resource, and told when nobody wants it any more`()
        async throws
    {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop, era: .legacy) {
                let update =
                    #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:b"}}"#
                return (
                    shell(
                        """
                        *'"initialize"'*) reply "$welcome" ;;
                        *resources/subscribe*) echo subscribed >&2; reply '{}' ;;
                        *resources/unsubscribe*) echo unsubscribed >&2; reply '{}' ;;
                        *touch*) printf '%s\\n' '\(update)'; reply '{}' ;;
                        """
                    ), nil
                )
            }
            let pair = try await loop.run {
                var filter = SubscriptionFilter()
                filter.uris = ["a:b"]
                let first = bench.value.client.subscribe(filter) {
                    bench.value.told.append("1 " + Self.word($0))
                }
                let second = bench.value.client.subscribe(filter) {
                    bench.value.told.append("2 " + Self.word($0))
                }
                return LoopBound((first, second), loop)
            }
            try await loop.wait("both") { bench.value.told.count == 2 }
            try await loop.run { pair.value.0.cancel() }
            try await bench.request("touch")
            try await loop.run { pair.value.1.cancel() }
            try await loop.wait("the last word") { bench.value.events.joined().contains("unsubscribed") }
            try await loop.run {
                let began = #" began {"resourceSubscriptions":["a:b"]}"#
                #expect(Set(bench.value.told.prefix(2)) == ["1" + began, "2" + began])
                #expect(bench.value.told.dropFirst(2) == ["2 notifications/resources/updated"])
                let words = bench.value.events.joined()
                #expect(
                    words.ranges(of: "unsubscribed").count == 1 && words.ranges(of: "subscribed").count == 2
                )
            }
            try await bench.close()
        }
    }
}
