// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPClient
import MCPCore

/// What a server offers, laid out for people.
struct Overview {
    let style: Style

    /// Who the server is, and how it is spoken to.
    func header(_ server: ServerDescription) -> String {
        let info = server.info
        let name = Style.safe(info["name"]?.string ?? "a server without a name")
        var line = style.bold(name)
        if let version = info["version"]?.string { line += " " + Style.safe(version) }
        if let title = info["title"]?.string, title != name { line += " — " + Style.safe(title) }
        var lines = [line, style.dim("\(server.era.rawValue) era, revision \(server.revision.rawValue)")]
        let capabilities = server.capabilities.members?.map { Style.safe($0.name) } ?? []
        if !capabilities.isEmpty {
            lines.append(style.dim("capabilities: " + capabilities.joined(separator: ", ")))
        }
        if let instructions = server.instructions, !instructions.isEmpty {
            lines += ["", style.wrapped(instructions, indent: 0)]
        }
        return lines.joined(separator: "\n")
    }

    /// A list with its heading.
    func section(_ listing: Listing, _ elements: [JSONValue]) -> String {
        let heading = style.bold("\(listing.heading) (\(elements.count))")
        return ([heading] + elements.map { entry(listing, $0) }).joined(separator: "\n")
    }

    private func entry(_ listing: Listing, _ element: JSONValue) -> String {
        switch listing {
        case .tools: tool(element)
        case .prompts: prompt(element)
        case .resources: resource(element, "uri")
        case .templates: resource(element, "uriTemplate")
        }
    }

    private func tool(_ tool: JSONValue) -> String {
        let title = tool["title"]?.string ?? tool["annotations"]?["title"]?.string
        var lines = [head(tool["name"]?.string ?? "", title, hints(tool["annotations"]))]
        lines += description(tool)
        lines += ShownParameter.table(
            ShownParameter.ofTool(schema: tool["inputSchema"] ?? .null),
            style,
            indent: 6
        )
        let output = ShownParameter.ofTool(schema: tool["outputSchema"] ?? .null)
        if !output.isEmpty {
            lines.append("    " + style.dim("gives"))
            lines += ShownParameter.table(output.map { $0.asOutput }, style, indent: 6)
        }
        return lines.joined(separator: "\n")
    }

    /// A tool with everything that its server says about it.
    func whole(_ tool: JSONValue) -> String {
        var lines = [self.tool(tool)]
        for name in ["annotations", "inputSchema", "outputSchema"] {
            guard let value = tool[name] else { continue }
            let text = String(decoding: value.text(.pretty), as: UTF8.self)
            lines += ["", style.bold(name), Style.safe(text)]
        }
        return lines.joined(separator: "\n")
    }

    private func prompt(_ prompt: JSONValue) -> String {
        var lines = [head(prompt["name"]?.string ?? "", prompt["title"]?.string, [])]
        lines += description(prompt)
        lines += ShownParameter.table(ShownParameter.ofPrompt(prompt), style, indent: 6)
        return lines.joined(separator: "\n")
    }

    private func resource(_ resource: JSONValue, _ key: String) -> String {
        let type = resource["mimeType"]?.string.map { [$0] } ?? []
        let title = resource["title"]?.string ?? resource["name"]?.string
        return ([head(resource[key]?.string ?? "", title, type)] + description(resource)).joined(
            separator: "\n"
        )
    }

    private func head(_ name: String, _ title: String?, _ notes: [String]) -> String {
        var line = "  " + style.green(Style.safe(name))
        if let title, !title.isEmpty, title != name { line += "  " + Style.safe(title) }
        if !notes.isEmpty { line += "  " + style.dim("[" + Style.safe(notes.joined(separator: ", ")) + "]") }
        return line
    }

    private func description(_ element: JSONValue) -> [String] {
        let text = element["description"]?.string ?? ""
        let wrapped = style.wrapped(text, indent: 4)
        return wrapped.isEmpty ? [] : [wrapped]
    }

    /// What a tool says of its effects, where it differs from what must be assumed.
    private func hints(_ annotations: JSONValue?) -> [String] {
        var hints: [String] = []
        if annotations?["readOnlyHint"]?.bool == true { hints.append("read-only") }
        if annotations?["destructiveHint"]?.bool == true, hints.isEmpty { hints.append("destructive") }
        if annotations?["idempotentHint"]?.bool == true { hints.append("idempotent") }
        return hints
    }
}
