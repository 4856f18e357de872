// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer
import Testing

@testable import gatehouse

/// The fixtures that conformance tests of both eras look for.
@Suite struct EverythingTests {
    typealias Era = EverythingClient.Era

    private func lists(
        _ client: EverythingClient,
        _ method: String,
        _ name: String
    ) async throws -> [JSONValue] {
        var found: [JSONValue] = []
        var cursor: JSONValue?
        repeat {
            let page = try await client.request(method, cursor.map { ["cursor": $0] } ?? [:])
            found += try #require(page[name]?.array)
            cursor = page["nextCursor"]
        } while cursor != nil
        return found
    }

    @Test(arguments: Era.allCases)
    func `tools are listed, each as it must be`(_ era: Era) async throws {
        var options = ServerOptions()
        options.pageSize = 7
        let client = try await EverythingClient(era, options)
        let tools = try await lists(client, "tools/list", "tools")
        let names = tools.compactMap { $0["name"]?.string }
        #expect(names.count == tools.count)
        #expect(Set(names).count > 50)
        for tool in tools {
            let name = try #require(tool["name"]?.string)
            #expect(
                (1...64).contains(name.count) && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
            )
            #expect(tool["description"]?.string?.isEmpty == false)
            #expect(tool["inputSchema"]?["type"] == "object")
        }
        let page = try await client.request("tools/list")
        #expect(page["tools"]?.array?.count == 7)
    }

    @Test(arguments: Era.allCases)
    func `content of each kind comes`(_ era: Era) async throws {
        let client = try await EverythingClient(era)
        #expect(try await client.text("test_simple_text") == "This is a simple text response for testing.")
        let image = try await client.call("test_image_content")["content"]?.array?.first
        #expect(image?["type"] == "image")
        #expect(image?["mimeType"] == "image/png")
        #expect(image?["data"]?.string?.hasPrefix("iVBORw0KGgo") == true)
        let audio = try await client.call("test_audio_content")["content"]?.array?.first
        #expect(audio?["type"] == "audio")
        #expect(audio?["mimeType"] == "audio/wav")
        let embedded = try await client.call("test_embedded_resource")["content"]
        #expect(
            embedded == [
                [
                    "type": "resource",
                    "resource": [
                        "uri": "test://embedded-resource", "mimeType": "text/plain",
                        "text": "This is an embedded resource content.",
                    ],
                ]
            ]
        )
        let mixed = try #require(try await client.call("test_multiple_content_types")["content"]?.array)
        #expect(mixed.compactMap { $0["type"] } == ["text", "image", "resource"])
        #expect(mixed[0]["text"] == "Multiple content types test:")
        #expect(mixed[2]["resource"]?["uri"] == "test://mixed-content-resource")
        #expect(mixed[2]["resource"]?["text"] == #"{"test":"data","value":123}"#)
        let failure = try await client.call("test_error_handling")
        #expect(failure["isError"] == true)
        #expect(
            failure["content"]?.array?.first?["text"]
                == "This tool intentionally returns an error for testing"
        )
    }

    @Test(arguments: Era.allCases)
    func `structured content comes as the era has it`(_ era: Era) async throws {
        let client = try await EverythingClient(era)
        let weather = try await client.call("test_structured_content", ["city": "Oslo"])
        #expect(weather["structuredContent"]?["city"] == "Oslo")
        let list = try await client.call("test_structured_list", ["count": 2])
        #expect(list["structuredContent"] == (era == .modern ? [1, 2] : nil))
        #expect(list["content"]?.array?.first?["text"] == "[1,2]")
        let wrong = try await client.call("test_structured_list", ["count": 101, "colour": "red"])
        #expect(wrong["isError"] == true)
        #expect(
            wrong["content"]?.array?.first?["text"]
                == "Invalid arguments: count must be at most 100; colour is not known"
        )
    }

    @Test(arguments: Era.allCases)
    func `progress comes with its token, and log messages with their level`(_ era: Era) async throws {
        let client = try await EverythingClient(era)
        let meta: JSONValue = ["progressToken": "t", "io.modelcontextprotocol/logLevel": "info"]
        if era == .legacy { _ = try await client.request("logging/setLevel", ["level": "info"]) }
        _ = try await client.request("tools/call", ["name": "test_tool_with_progress", "_meta": meta])
        let progress = client.heard.filter { $0["method"] == "notifications/progress" }.compactMap {
            $0["params"]
        }
        #expect(progress.compactMap { $0["progress"] } == [0, 50, 100])
        #expect(progress.allSatisfy { $0["total"] == 100 && $0["progressToken"] == "t" })
        _ = try await client.request("tools/call", ["name": "test_tool_with_logging", "_meta": meta])
        _ = try await client.request("tools/call", ["name": "test_log_levels", "_meta": meta])
        let logs = client.heard.filter { $0["method"] == "notifications/message" }.compactMap { $0["params"] }
        #expect(
            logs.prefix(3).compactMap { $0["data"] }
                == ["Tool execution started", "Tool processing data", "Tool execution completed"]
        )
        #expect(
            logs.dropFirst(3).compactMap { $0["level"]?.string }
                == ["info", "notice", "warning", "error", "critical", "alert", "emergency"]
        )
    }

    @Test func `a client of the modern era that asks for no log messages gets none`() async throws {
        let client = try await EverythingClient(.modern)
        _ = try await client.call("test_logging_tool")
        #expect(client.heard.isEmpty)
    }

    @Test(arguments: Era.allCases)
    func `resources are listed and read`(_ era: Era) async throws {
        let client = try await EverythingClient(era)
        let uris = try await lists(client, "resources/list", "resources").compactMap { $0["uri"]?.string }
        #expect(uris.contains("test://static-text"))
        let templates = try await lists(client, "resources/templates/list", "resourceTemplates")
        #expect(templates.contains { $0["uriTemplate"] == "test://template/{id}/data" })
        func read(_ uri: String) async throws -> JSONValue? {
            try await client.request("resources/read", ["uri": .string(uri)])["contents"]?.array?.first
        }
        let text = try await read("test://static-text")
        #expect(text?["text"] == "This is the content of the static text resource.")
        #expect(text?["mimeType"] == "text/plain")
        #expect(try await read("test://static-binary")?["blob"]?.string?.hasPrefix("iVBOR") == true)
        let data = try await read("test://template/123/data")
        #expect(data?["text"] == #"{"id":"123","templateTest":true,"data":"Data for ID: 123"}"#)
        #expect(try await read("test://search/a/b?limit=3&query=x%20y")?["text"] == "x y in a/b up to 3")
        #expect(try await read("test://asking-resource")?["text"] == "Written for Ada.")
        let missing = await client.send("resources/read", ["uri": "test://nothing"])
        #expect(missing["error"]?["code"] == (era == .modern ? -32602 : -32002))
        #expect(missing["error"]?["data"]?["uri"] == "test://nothing")
    }

    @Test(arguments: Era.allCases)
    func `prompts are listed and filled in`(_ era: Era) async throws {
        let client = try await EverythingClient(era)
        func messages(_ name: String, _ arguments: JSONValue = [:]) async throws -> [JSONValue] {
            let result = try await client.request(
                "prompts/get",
                ["name": .string(name), "arguments": arguments]
            )
            return try #require(result["messages"]?.array).compactMap { $0["content"] }
        }
        #expect(try await lists(client, "prompts/list", "prompts").count == 5)
        #expect(
            try await messages("test_simple_prompt").first?["text"] == "This is a simple prompt for testing."
        )
        let filled = try await messages("test_prompt_with_arguments", ["arg1": "hello", "arg2": "world"])
        #expect(filled.first?["text"] == "Prompt with arguments: arg1='hello', arg2='world'")
        let embedded = try await messages("test_prompt_with_embedded_resource", ["resourceUri": "test://x"])
        #expect(embedded.first?["resource"]?["uri"] == "test://x")
        #expect(embedded.first?["resource"]?["text"] == "Embedded resource content for testing.")
        #expect(embedded.last?["text"] == "Please process the embedded resource above.")
        let image = try await messages("test_prompt_with_image")
        #expect(image.first?["type"] == "image")
        #expect(image.last?["text"] == "Please analyze the image above.")
        #expect(try await messages("test_input_required_result_prompt").first?["text"] == "Write about Ada.")
        #expect(client.asked == ["user_context"])
        let missing = await client.send("prompts/get", ["name": "test_prompt_with_arguments"])
        #expect(missing["error"]?["code"] == -32602)
    }

    @Test(arguments: Era.allCases)
    func `arguments are completed`(_ era: Era) async throws {
        let client = try await EverythingClient(era)
        func values(
            _ ref: JSONValue,
            _ name: String,
            _ value: String,
            _ settled: JSONValue = [:]
        ) async throws -> JSONValue? {
            try await client.request(
                "completion/complete",
                [
                    "ref": ref, "argument": ["name": .string(name), "value": .string(value)],
                    "context": ["arguments": settled],
                ]
            )["completion"]?["values"]
        }
        let prompt: JSONValue = ["type": "ref/prompt", "name": "test_prompt_with_arguments"]
        #expect(try await values(prompt, "arg1", "par") == ["paris", "park", "parrot", "party"])
        #expect(try await values(prompt, "arg2", "par", ["arg1": "park"]) == ["paris", "parrot", "party"])
        let template: JSONValue = ["type": "ref/resource", "uri": "test://template/{id}/data"]
        #expect(try await values(template, "id", "12") == ["123", "124"])
    }

    @Test func `schemas by hand and headers are listed as they are`() async throws {
        let tools = try await lists(EverythingClient(.modern), "tools/list", "tools")
        let byHand = tools.first { $0["name"] == "json_schema_2020_12_tool" }?["inputSchema"]
        #expect(byHand?["$schema"] == "https://json-schema.org/draft/2020-12/schema")
        #expect(byHand?["$defs"]?["address"]?["$anchor"] == "addressDef")
        #expect(byHand?["properties"]?["address"] == ["$ref": "#/$defs/address"])
        for name in ["allOf", "if", "then", "else"] { #expect(byHand?[name] != nil) }
        #expect(byHand?["additionalProperties"] == false)
        let header = tools.first { $0["name"] == "test_x_mcp_header" }?["inputSchema"]
        #expect(header?["properties"]?["region"]?["x-mcp-header"] == "Region")
    }

    @Test func `lists of the modern era say how long they are good for`() async throws {
        let client = try await EverythingClient(.modern)
        for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
            let page = try await client.request(method)
            #expect(page["ttlMs"]?.integer ?? -1 >= 0)
            #expect(["public", "private"].contains(page["cacheScope"]?.string))
        }
    }
}
