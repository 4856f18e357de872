// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPCore
import Testing

@Suite struct SchemaJudgeTests {
    @Test(arguments: [
        (#"{"tools":[]}"#, "ListToolsResult"), (#"{"name":5,"inputSchema":{"type":"object"}}"#, "Tool"),
        (#"{"name":"n","inputSchema":{"type":"array"}}"#, "Tool"),
        (#"{"resultType":"complete","content":[{"type":"video"}]}"#, "CallToolResult"),
        (#"{"action":"agree"}"#, "ElicitResult"),
        (#"{"action":"accept","content":{"a":{}}}"#, "ElicitResult"),
        (#"{"resultType":"complete","ttlMs":-1,"cacheScope":"public","tools":[]}"#, "ListToolsResult"),
        (#"{"priority":2}"#, "Annotations"), (#"[]"#, "Tool"), (#"{}"#, "NoSuchType"),
    ])
    func `what breaks the schema is found`(_ text: String, _ type: String) throws {
        #expect(SchemaJudge.faults(try json(text), as: type, .modern) != [])
    }
}
