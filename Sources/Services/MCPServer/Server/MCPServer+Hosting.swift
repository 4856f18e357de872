// Gatehouse. SPDX-License-Identifier: MIT

import JSON

extension MCPServer {
    /// The schema of a tool's arguments, for a host that must look into them; nil if there is no such tool.
    package func inputSchema(ofTool name: String) -> JSONValue? {
        registry.tools[name]?.definition["inputSchema"]
    }

    /// What people are told about it.
    package var summary: String? { instructions }
}
