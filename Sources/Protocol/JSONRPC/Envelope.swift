// Gatehouse. SPDX-License-Identifier: MIT

package import JSON

/// What a JSON-RPC message is (JSON-RPC 2.0 §4, §5).
package enum MessageKind: Sendable {
    /// It has a method and an id.
    case request
    /// It has a method and no id.
    case notification
    /// It has a result.
    case result
    /// It has an error.
    case error
}

/// The members of a JSON-RPC message that every peer must read, as slices of its text.
package struct Envelope: Sendable {
    /// What the message is; a message with a defect is whatever its members say.
    package var kind: MessageKind = .notification
    /// The id as written, quotes included: a string or an integer.
    package var id: JSONSlice = .absent
    /// The method.
    package var method: JSONString = .absent
    /// The parameters, an object.
    package var params: JSONSlice = .absent
    /// The result, an object.
    package var result: JSONSlice = .absent
    /// The error, an object.
    package var error: JSONSlice = .absent
    /// Whether there is a result or an error, of whatever type: it is meant to be an answer.
    package var hasOutcome = false
    /// Whether line breaks stand between its tokens.
    package var hasLineBreaks = false
    /// Why this is no message, though it is JSON.
    package var defect: Defect?

    /// Why an object is no JSON-RPC message.
    package enum Defect: Sendable, Equatable {
        /// It is not an object.
        case notAnObject
        /// `jsonrpc` is not "2.0".
        case version
        /// The id is neither a string nor an integer.
        case id
        /// The method is not a string.
        case method
        /// The parameters are not an object.
        case params
        /// Neither a call nor an answer, or both.
        case shape

        /// A sentence for the peer.
        package var description: String {
            switch self {
            case .notAnObject: "a message must be an object"
            case .version: "jsonrpc must be \"2.0\""
            case .id: "id must be a string or an integer"
            case .method: "method must be a string"
            case .params: "params must be an object"
            case .shape: "a message has either a method, or an id with either a result or an error"
            }
        }
    }

    /// Makes an envelope with nothing in it.
    package init() {}
}

/// What looks into the parts of a message while the envelope is read, so that the text is passed once.
///
/// Each function stands before a value that the envelope found to be an object, and must pass it whole.
package protocol EnvelopeVisitor {
    /// Passes the parameters.
    mutating func params(_ reader: inout JSONReader) throws(JSONError)
    /// Passes the result.
    mutating func result(_ reader: inout JSONReader) throws(JSONError)
    /// Passes the error.
    mutating func error(_ reader: inout JSONReader) throws(JSONError)
}

extension Envelope {
    /// Reads one message and nothing after it.
    ///
    /// Throws where the text is not JSON or a name stands twice. What is JSON but no message comes back with a
    /// `defect`, and with the id if that could be read.
    package init(_ reader: inout JSONReader, visitor: inout some EnvelopeVisitor) throws(JSONError) {
        guard try reader.peek() == .object else {
            try reader.skipValue()
            try reader.finish()
            defect = .notAnObject
            return
        }
        var hasVersion = false
        var members = try reader.object()
        while let name = try reader.next(&members) {
            if reader.equals(name, "jsonrpc") {
                hasVersion = try isVersion(&reader)
            } else if reader.equals(name, "id") {
                try readID(&reader)
            } else if reader.equals(name, "method") {
                guard try reader.peek() == .string else {
                    try reader.skipValue()
                    note(.method)
                    continue
                }
                method = try reader.readString()
            } else if reader.equals(name, "params") {
                params = try visit(&reader, .params) { reader throws(JSONError) in try visitor.params(&reader)
                }
            } else if reader.equals(name, "result") {
                hasOutcome = true
                result = try visit(&reader, .shape) { reader throws(JSONError) in try visitor.result(&reader)
                }
            } else if reader.equals(name, "error") {
                hasOutcome = true
                error = try visit(&reader, .shape) { reader throws(JSONError) in try visitor.error(&reader) }
            } else {
                try reader.skipValue()
            }
        }
        try reader.finish()
        hasLineBreaks = reader.hasLineBreaks
        if !hasVersion { note(.version) }
        settle()
    }

    private mutating func note(_ found: Defect) {
        if defect == nil { defect = found }
    }

    private func isVersion(_ reader: inout JSONReader) throws(JSONError) -> Bool {
        guard try reader.peek() == .string else {
            try reader.skipValue()
            return false
        }
        return reader.equals(try reader.readString(), "2.0")
    }

    private mutating func readID(_ reader: inout JSONReader) throws(JSONError) {
        switch try reader.peek() {
        case .string:
            id = try reader.skipValue()
        case .number:
            let slice = try reader.skipValue()
            for index in slice.range {
                let byte = reader.bytes[index]
                if byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e") { return note(.id) }
            }
            id = slice
        default:
            try reader.skipValue()
            note(.id)
        }
    }

    private mutating func visit(
        _ reader: inout JSONReader,
        _ otherwise: Defect,
        _ body: (inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) -> JSONSlice {
        guard try reader.peek() == .object else {
            try reader.skipValue()
            note(otherwise)
            return .absent
        }
        let start = reader.position
        try body(&reader)
        return JSONSlice(start, reader.position)
    }

    private mutating func settle() {
        if method.isPresent {
            if result.isPresent || error.isPresent { note(.shape) }
            kind = id.isPresent ? .request : .notification
        } else {
            kind = error.isPresent ? .error : .result
            // An error may come without an id: its request could not be read.
            let hasOne = result.isPresent != error.isPresent
            if !hasOne || (!id.isPresent && !error.isPresent) { note(.shape) }
        }
    }
}
