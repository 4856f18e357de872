// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPCore

/// Results of the modern era with everything that their types can hold, and what each is called in the schemas.
struct Sample {
    let method: Method
    let type: String
    let text: String

    static let icon =
        #"{"src":"https://a.example/i.png","mimeType":"image/png","sizes":["48x48"],"theme":"dark"}"#
    static let marks = #"{"audience":["user"],"priority":0.5,"lastModified":"2026-01-01T00:00:00Z"}"#
    static let serverInfo =
        #"{"name":"s","version":"1","title":"S","description":"d","websiteUrl":"https://a.example/","icons":[\#(icon)]}"#
    static let meta =
        #""_meta":{"io.modelcontextprotocol/serverInfo":\#(serverInfo),"io.modelcontextprotocol/subscriptionId":"x","a.example/k":1}"#
    static let hints = #""resultType":"complete","ttlMs":1000,"cacheScope":"public","#
    static let inner = #""_meta":{"a.example/inner":true}"#

    static let blocks = """
        {"type":"text","text":"t","annotations":\(marks),\(inner)},
        {"type":"image","data":"AA==","mimeType":"image/png","annotations":\(marks),\(inner)},
        {"type":"audio","data":"AA==","mimeType":"audio/wav","annotations":\(marks),\(inner)},
        {"type":"resource_link","uri":"x://l","name":"l","title":"L","description":"the link","mimeType":"a/b","size":3,
        "icons":[\(icon)],"annotations":\(marks),\(inner)},
        {"type":"resource","resource":{"uri":"x://r","mimeType":"a/b","text":"r",\(inner)},"annotations":\(marks),\(inner)},
        {"type":"resource","resource":{"uri":"x://b","blob":"AA==",\(inner)}}
        """

    static let described = #""title":"T","description":"d","icons":[\#(icon)],\#(inner)"#

    static let tool = """
        {"name":"n",\(described),"annotations":{"readOnlyHint":true},
        "inputSchema":{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","required":["a"],
        "properties":{"a":{"type":"string","x-mcp-header":"A"},"b":true,"c":false},"additionalProperties":false,
        "$defs":{"d":{"$anchor":"e"}},"allOf":[{"anyOf":[{"required":["a"]}]}]},
        "outputSchema":{"type":"object","properties":{"o":true}}}
        """

    static let all: [Sample] = [
        Sample(
            method: .toolsList,
            type: "ListToolsResult",
            text: """
                {\(hints)"tools":[\(tool),
                {"name":"array","inputSchema":{"type":"object"},"outputSchema":{"type":"array","items":{}}},
                {"name":"any","title":"Any","inputSchema":{"type":"object"},"outputSchema":{"anyOf":[{"type":"object"}]}}],
                "nextCursor":"c",\(meta)}
                """
        ),
        Sample(
            method: .toolsCall,
            type: "CallToolResult",
            text:
                #"{"resultType":"complete","content":[\#(blocks)],"structuredContent":{"o":1},"isError":false,\#(meta)}"#
        ),
        Sample(
            method: .resourcesList,
            type: "ListResourcesResult",
            text: """
                {\(hints)"resources":[{"uri":"x://a","name":"a","mimeType":"a/b","size":5,"annotations":\(marks),\(described)}],
                "nextCursor":"c",\(meta)}
                """
        ),
        Sample(
            method: .resourcesTemplatesList,
            type: "ListResourceTemplatesResult",
            text: """
                {\(hints)"resourceTemplates":[{"uriTemplate":"x://{a}","name":"a","annotations":\(marks),\(described)}],
                \(meta)}
                """
        ),
        Sample(
            method: .resourcesRead,
            type: "ReadResourceResult",
            text: """
                {\(hints)"contents":[{"uri":"x://a","text":"a",\(inner)},{"uri":"x://b","blob":"AA==",\(inner)}],\(meta)}
                """
        ),
        Sample(
            method: .promptsList,
            type: "ListPromptsResult",
            text: """
                {\(hints)"prompts":[{"name":"p",\(described),
                "arguments":[{"name":"a","title":"A","description":"d","required":true}]}],\(meta)}
                """
        ),
        Sample(
            method: .promptsGet,
            type: "GetPromptResult",
            text: """
                {"resultType":"complete","description":"d","messages":[
                \(blocksAsMessages)],\(meta)}
                """
        ),
        Sample(
            method: .complete,
            type: "CompleteResult",
            text:
                #"{"resultType":"complete","completion":{"values":["a"],"total":1,"hasMore":false},\#(meta)}"#
        ),
    ]

    private static let blocksAsMessages =
        (try? json("[\(blocks)]"))?.array?
        .map { #"{"role":"user","content":\#(String(decoding: $0.text(), as: UTF8.self))}"# }
        .joined(separator: ",") ?? ""

    /// The value.
    func value() throws -> JSONValue { try json(text) }
}

extension JSONValue {
    /// Every member's name in this value, at any depth.
    var names: Set<String> {
        switch self {
        case .object(let members):
            members.reduce(into: Set(members.map(\.name))) { $0.formUnion($1.value.names) }
        case .array(let values): values.reduce(into: []) { $0.formUnion($1.names) }
        default: []
        }
    }

    /// Every value that differs from this one in one place: left out, or of another type.
    var spoiled: [JSONValue] {
        let wrong: [JSONValue] = [.null, true, 7, "wrong", ["wrong"], ["wrong": "wrong"], [], .object([])]
        switch self {
        case .object(let members):
            return wrong
                + members.indices.flatMap { index in
                    var without = members
                    without.remove(at: index)
                    let changed = members[index].value.spoiled.map { value in
                        var copy = members
                        copy[index].value = value
                        return JSONValue.object(copy)
                    }
                    return [.object(without)] + changed
                }
        case .array(let values):
            return wrong
                + values.indices.flatMap { index in
                    values[index].spoiled.map { value in
                        var copy = values
                        copy[index] = value
                        return JSONValue.array(copy)
                    }
                }
        default:
            return wrong
        }
    }
}
