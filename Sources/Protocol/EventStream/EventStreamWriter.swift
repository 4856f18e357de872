// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// Writes server-sent events (HTML Standard §9.2.5).
///
/// What is written is always exactly one event, or one comment: a line break within data starts another `data`
/// line, and ids and types that could end their line are refused.
package enum EventStreamWriter {
    /// Appends an event.
    ///
    /// `data` is meant to be JSON in one line; it may be empty. `retry` is in milliseconds.
    package static func append(
        id: [UInt8]? = nil,
        event: [UInt8]? = nil,
        retry: Int? = nil,
        data: Span<UInt8>,
        to output: inout [UInt8]
    ) throws(EventStreamError) {
        if let id { try check(id) }
        if let event { try check(event) }
        if let event { append("event: ", event, to: &output) }
        if let id { append("id: ", id, to: &output) }
        if let retry {
            output.append(literal: "retry: ")
            output.append(decimal: max(retry, 0))
            output.append(lineFeed)
        }
        append(data, to: &output)
        output.append(lineFeed)
    }

    /// Appends an empty comment, which keeps a silent stream open.
    package static func appendHeartbeat(to output: inout [UInt8]) {
        output.append(literal: ":\n\n")
    }

    /// Appends a comment; line breaks within it start further comment lines.
    package static func append(comment: Span<UInt8>, to output: inout [UInt8]) {
        appendLines(comment, after: ": ", to: &output)
        output.append(lineFeed)
    }

    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    private static func check(_ name: [UInt8]) throws(EventStreamError) {
        guard !name.isEmpty else { throw .unsafeName }
        for byte in name where byte <= 0x20 || byte >= 0x7F { throw .unsafeName }
    }

    private static func append(_ label: StaticString, _ value: [UInt8], to output: inout [UInt8]) {
        output.append(literal: label)
        output.append(contentsOf: value)
        output.append(lineFeed)
    }

    private static func append(_ data: Span<UInt8>, to output: inout [UInt8]) {
        guard hasLineBreak(data) else {
            output.append(literal: "data: ")
            output.append(data)
            return output.append(lineFeed)
        }
        appendLines(data, after: "data: ", to: &output)
    }

    /// Appends each line of a text, with a label before it.
    private static func appendLines(
        _ text: Span<UInt8>,
        after label: StaticString,
        to output: inout [UInt8]
    ) {
        var start = 0
        while true {
            var end = start
            while end < text.count, text[end] != lineFeed, text[end] != carriageReturn { end += 1 }
            output.append(literal: label)
            output.append(text, start..<end)
            output.append(lineFeed)
            guard end < text.count else { return }
            let isPair = text[end] == carriageReturn && end + 1 < text.count && text[end + 1] == lineFeed
            start = end + (isPair ? 2 : 1)
        }
    }

    /// Looks at all bytes without stopping early: in this form the compiler looks at many at once.
    private static func hasLineBreak(_ text: Span<UInt8>) -> Bool {
        var found: UInt8 = 0
        for index in text.indices {
            let byte = text[index]
            found |= byte == lineFeed ? 1 : 0
            found |= byte == carriageReturn ? 1 : 0
        }
        return found != 0
    }
}
