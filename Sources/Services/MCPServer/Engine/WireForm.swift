// Gatehouse. SPDX-License-Identifier: MIT

import JSON

// How values are written in revision 2026-07-28; older revisions are made from that.

extension Content {
    var wire: JSONValue {
        switch self {
        case .text(let text, let annotations):
            .of(["type": "text", "text": .string(text), "annotations": annotations?.wire])
        case .image(let data, let mimeType, let annotations):
            .of([
                "type": "image", "data": .string(data), "mimeType": .string(mimeType),
                "annotations": annotations?.wire,
            ])
        case .audio(let data, let mimeType, let annotations):
            .of([
                "type": "audio", "data": .string(data), "mimeType": .string(mimeType),
                "annotations": annotations?.wire,
            ])
        case .resourceLink(let resource, let annotations):
            resource.wire(type: "resource_link", annotations: annotations ?? resource.annotations)
        case .resource(let contents, let annotations):
            .of(["type": "resource", "resource": contents.wire, "annotations": annotations?.wire])
        }
    }
}

extension ContentAnnotations {
    var wire: JSONValue {
        .of([
            "audience": .strings(audience), "priority": .number(of: priority),
            "lastModified": lastModified.map { .string($0) },
        ])
    }
}

extension ResourceContents {
    var wire: JSONValue {
        .of([
            "uri": .string(uri), "mimeType": mimeType.map { .string($0) },
            "text": text.map { .string($0) } ?? (blob == nil ? "" : nil), "blob": blob.map { .string($0) },
        ])
    }
}

extension ResourceDescription {
    var wire: JSONValue { wire(type: nil, annotations: annotations) }

    func wire(type: JSONValue?, annotations: ContentAnnotations?) -> JSONValue {
        .of([
            "type": type, "uri": .string(uri), "name": .string(name), "title": title.map { .string($0) },
            "description": description.map { .string($0) }, "mimeType": mimeType.map { .string($0) },
            "size": size.map { .number(String($0)) }, "icons": icons.wire, "annotations": annotations?.wire,
        ])
    }
}

extension Icon {
    var wire: JSONValue {
        .of([
            "src": .string(source), "mimeType": mimeType.map { .string($0) }, "sizes": .strings(sizes),
            "theme": theme.map { .string($0) },
        ])
    }
}

extension [Icon] {
    /// Nil if there are none.
    var wire: JSONValue? { isEmpty ? nil : .array(map(\.wire)) }
}

extension ToolResult {
    var wire: JSONValue {
        .of([
            "content": .array(content.map(\.wire)), "structuredContent": structuredContent,
            "isError": isError ? true : nil, "_meta": meta,
        ])
    }

    /// What a tool answers that could not do its work.
    static func failure(_ text: String) -> ToolResult { ToolResult([.text(text)], isError: true) }
}
