// Gatehouse. SPDX-License-Identifier: MIT

import JSON
package import MCPCore
package import StdioFraming

/// What was found out about a command, once.
package struct ServerTraits: Sendable {
    /// How its messages are told apart.
    package var framing: Framing
    /// The eras that it speaks.
    package var eras: Set<Era>
    /// Which arguments of its tools are mirrored in headers, by the tool's name.
    package private(set) var headerParameters: [[UInt8]: HeaderParameters] = [:]

    /// How many tools with mirrored arguments are remembered; a further one is not checked.
    private static let toolLimit = 1000

    /// Nothing is known about tools yet.
    package init(framing: Framing, eras: Set<Era>) {
        self.framing = framing
        self.eras = eras
    }

    /// Takes note of tools as the server lists them.
    mutating func learn(_ tools: [JSONValue]) {
        for tool in tools {
            guard let name = tool["name"]?.string, let schema = tool["inputSchema"] else { continue }
            let parameters = HeaderParameters(inputSchema: schema)
            let isMirrored = parameters?.parameters.isEmpty == false
            guard !isMirrored || headerParameters.count < Self.toolLimit else { continue }
            headerParameters[Array(name.utf8)] = isMirrored ? parameters : nil
        }
    }
}
