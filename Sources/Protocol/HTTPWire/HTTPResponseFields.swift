// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// Fields of a response, as they stand in its head (RFC 9112 §5).
///
/// They are checked and put together when they are added, so that what many responses share is made once. One that
/// could be read as more than it is makes them all unsafe, and a head with them is not written.
package struct HTTPResponseFields: Sendable {
    /// A field; its name is ours, so a literal; its value may come from elsewhere.
    package typealias Field = (name: StaticString, value: [UInt8])

    /// Each with its line end.
    private(set) var text: [UInt8] = []
    /// Whether names are tokens that frame no message, and values hold no control byte.
    private(set) var areSafe = true

    /// Adds a field.
    package mutating func append(_ name: StaticString, _ value: [UInt8]) {
        guard Self.isFree(name), value.allSatisfy(HTTPBytes.isValue) else {
            areSafe = false
            return
        }
        text.append(literal: name)
        text.append(literal: ": ")
        text.append(value.span)
        text.append(literal: "\r\n")
    }

    /// Adds the fields of another list.
    package static func += (fields: inout HTTPResponseFields, more: HTTPResponseFields) {
        fields.text += more.text
        fields.areSafe = fields.areSafe && more.areSafe
    }

    /// The fields of both lists.
    package static func + (first: HTTPResponseFields, second: HTTPResponseFields) -> HTTPResponseFields {
        var fields = first
        fields += second
        return fields
    }

    /// Whether the name is a token and not one of the fields that frame the message.
    private static func isFree(_ name: StaticString) -> Bool {
        name.withUTF8Buffer { buffer in
            // A static string lives for ever; the span ends with the closure.
            let bytes = unsafe Span(_unsafeElements: buffer)
            guard bytes.count > 0 else { return false }
            for index in bytes.indices where !HTTPBytes.isToken(bytes[index]) { return false }
            switch HTTPFieldName(bytes, 0, bytes.count) {
            case .contentLength, .transferEncoding, .connection: return false
            default: return true
            }
        }
    }
}

extension HTTPResponseFields: ExpressibleByArrayLiteral {
    package init(arrayLiteral fields: Field...) {
        for field in fields { append(field.name, field.value) }
    }
}
