// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ListenTests {
    let server: MCPServer
    let client: TestClient

    init() throws {
        server = try FeatureTests.server {
            $0.limits.listens = 3
            $0.limits.subscriptions = 2
        }
        client = TestClient(server)
    }

    /// Sends a subscription request and takes what comes first.
    func listen(_ id: String, _ notifications: String, capabilities: String = "{}") async -> JSONValue {
        client.modern(
            id,
            "subscriptions/listen",
            #""notifications":\#(notifications)"#,
            capabilities: capabilities
        )
        return await client.receive().message
    }

    @Test
    func `A subscription is acknowledged first, and gets what it asked for`() async {
        let first = await listen(#""a""#, #"{"toolsListChanged":true,"promptsListChanged":false}"#)
        #expect(
            first.line
                == #"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"#
                + #""notifications":{"toolsListChanged":true},"_meta":{"#
                + #""io.modelcontextprotocol/subscriptionId":"a"}}}"#
        )
        let second = await listen("2", #"{"resourcesListChanged":true,"resourceSubscriptions":["test://1"]}"#)
        #expect(
            second["params"]?["notifications"]?.line
                == #"{"resourcesListChanged":true,"resourceSubscriptions":["test://1"]}"#
        )
        server.removePrompt(named: "greet")
        server.resourceChanged("test://2")
        server.resourceChanged("test://1")
        server.removeTool(named: "echo")
        server.removeResource(uri: "test://0")
        for (method, id, text) in [
            ("notifications/resources/updated", JSONValue.number("2"), "2"),
            ("notifications/tools/list_changed", .string("a"), #""a""#),
            ("notifications/resources/list_changed", .number("2"), "2"),
        ] {
            let received = await client.receive()
            #expect(received.message["method"]?.string == method)
            #expect(received.message["params"]?["_meta"]?["io.modelcontextprotocol/subscriptionId"] == id)
            #expect(received.request == text)
        }
        #expect(client.unread == [])
    }

    @Test
    func `What the server does not have is not honoured`() async {
        let bare = TestClient(makeServer())
        bare.modern(
            "1",
            "subscriptions/listen",
            #""notifications":{"toolsListChanged":true,"promptsListChanged":true,"#
                + #""resourcesListChanged":true,"resourceSubscriptions":["x"],"taskIds":["y"]}"#
        )
        #expect(
            await bare.receive().message["params"]?["notifications"]?.line == #"{"toolsListChanged":true}"#
        )
    }

    @Test
    func `A subscription that is cancelled is silent, and may come again`() async {
        _ = await listen("1", #"{"toolsListChanged":true}"#)
        client.send(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#)
        server.removeTool(named: "echo")
        #expect(client.unread == [])
        #expect(await listen("1", #"{"toolsListChanged":true}"#)["method"] != nil)
        server.removeTool(named: "work")
        #expect(await client.receive().message["method"] == "notifications/tools/list_changed")
    }

    @Test
    func `A subscription that the server ends has a result`() async {
        _ = await listen(#""x""#, #"{"toolsListChanged":true}"#)
        await client.connection.finish()
        #expect(
            await client.next()
                == #"{"jsonrpc":"2.0","id":"x","result":{"resultType":"complete","_meta":{"#
                + #""io.modelcontextprotocol/subscriptionId":"x","io.modelcontextprotocol/serverInfo":"#
                + #"{"name":"test","title":"Test","version":"1.0"}}}}"#
        )
        server.removeTool(named: "echo")
        #expect(client.unread == [])
    }

    @Test
    func `Subscriptions are limited and checked`() async {
        for filter in [
            "7", "[]", #"{"toolsListChanged":1}"#, #"{"resourceSubscriptions":"x"}"#,
            #"{"resourceSubscriptions":[7]}"#,
        ] {
            #expect(await listen("1", filter)["error"]?["code"] == -32602, "\(filter)")
        }
        #expect(await listen("1", #"{"resourceSubscriptions":["a","b","c"]}"#)["error"]?["code"] == -32603)
        for id in ["1", "2", "3"] { #expect(await listen(id, "{}")["error"] == nil) }
        #expect(await listen("4", "{}")["error"]?["code"] == -32603)
        #expect(await listen("3", "{}")["error"]?["code"] == -32600)
    }
}
