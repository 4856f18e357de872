// Gatehouse. SPDX-License-Identifier: MIT

import JSON

extension Translation {
    /// A block of content, in the words of a legacy revision (server/tools, "Tool Result"; server/prompts).
    ///
    /// What the revision has no block for becomes text that says what it was.
    static func legacyBlock(_ block: JSONValue, for revision: Revision) -> JSONValue {
        var block = annotated(block, for: revision)
        switch block["type"]?.string {
        case "audio" where revision < .v2025_03_26:
            return text(audioNote(block), insteadOf: block)
        case "resource_link" where revision < .v2025_06_18:
            return text(linkNote(block), insteadOf: block)
        case "resource_link" where revision < .v2025_11_25:
            block = block.removing(["icons"])
        case "resource" where revision < .v2025_06_18:
            block = block.changing("resource") { $0.removing(["_meta"]) }
        default: break
        }
        return block
    }

    /// What is common to blocks, resources and templates: `_meta` and `lastModified` came with 2025-06-18.
    static func annotated(_ value: JSONValue, for revision: Revision) -> JSONValue {
        guard revision < .v2025_06_18 else { return value }
        return value.removing(["_meta"]).changing("annotations") { annotations in
            let rest = annotations.removing(["lastModified"])
            return rest == .emptyObject ? nil : rest
        }
    }

    /// A text block.
    static func textBlock(_ text: String) -> JSONValue {
        ["type": "text", "text": .string(text)]
    }

    private static func text(_ text: String, insteadOf block: JSONValue) -> JSONValue {
        textBlock(text).setting("annotations", block["annotations"])
    }

    private static func audioNote(_ block: JSONValue) -> String {
        guard let type = block["mimeType"]?.string else { return "[audio]" }
        return "[audio, \(type)]"
    }

    private static func linkNote(_ block: JSONValue) -> String {
        let name = block["title"]?.string ?? block["name"]?.string ?? "resource"
        var note = "[\(name)]"
        if let uri = block["uri"]?.string { note += "(\(uri))" }
        if let description = block["description"]?.string { note += ": \(description)" }
        return note
    }
}
