// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer

// Tools whose schemas are the point.

extension EverythingServer {
    static func addSchemaTools(to server: MCPServer) {
        server.add(HandWrittenSchema.self)
        server.add(HeaderParameter.self)
    }

    private struct HandWrittenSchema: Tool {
        static let name = "json_schema_2020_12_tool"
        static let summary = "Has a schema with what JSON Schema 2020-12 brought."
        static let inputSchema: JSONValue = [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": [
                "address": [
                    "$anchor": "addressDef",
                    "type": "object",
                    "properties": ["street": ["type": "string"], "city": ["type": "string"]],
                ]
            ],
            "properties": [
                "name": ["type": "string"],
                "address": ["$ref": "#/$defs/address"],
                "contactMethod": ["type": "string", "enum": ["phone", "email"]],
                "phone": ["type": "string"],
                "email": ["type": "string"],
            ],
            "allOf": [["anyOf": [["required": ["phone"]], ["required": ["email"]]]]],
            "if": ["properties": ["contactMethod": ["const": "phone"]], "required": ["contactMethod"]],
            "then": ["required": ["phone"]],
            "else": ["required": ["email"]],
            "additionalProperties": false,
        ]

        func call(_ context: ToolContext<Void>) -> String {
            "Called with \(String(decoding: context.arguments.text(), as: UTF8.self))"
        }
    }

    private struct HeaderParameter: Tool {
        static let name = "test_x_mcp_header"
        static let summary = "Has an argument that clients repeat in a header."
        @Parameter("Where.", header: "Region") var region: String

        func call(_ context: ToolContext<Void>) -> String { "Region: \(region)" }
    }
}
