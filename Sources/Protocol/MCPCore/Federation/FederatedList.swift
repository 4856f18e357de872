// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON
import JSONRPC

/// What a list of MCP has in it.
package enum FederatedKind: Int, CaseIterable, Sendable {
    /// `tools/list`
    case tools
    /// `prompts/list`
    case prompts
    /// `resources/list`
    case resources
    /// `resources/templates/list`
    case templates

    /// The kind that a method lists.
    package init?(_ method: Method) {
        switch method {
        case .toolsList: self = .tools
        case .promptsList: self = .prompts
        case .resourcesList: self = .resources
        case .resourcesTemplatesList: self = .templates
        default: return nil
        }
    }

    /// The method that lists it.
    package var method: Method {
        switch self {
        case .tools: .toolsList
        case .prompts: .promptsList
        case .resources: .resourcesList
        case .templates: .resourcesTemplatesList
        }
    }

    /// The notification that the list has changed.
    package var changed: Method {
        switch self {
        case .tools: .toolsChanged
        case .prompts: .promptsChanged
        case .resources, .templates: .resourcesChanged
        }
    }

    /// The capability of a server that has such a list.
    package var capability: String {
        switch self {
        case .tools: "tools"
        case .prompts: "prompts"
        case .resources, .templates: "resources"
        }
    }

    /// The member of the result that holds the list.
    var member: StaticString {
        switch self {
        case .tools: "tools"
        case .prompts: "prompts"
        case .resources: "resources"
        case .templates: "resourceTemplates"
        }
    }

    /// The member of an element by which it is known.
    var key: StaticString {
        switch self {
        case .tools, .prompts: "name"
        case .resources: "uri"
        case .templates: "uriTemplate"
        }
    }
}

/// The list of one server, gathered from all its pages.
///
/// The elements stay as the server wrote them. What goes beyond the bounds is left out, and the list says so.
package struct FederatedList: Sendable {
    /// An element.
    package struct Item: Sendable, Equatable {
        /// Its name or URI, unescaped.
        package var key: [UInt8]
        /// Its text.
        package var text: [UInt8]
        /// Where the key stands in the text, quotes included.
        var place: JSONSlice
    }

    /// How much of one server's list is taken.
    package struct Bounds: Sendable {
        /// Pages.
        package var pages = 200
        /// Elements.
        package var items = 10_000
        /// Bytes of elements.
        package var bytes = 16 << 20

        /// The usual ones.
        package init() {}
    }

    /// Which kind of list it is.
    package let kind: FederatedKind
    private let bounds: Bounds
    /// The elements.
    package private(set) var items: [Item] = []
    /// Bytes of them.
    package private(set) var size = 0
    /// Whether something was left out.
    package private(set) var isCut = false
    /// For how long the server says it is good, in milliseconds; 0 if it says nothing.
    package private(set) var lifetime: Int?
    private var pages = 0

    /// Starts without pages.
    package init(_ kind: FederatedKind, bounds: Bounds = Bounds()) {
        self.kind = kind
        self.bounds = bounds
    }

    /// Takes a page.
    ///
    /// - Parameters:
    ///   - message: The server's result.
    ///   - bytes: Its text.
    /// - Returns: The cursor of the next page; nil if there is none, or none that is wanted.
    package mutating func add(_ message: Message, _ bytes: Span<UInt8>) -> [UInt8]? {
        pages += 1
        let result = message.envelope.result
        guard result.isPresent else { return nil }
        do {
            var reader = JSONReader(bytes.extracting(result.range))
            var pageLifetime = 0
            var members = try reader.object()
            while let name = try reader.next(&members) {
                if reader.equals(name, kind.member), try reader.peek() == .array {
                    try addItems(&reader)
                } else if reader.equals(name, "ttlMs") {
                    let slice = try reader.skipValue()
                    pageLifetime = reader.bytes.integer(slice) ?? 0
                } else {
                    try reader.skipValue()
                }
            }
            lifetime = min(lifetime ?? .max, max(pageLifetime, 0))
        } catch {
            // The message was read whole before.
            return nil
        }
        guard let cursor = bytes.string(message.result.nextCursor) else { return nil }
        guard !isCut, pages < bounds.pages else {
            isCut = true
            return nil
        }
        return cursor
    }

    private mutating func addItems(_ reader: inout JSONReader) throws(JSONError) {
        var elements = try reader.array()
        while try reader.next(&elements) {
            let slice = try reader.skipValue()
            guard items.count < bounds.items, size + slice.count <= bounds.bytes else {
                isCut = true
                continue
            }
            let text = reader.bytes.extracting(slice.range)
            guard let place = Self.place(of: kind.key, in: text), let key = text.string(place) else {
                continue
            }
            items.append(Item(key: key, text: [UInt8](text), place: place.quoted))
            size += slice.count
        }
    }

    /// Where the string stands by which an element is known; nil if there is none.
    private static func place(of key: StaticString, in text: Span<UInt8>) -> JSONString? {
        var reader = JSONReader(text)
        do {
            var members = try reader.object()
            while let name = try reader.next(&members) {
                guard reader.equals(name, key) else {
                    try reader.skipValue()
                    continue
                }
                guard try reader.peek() == .string else { return nil }
                return try reader.readString()
            }
        } catch {
            // Not an object: an element that nobody could use.
        }
        return nil
    }
}

extension FederatedList {
    /// What a merged list says besides its elements.
    package struct Remarks: Sendable, Equatable {
        /// Servers that did not answer in time and of which nothing is known.
        package var missing: [String] = []
        /// Servers that did not answer in time and whose last known list stands in.
        package var outdated: [String] = []
        /// Servers of whose list a part was left out.
        package var cut: [String] = []

        /// Nothing.
        package init() {}

        /// As members of `_meta`.
        var members: [JSONValue.Member] {
            [("missing", missing), ("outdated", outdated), ("truncated", cut)].compactMap { name, servers in
                servers.isEmpty
                    ? nil
                    : JSONValue.Member(
                        "io.github.gatehouse/\(name)",
                        .array(servers.map { .string($0) })
                    )
            }
        }
    }

    /// The answer to a request for a list, with the id 0: the elements of all servers in one page.
    ///
    /// - Parameters:
    ///   - kind: What is listed.
    ///   - era: The client's.
    ///   - items: The elements, and for each the name that it is to have, if it is to have another.
    ///   - remarks: What is said besides.
    ///   - lifetime: For how long it is good, in milliseconds.
    ///   - server: Who we are.
    /// - Returns: The text.
    package static func response(
        _ kind: FederatedKind,
        _ era: Era,
        _ items: [(item: Item, name: [UInt8]?)],
        _ remarks: Remarks,
        lifetime: Int,
        server: JSONValue
    ) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(items.reduce(256) { $0 + $1.item.text.count + 16 })
        output.append(literal: "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{")
        var meta = remarks.members
        if era == .modern {
            output.append(literal: "\"resultType\":\"complete\",\"ttlMs\":")
            output.append(decimal: lifetime)
            output.append(literal: ",\"cacheScope\":\"private\",")
            meta.insert(.init("\(MetaKey.serverInfo)", server), at: 0)
        }
        if !meta.isEmpty {
            output.append(literal: "\"_meta\":")
            output.append(contentsOf: JSONValue.object(meta).text())
            output.append(UInt8(ascii: ","))
        }
        output.append(UInt8(ascii: "\""))
        output.append(literal: kind.member)
        output.append(literal: "\":[")
        for (index, (item, name)) in items.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            var edits = Edits()
            if let name {
                var quoted: [UInt8] = []
                quoted.append(json: name)
                edits.replace(item.place, with: quoted)
            }
            let text = item.text
            edits.apply(to: text.span, onOneLine: true, into: &output)
        }
        output.append(literal: "]}}")
        return output
    }
}
