// Gatehouse. SPDX-License-Identifier: MIT

import JSON

extension Translation {
    /// A tool, in the words of a legacy revision (server/tools, "Tool").
    static func legacyTool(_ tool: JSONValue, for revision: Revision) -> JSONValue {
        guard tool.isObject else { return tool }
        let input = legacySchema(objectSchema(tool["inputSchema"] ?? .emptyObject))
        var tool = tool.removing(["execution"]).setting("inputSchema", input)
        tool = tool.changing("outputSchema") { schema in
            // Later revisions allow any schema, these one whose root is an object.
            guard revision >= .v2025_06_18, schema["type"] == "object" else { return nil }
            return legacySchema(schema)
        }
        if revision < .v2025_11_25 { tool = tool.removing(["icons"]) }
        if revision < .v2025_06_18 {
            // What people read has had a place in the annotations since they came.
            if let title = tool["title"], revision >= .v2025_03_26 {
                let annotations = tool["annotations"] ?? .emptyObject
                if annotations["title"] == nil {
                    tool = tool.setting("annotations", annotations.setting("title", title))
                }
            }
            tool = tool.removing(["title", "_meta"])
        }
        return revision < .v2025_03_26 ? tool.removing(["annotations"]) : tool
    }

    /// A tool of a legacy server, in the words of the modern era.
    static func modernTool(_ tool: JSONValue) -> JSONValue {
        guard tool.isObject else { return tool }
        return tool.removing(["execution"])
            .setting("inputSchema", objectSchema(tool["inputSchema"] ?? .emptyObject))
            .changing("outputSchema") { $0.isObject ? $0 : nil }
    }

    /// A resource or template, in the words of a legacy revision (server/resources).
    static func legacyResource(_ resource: JSONValue, for revision: Revision) -> JSONValue {
        named(annotated(resource, for: revision), for: revision)
    }

    /// A prompt, in the words of a legacy revision (server/prompts, "Prompt").
    static func legacyPrompt(_ prompt: JSONValue, for revision: Revision) -> JSONValue {
        named(prompt, for: revision).changingEach("arguments") { argument in
            revision < .v2025_06_18 ? argument.removing(["title"]) : argument
        }
    }

    /// Who a peer is, in the words of a legacy revision; nil if it lacks what every revision requires.
    static func legacyImplementation(_ value: JSONValue?, for revision: Revision) -> JSONValue? {
        guard let value = implementation(value) else { return nil }
        if revision < .v2025_06_18 {
            return value.removing(["title", "icons", "description", "websiteUrl"])
        }
        return revision < .v2025_11_25 ? value.removing(["icons", "description", "websiteUrl"]) : value
    }

    /// Who a peer is, without members of the wrong type; nil if it lacks what every revision requires.
    ///
    /// It stands in messages that we make ourselves, so it must be well-formed.
    static func implementation(_ value: JSONValue?) -> JSONValue? {
        guard var value, value["name"]?.string != nil, value["version"]?.string != nil else { return nil }
        for name in ["title", "description", "websiteUrl"] where value[name]?.string == nil {
            value = value.removing([name])
        }
        return value.changing("icons") { icons in
            icons.array.map { .array($0.filter(isIcon)) }
        }
    }

    private static func isIcon(_ icon: JSONValue) -> Bool {
        guard icon["src"]?.string != nil else { return false }
        let strings = [icon["mimeType"], icon["theme"]] + (icon["sizes"]?.array ?? [])
        guard strings.allSatisfy({ $0 == nil || $0?.string != nil }) else { return false }
        guard icon["sizes"] == nil || icon["sizes"]?.array != nil else { return false }
        return icon["theme"] == nil || icon["theme"] == "light" || icon["theme"] == "dark"
    }

    /// A schema whose root says that it is an object, as every revision asks of a tool's input.
    static func objectSchema(_ schema: JSONValue) -> JSONValue {
        guard case .object(let members) = schema else { return ["type": "object"] }
        guard schema["type"] != "object" else { return schema }
        let rest = JSONValue.object(members).removing(["type"]).members ?? []
        return .object([JSONValue.Member("type", "object")] + rest)
    }

    /// A schema whose properties are objects, as the legacy revisions have it; JSON Schema also allows truth values.
    private static func legacySchema(_ schema: JSONValue) -> JSONValue {
        var schema = schema.changing("properties") { properties in
            guard let members = properties.members else { return nil }
            return .object(members.map { JSONValue.Member($0.name, propertySchema($0.value)) })
        }
        schema = schema.changing("required") { names in
            guard let names = names.array, names.allSatisfy({ $0.string != nil }) else { return nil }
            return .array(names)
        }
        return schema.changing("$schema") { $0.string == nil ? nil : $0 }
    }

    private static func propertySchema(_ schema: JSONValue) -> JSONValue {
        switch schema {
        case .object: schema
        case .bool(false): ["not": .emptyObject]
        default: .emptyObject
        }
    }

    private static func named(_ value: JSONValue, for revision: Revision) -> JSONValue {
        if revision < .v2025_06_18 { return value.removing(["title", "icons", "_meta"]) }
        return revision < .v2025_11_25 ? value.removing(["icons"]) : value
    }
}
