// Gatehouse. SPDX-License-Identifier: MIT

import JSON

// So that they can be what a tool answers; as JSON they are what the wire has.

extension Content: Encodable {
    /// Writes the block as the protocol has it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wire)
    }
}

extension ToolResult: Encodable {
    /// Writes the result as the protocol has it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wire)
    }
}

extension ToolResult {
    /// The result of a call that answered this.
    init(output: some Encodable) throws {
        switch output {
        case let result as ToolResult: self = result
        case let content as [Content]: self.init(content)
        case let content as Content: self.init([content])
        case let text as String: self.init([.text(text)])
        default:
            let value = try ValueEncoder.encode(output)
            // For clients that know no structured content (2026-07-28, server/tools, "Structured Content").
            self.init([.text(String(decoding: value.text(), as: UTF8.self))], structuredContent: value)
        }
    }

    /// The schema of what such an output becomes; nil if it is content, or cannot be told.
    static func schema(ofOutput type: any Encodable.Type) -> JSONValue? {
        if type == ToolResult.self || type == [Content].self || type == Content.self || type == String.self
            || type == JSONValue.self
        {
            return nil
        }
        guard let type = type as? any Decodable.Type else { return nil }
        return SchemaOfType.schema(of: type, .output)
    }
}
