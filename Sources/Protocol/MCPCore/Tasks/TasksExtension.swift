// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON

/// What messages of the extension `io.modelcontextprotocol/tasks` say about tasks (SEP-2663).
///
/// `Message` does not look for any of it, since few messages have it: these functions read the part that may, in a text
/// that `Message` has validated. What is not as the extension says is absent.
package enum TasksExtension {
    /// The extension's name, among `extensions` of a client's capabilities.
    package static let name: StaticString = "io.modelcontextprotocol/tasks"

    /// Whether the client of a request declared with it that it can follow tasks.
    package static func isDeclared(by message: Message, _ bytes: Span<UInt8>) -> Bool {
        let capabilities = message.params.meta.clientCapabilities
        // The usual client declares little: what is too short to hold the name is not read.
        guard capabilities.count > name.utf8CodeUnitCount else { return false }
        return object("extensions", in: capabilities, bytes).map { member(name, in: $0, bytes).isPresent }
            ?? false
    }

    /// A task that a result made of a call or tells about.
    package struct Task: Equatable {
        /// `taskId`.
        package var id: JSONString
        /// `ttlMs`: how long the server keeps it; nil if it does not say, or for ever.
        package var lifetime: Int?
    }

    /// The task that a result names; nil if it names none.
    package static func task(in result: JSONSlice, _ bytes: Span<UInt8>) -> Task? {
        let id = string(member("taskId", in: result, bytes), bytes)
        guard id.isPresent, id.slice.count > 0 else { return nil }
        return Task(id: id, lifetime: bytes.integer(member("ttlMs", in: result, bytes)))
    }

    /// The tasks that a listen asks to hear of, or that its acknowledgement names: `notifications.taskIds`.
    package struct Filter: Equatable {
        /// Where the value stands.
        package var slice: JSONSlice
        /// The ids, unescaped; nil if the value is not an array of strings.
        package var ids: [[UInt8]]?
    }

    /// The filter in the parameters of a listen or of its acknowledgement; nil if there is none.
    package static func filter(in params: JSONSlice, _ bytes: Span<UInt8>) -> Filter? {
        guard let notifications = object("notifications", in: params, bytes) else { return nil }
        let slice = member("taskIds", in: notifications, bytes)
        guard slice.isPresent else { return nil }
        return Filter(slice: slice, ids: strings(in: slice, bytes))
    }

    // MARK: Reading

    /// A member's value, where it stands in the text; absent if there is none, or no object.
    private static func member(_ name: StaticString, in slice: JSONSlice, _ bytes: Span<UInt8>) -> JSONSlice {
        guard slice.isPresent else { return .absent }
        var reader = JSONReader(bytes.extracting(slice.range))
        do {
            var members = try reader.object()
            while let found = try reader.next(&members) {
                let value = try reader.skipValue()
                guard reader.equals(found, name) else { continue }
                return JSONSlice(slice.start + value.start, slice.start + value.end)
            }
        } catch {
            // Not an object: it has no members.
        }
        return .absent
    }

    private static func object(
        _ name: StaticString,
        in slice: JSONSlice,
        _ bytes: Span<UInt8>
    ) -> JSONSlice? {
        let value = member(name, in: slice, bytes)
        return value.isPresent && bytes[value.start] == UInt8(ascii: "{") ? value : nil
    }

    /// A value as a string; absent if it is none.
    private static func string(_ slice: JSONSlice, _ bytes: Span<UInt8>) -> JSONString {
        guard slice.isPresent, bytes[slice.start] == UInt8(ascii: "\"") else { return .absent }
        let contents = JSONSlice(slice.start + 1, slice.end - 1)
        let hasEscapes = bytes.extracting(contents.range).firstIndex(of: UInt8(ascii: "\\")) != nil
        return JSONString(slice: contents, hasEscapes: hasEscapes)
    }

    private static func strings(in slice: JSONSlice, _ bytes: Span<UInt8>) -> [[UInt8]]? {
        var reader = JSONReader(bytes.extracting(slice.range))
        var texts: [[UInt8]] = []
        do {
            var elements = try reader.array()
            while try reader.next(&elements) {
                guard let text = reader.string(try reader.readString()) else { return nil }
                texts.append(text)
            }
            return texts
        } catch {
            return nil
        }
    }
}
