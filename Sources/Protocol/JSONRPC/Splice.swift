// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON

/// Changes to a message's text that leave everything else as it came: ids, tokens and cursors of the next hop.
///
/// Slices must not overlap. At most `limit` changes fit; a further one is dropped, which our callers never do.
package struct Edits: Sendable {
    /// How many changes fit.
    package static let limit = 8

    private enum Replacement: Sendable {
        case number(Int)
        case bytes([UInt8])
        case text(String)
        /// What stands in `short`.
        case short
    }

    private struct Edit: Sendable {
        var slice: JSONSlice
        var replacement: Replacement
    }

    private var edits: InlineArray<8, Edit> = .init(repeating: Edit(slice: .absent, replacement: .number(0)))
    private var count = 0
    /// A text that needs no memory of its own; its end, 0 for none.
    private var short = InlineArray<96, UInt8>(repeating: 0)
    private var shortEnd = 0

    /// Whether nothing is changed.
    package var isEmpty: Bool { count == 0 }

    /// Starts with no changes.
    package init() {}

    /// Puts a number in the place of a value.
    package mutating func replace(_ slice: JSONSlice, with number: Int) {
        insert(Edit(slice: slice, replacement: .number(number)))
    }

    /// Puts JSON text in the place of a value.
    package mutating func replace(_ slice: JSONSlice, with bytes: [UInt8]) {
        insert(Edit(slice: slice, replacement: .bytes(bytes)))
    }

    /// Puts JSON text in the place of a value.
    package mutating func replace(_ slice: JSONSlice, with text: String) {
        insert(Edit(slice: slice, replacement: .text(text)))
    }

    /// Puts members at the beginning of an object; `members` is JSON text without braces or outer commas.
    package mutating func prepend(
        _ members: consuming [UInt8],
        toObject slice: JSONSlice,
        of message: Span<UInt8>
    ) {
        if Self.hasMembers(slice, of: message) { members.append(UInt8(ascii: ",")) }
        replace(JSONSlice(slice.start + 1, slice.start + 1), with: members)
    }

    /// Puts members at the beginning of an object, for what goes with every call: short ones cost no memory.
    package mutating func prepend(
        _ members: Span<UInt8>,
        toObject slice: JSONSlice,
        of message: Span<UInt8>
    ) {
        guard !members.isEmpty, shortEnd == 0, members.count < short.count else {
            return prepend(Array(members), toObject: slice, of: message)
        }
        var room = short.mutableSpan
        // Safe: the bound was checked above.
        unsafe room.withUnsafeMutableBytes { room in
            unsafe members.withUnsafeBytes { unsafe room.copyMemory(from: $0) }
        }
        shortEnd = members.count
        if Self.hasMembers(slice, of: message) {
            short[shortEnd] = UInt8(ascii: ",")
            shortEnd += 1
        }
        insert(Edit(slice: JSONSlice(slice.start + 1, slice.start + 1), replacement: .short))
    }

    /// Whether an object, which a reader has validated, has any.
    private static func hasMembers(_ slice: JSONSlice, of message: Span<UInt8>) -> Bool {
        var index = slice.start + 1
        while index < slice.end, message[index] <= UInt8(ascii: " ") { index += 1 }
        return message[index] != UInt8(ascii: "}")
    }

    /// Takes a member out of an object, with the comma that goes with it.
    ///
    /// - Parameters:
    ///   - name: The member's name.
    ///   - value: The member's value.
    ///   - message: The text, which a reader has validated.
    package mutating func remove(_ name: JSONString, _ value: JSONSlice, of message: Span<UInt8>) {
        var start = name.quoted.start
        var end = value.end
        while end < message.count, message[end] <= UInt8(ascii: " ") { end += 1 }
        if end < message.count, message[end] == UInt8(ascii: ",") {
            end += 1
        } else {
            while start > 0, message[start - 1] <= UInt8(ascii: " ") { start -= 1 }
            if start > 0, message[start - 1] == UInt8(ascii: ",") { start -= 1 }
        }
        replace(JSONSlice(start, end), with: [UInt8]())
    }

    private mutating func insert(_ edit: Edit) {
        guard count < Self.limit else { return }
        var index = count
        while index > 0, edits[index - 1].slice.start > edit.slice.start {
            edits[index] = edits[index - 1]
            index -= 1
        }
        edits[index] = edit
        count += 1
    }

    /// Appends the changed text.
    ///
    /// - Parameters:
    ///   - message: The text that the slices are of.
    ///   - onOneLine: Whether line breaks between tokens become spaces, so that the text fits a line.
    ///   - output: Where to.
    package func apply(to message: Span<UInt8>, onOneLine: Bool, into output: inout [UInt8]) {
        let start = output.count
        applyBeforeEnd(to: message, into: &output)
        output.append(message, end..<message.count)
        if onOneLine {
            // A line break inside a string is always escaped, so that any raw one stands between tokens.
            for index in start..<output.count where output[index] == 10 || output[index] == 13 {
                output[index] = UInt8(ascii: " ")
            }
        }
    }

    /// Where the last change ends: what follows in the message stays as it is.
    package var end: Int { count > 0 ? edits[count - 1].slice.end : 0 }

    /// Appends the changed text up to `end`, for a message that is too large to be copied without need.
    ///
    /// - Parameters:
    ///   - message: The text that the slices are of.
    ///   - output: Where to.
    package func applyBeforeEnd(to message: Span<UInt8>, into output: inout [UInt8]) {
        var position = 0
        for index in 0..<count {
            let slice = edits[index].slice
            output.append(message, position..<slice.start)
            switch edits[index].replacement {
            case .number(let number): output.append(decimal: number)
            case .bytes(let bytes): output.append(contentsOf: bytes)
            case .text(let text): output.append(text)
            case .short: output.append(short.span.extracting(0..<shortEnd))
            }
            position = slice.end
        }
    }
}
