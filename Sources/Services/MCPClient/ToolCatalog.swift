// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON
import MCPCore

/// What a client remembers of a server's tools: which arguments their calls mirror in headers.
struct ToolCatalog {
    private var mirrored: [[UInt8]: HeaderParameters] = [:]

    /// Remembers a page of the list.
    ///
    /// - Returns: The page without the tools whose annotations break the rules, and the names of those, which must not be
    ///   offered (2026-07-28, transports, "x-mcp-header").
    mutating func take(_ result: JSONValue) -> (kept: JSONValue, dropped: [String]) {
        guard let tools = result["tools"]?.array, let members = result.members else { return (result, []) }
        var kept: [JSONValue] = []
        var dropped: [String] = []
        for tool in tools {
            let name = tool["name"]?.string ?? ""
            guard let parameters = HeaderParameters(inputSchema: tool["inputSchema"] ?? .null) else {
                dropped.append(name)
                mirrored[Array(name.utf8)] = nil
                continue
            }
            mirrored[Array(name.utf8)] = parameters.parameters.isEmpty ? nil : parameters
            kept.append(tool)
        }
        guard !dropped.isEmpty else { return (result, []) }
        let page = members.map { $0.name.utf8.equals("tools") ? JSONValue.Member("tools", .array(kept)) : $0 }
        return (.object(page), dropped)
    }

    /// What a call mirrors; nil if it is no call of a tool that is known to mirror anything.
    func headers(of call: MCPCall) -> HeaderParameters? {
        guard call.method == Method.toolsCall.rawValue, let name = call.params["name"]?.string else {
            return nil
        }
        return mirrored[Array(name.utf8)]
    }
}
