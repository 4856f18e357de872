// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import Diagnostics
import JSON

/// What all spans of one kind have in common, written once: a span is put together on the path of a call.
package struct SpanShape: Sendable {
    /// The values of OTLP's `SpanKind`.
    package enum Kind: Int, Sendable {
        /// Something inside.
        case `internal` = 1
        /// The answering of a request.
        case server = 2
    }

    /// `"name":…,"kind":…`.
    let head: [UInt8]
    /// The attributes, as elements of an array.
    let attributes: [UInt8]

    /// Writes what is common.
    ///
    /// - Parameters:
    ///   - name: The spans' name, cut if it is long.
    ///   - kind: What they are.
    ///   - attributes: Their common attributes.
    package init(_ name: String, _ kind: Kind, attributes: [(StaticString, String)]) {
        var head: [UInt8] = []
        head.append(literal: "\"name\":")
        head.append(json: String(name.prefix(160)))
        head.append(literal: ",\"kind\":")
        head.append(decimal: kind.rawValue)
        self.head = head
        var text: [UInt8] = []
        for (name, value) in attributes { Self.append(name, value, to: &text) }
        self.attributes = text
    }

    /// Appends an attribute, after a comma if others stand before it.
    package static func append(_ name: StaticString, _ value: String, to output: inout [UInt8]) {
        if !output.isEmpty, output.last != UInt8(ascii: "[") { output.append(UInt8(ascii: ",")) }
        output.append(literal: "{\"key\":\"")
        output.append(literal: name)
        output.append(literal: "\",\"value\":{\"stringValue\":")
        output.append(json: cut(value))
        output.append(literal: "}}")
    }

    /// A text of bounded length in bytes: a single character may have millions.
    static func cut(_ text: String) -> String {
        text.utf8.count <= 256 ? text : String(decoding: text.utf8.prefix(256), as: UTF8.self)
    }
}

/// A span that has ended.
package struct FinishedSpan {
    /// Its own place.
    package var place: TraceParent
    /// The span that it is part of; nil for the first of a trace.
    package var parent: UInt64?
    /// What it has in common with others.
    package var shape: SpanShape
    /// When it began, in nanoseconds since 1970.
    package var start: UInt64
    /// When it ended.
    package var end: UInt64
    /// Why it failed, if it did.
    package var failure: String?

    /// A span without attributes of its own.
    package init(_ place: TraceParent, parent: UInt64?, _ shape: SpanShape, start: UInt64, end: UInt64) {
        self.place = place
        self.parent = parent
        self.shape = shape
        self.start = start
        self.end = end
    }

    /// Appends it as OTLP's JSON has it (opentelemetry-proto, trace.proto; ids in hexadecimal, times as strings).
    ///
    /// - Parameters:
    ///   - output: Where to.
    ///   - attributes: Appends the attributes that are its own, by `SpanShape.append`.
    func append(to output: inout [UInt8], attributes: (inout [UInt8]) -> Void) {
        output.append(literal: "{\"traceId\":\"")
        place.appendTrace(to: &output)
        output.append(literal: "\",\"spanId\":\"")
        output.append(hex: place.span)
        if let parent {
            output.append(literal: "\",\"parentSpanId\":\"")
            output.append(hex: parent)
        }
        output.append(literal: "\",\"flags\":")
        output.append(decimal: place.flags)
        output.append(literal: ",")
        output.append(contentsOf: shape.head)
        output.append(literal: ",\"startTimeUnixNano\":\"")
        output.append(decimal: start)
        output.append(literal: "\",\"endTimeUnixNano\":\"")
        output.append(decimal: end)
        output.append(literal: "\",\"attributes\":[")
        output.append(contentsOf: shape.attributes)
        attributes(&output)
        output.append(literal: "]")
        if let failure {
            output.append(literal: ",\"status\":{\"code\":2,\"message\":")
            output.append(json: SpanShape.cut(failure))
            output.append(literal: "}")
        }
        output.append(literal: "}")
    }
}
