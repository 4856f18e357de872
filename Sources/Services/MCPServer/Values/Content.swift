// Gatehouse. SPDX-License-Identifier: MIT

/// A block of content (2026-07-28, server/tools, "Tool Result").
public enum Content: Sendable, Equatable {
    /// Text.
    case text(String, annotations: ContentAnnotations? = nil)
    /// An image: base64 and its media type.
    case image(base64: String, mimeType: String, annotations: ContentAnnotations? = nil)
    /// A sound: base64 and its media type.
    case audio(base64: String, mimeType: String, annotations: ContentAnnotations? = nil)
    /// A link to a resource that may be read.
    case resourceLink(ResourceDescription, annotations: ContentAnnotations? = nil)
    /// A resource, whole.
    case resource(ResourceContents, annotations: ContentAnnotations? = nil)
}

/// For whom a block is, and how much it matters.
public struct ContentAnnotations: Sendable, Equatable {
    /// `user`, `assistant`, or both.
    public var audience: [String]
    /// From 0, optional, to 1, needed.
    public var priority: Double?
    /// When it was last changed, in the form of ISO 8601.
    public var lastModified: String?

    /// Makes annotations.
    public init(audience: [String] = [], priority: Double? = nil, lastModified: String? = nil) {
        self.audience = audience
        self.priority = priority
        self.lastModified = lastModified
    }
}

/// What a resource holds: text, or bytes in base64.
public struct ResourceContents: Sendable, Equatable {
    /// Its URI.
    public var uri: String
    /// Its media type.
    public var mimeType: String?
    /// The text; nil if it is bytes.
    public var text: String?
    /// The bytes in base64; nil if it is text.
    public var blob: String?

    /// Makes contents of text.
    public init(uri: String, mimeType: String? = nil, text: String) {
        self.uri = uri
        self.mimeType = mimeType
        self.text = text
    }

    /// Makes contents of bytes in base64.
    public init(uri: String, mimeType: String? = nil, blob: String) {
        self.uri = uri
        self.mimeType = mimeType
        self.blob = blob
    }
}

/// A resource as it is listed (2026-07-28, server/resources, "Resource").
public struct ResourceDescription: Sendable, Equatable {
    /// Its URI.
    public var uri: String
    /// Its name, for programs.
    public var name: String
    /// Its name, for people.
    public var title: String?
    /// What it is.
    public var description: String?
    /// Its media type.
    public var mimeType: String?
    /// Its size in bytes.
    public var size: Int?
    /// Its icons.
    public var icons: [Icon]
    /// For whom it is.
    public var annotations: ContentAnnotations?

    /// Makes a description.
    public init(
        uri: String,
        name: String,
        title: String? = nil,
        description: String? = nil,
        mimeType: String? = nil,
        size: Int? = nil,
        icons: [Icon] = [],
        annotations: ContentAnnotations? = nil
    ) {
        self.uri = uri
        self.name = name
        self.title = title
        self.description = description
        self.mimeType = mimeType
        self.size = size
        self.icons = icons
        self.annotations = annotations
    }
}

/// A picture for lists (2026-07-28, basic, "Icons").
public struct Icon: Sendable, Equatable {
    /// An `https` or `data` URI.
    public var source: String
    /// Its media type.
    public var mimeType: String?
    /// Its sizes, such as `48x48` or `any`.
    public var sizes: [String]
    /// `light` or `dark`, if it is made for one.
    public var theme: String?

    /// Makes an icon.
    public init(source: String, mimeType: String? = nil, sizes: [String] = [], theme: String? = nil) {
        self.source = source
        self.mimeType = mimeType
        self.sizes = sizes
        self.theme = theme
    }
}
