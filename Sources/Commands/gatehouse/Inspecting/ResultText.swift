// Gatehouse. SPDX-License-Identifier: MIT

import JSON

/// Results laid out for people, or for a pipe: texts as they are, and a line for what is no text.
struct ResultText {
    let style: Style

    /// The result of a call.
    func call(_ result: JSONValue) -> String {
        let blocks = result["content"]?.array ?? []
        guard blocks.isEmpty, let structured = result["structuredContent"] else {
            return blocks.map(block).joined(separator: "\n")
        }
        return json(structured)
    }

    /// The contents of a resource.
    func contents(_ result: JSONValue) -> String {
        (result["contents"]?.array ?? []).map(content).joined(separator: "\n")
    }

    /// The messages of a prompt.
    func messages(_ result: JSONValue) -> String {
        var lines: [String] = []
        if let description = result["description"]?.string { lines += [style.dim(shown(description)), ""] }
        for message in result["messages"]?.array ?? [] {
            lines.append(style.bold(shown(message["role"]?.string ?? "") + ":"))
            // Some servers of the legacy era put several blocks into one message.
            let blocks = message["content"]?.array ?? [message["content"] ?? .null]
            lines += blocks.map(block)
        }
        return lines.joined(separator: "\n")
    }

    /// Any value, as JSON.
    func json(_ value: JSONValue) -> String {
        shown(String(decoding: value.text(.pretty), as: UTF8.self))
    }

    private func block(_ block: JSONValue) -> String {
        switch block["type"]?.string {
        case "text": shown(block["text"]?.string ?? "")
        case "image", "audio":
            note("\(block["type"]?.string ?? "") \(block["mimeType"]?.string ?? ""), \(size(block["data"]))")
        case "resource_link":
            note("link to \(block["uri"]?.string ?? "")" + (block["name"]?.string.map { ", \($0)" } ?? ""))
        case "resource": content(block["resource"] ?? .null)
        default: json(block)
        }
    }

    private func content(_ content: JSONValue) -> String {
        if let text = content["text"]?.string { return shown(text) }
        return note(
            "\(content["uri"]?.string ?? "") \(content["mimeType"]?.string ?? ""), \(size(content["blob"]))"
        )
    }

    private func note(_ text: String) -> String { style.dim("[" + Style.safe(text) + "]") }

    /// On a terminal a server's text must not steer it; elsewhere it is data.
    private func shown(_ text: String) -> String { style.isTerminal ? Style.safe(text) : text }

    /// The size of what base64 stands for.
    private func size(_ base64: JSONValue?) -> String {
        let count = base64?.string?.utf8.count ?? 0
        return "\(count / 4 * 3) bytes"
    }
}
