// Gatehouse. SPDX-License-Identifier: MIT

import JSON

/// A family of resources as it is listed (2026-07-28, server/resources, "Resource Templates").
public struct ResourceTemplate: Sendable, Equatable {
    /// The template of their URIs (RFC 6570).
    public var uriTemplate: String
    /// Its name, for programs.
    public var name: String
    /// Its name, for people.
    public var title: String?
    /// What they are.
    public var description: String?
    /// Their media type, if all have the same.
    public var mimeType: String?
    /// Its icons.
    public var icons: [Icon]
    /// For whom they are.
    public var annotations: ContentAnnotations?

    /// Makes a description.
    public init(
        _ uriTemplate: String,
        name: String,
        title: String? = nil,
        description: String? = nil,
        mimeType: String? = nil,
        icons: [Icon] = [],
        annotations: ContentAnnotations? = nil
    ) {
        self.uriTemplate = uriTemplate
        self.name = name
        self.title = title
        self.description = description
        self.mimeType = mimeType
        self.icons = icons
        self.annotations = annotations
    }

    var wire: JSONValue {
        .of([
            "uriTemplate": .string(uriTemplate), "name": .string(name), "title": title.map { .string($0) },
            "description": description.map { .string($0) }, "mimeType": mimeType.map { .string($0) },
            "icons": icons.wire, "annotations": annotations?.wire,
        ])
    }
}
