// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON
package import JSONRPC

/// A message of MCP as the gateway reads it: where in its text the parts stand that somebody here must look at.
///
/// Everything else is validated and passed on as it came.
package struct Message: Sendable {
    /// The JSON-RPC part.
    package private(set) var envelope = Envelope()
    /// The method of a request or notification.
    package private(set) var method = Method.other
    /// What stands in `params`.
    package fileprivate(set) var params = Params()
    /// What stands in `result`.
    package fileprivate(set) var result = Result()
    /// The error's code.
    package fileprivate(set) var errorCode: Int?

    /// The parameters that routing, the pipeline or the next hop need.
    package struct Params: Sendable {
        /// `name` of a tool or prompt.
        package var name: JSONString = .absent
        /// `uri` of a resource.
        package var uri: JSONString = .absent
        /// `taskId`.
        package var taskID: JSONString = .absent
        /// `cursor` of a list, if it is a string.
        package var cursor: JSONString = .absent
        /// `cursor`, whatever it is.
        package var cursorValue: JSONSlice = .absent
        /// `arguments` of a tool or prompt, an object.
        package var arguments: JSONSlice = .absent
        /// `requestState` of a retry, if it is a string.
        package var requestState: JSONString = .absent
        /// `requestState`, whatever it is.
        package var requestStateValue: JSONSlice = .absent
        /// The name of the member `requestState`.
        package var requestStateName: JSONString = .absent
        /// `inputResponses` of a retry.
        package var inputResponses: JSONSlice = .absent
        /// `requestId` of a cancellation.
        package var requestID: JSONSlice = .absent
        /// `progressToken` of a progress notification.
        package var progressToken: JSONSlice = .absent
        /// `protocolVersion` of `initialize`.
        package var protocolVersion: JSONString = .absent
        /// `capabilities` of `initialize`, an object.
        package var capabilities: JSONSlice = .absent
        /// `_meta`.
        package var meta = Meta()
    }

    /// The keys of `_meta` that belong to one hop (2026-07-28, basic, "_meta").
    package struct Meta: Sendable {
        /// The object.
        package var object: JSONSlice = .absent
        /// `progressToken`, a string or an integer.
        package var progressToken: JSONSlice = .absent
        /// The request's revision.
        ///
        /// A value that is no string is present in `versionValue` only.
        package var protocolVersion: JSONString = .absent
        /// The request's revision, whatever its type.
        package var versionValue: JSONSlice = .absent
        /// The client's capabilities, if they are an object.
        package var clientCapabilities: JSONSlice = .absent
        /// The level from which the client wants log messages.
        package var logLevel: JSONString = .absent
        /// `traceparent` of W3C Trace Context, with its quotes.
        package var traceParent: JSONSlice = .absent
        /// `tracestate` that goes with it.
        package var traceState: JSONSlice = .absent
        /// `baggage` of W3C Baggage.
        package var baggage: JSONSlice = .absent
        /// Whether it stands there and is no object.
        package var isMalformed = false
        /// The listen request that a notification belongs to.
        package var subscriptionID: JSONSlice = .absent
    }

    /// The members of a result that the next hop needs.
    package struct Result: Sendable {
        /// `resultType`.
        package var type: JSONString = .absent
        /// Whether there is a `resultType`, of whatever type.
        package var hasType = false
        /// `nextCursor`.
        package var nextCursor: JSONString = .absent
        /// `requestState` of `input_required`, if it is a string.
        package var requestState: JSONString = .absent
        /// `requestState`, whatever it is.
        package var requestStateValue: JSONSlice = .absent
        /// `protocolVersion` of `initialize`.
        package var protocolVersion: JSONString = .absent
        /// `supportedVersions` of `server/discover`.
        package var supportedVersions: JSONSlice = .absent
        /// `tools` of `tools/list`.
        package var tools: JSONSlice = .absent
        /// Whether a tool says that it failed: `isError` is true.
        package var isError = false
        /// Whether there is a `_meta`, of whatever type.
        package var hasMeta = false
        /// Whether `structuredContent` is absent or an object, as revisions before 2026-07-28 have it.
        package var hasLegacyStructure = true
        /// `_meta`.
        package var meta = Meta()
    }

    /// A request that was put together from parts that had been read, so that it need not be read again.
    ///
    /// It has no token, no log level, and nothing else that the next hop would have to find.
    package init(request method: Method, id: JSONSlice) {
        envelope.kind = .request
        envelope.id = id
        self.method = method
    }

    /// Reads one message, validating it whole in one pass.
    package init(_ bytes: Span<UInt8>) throws(JSONError) {
        var reader = JSONReader(bytes)
        var visitor = PartsVisitor()
        envelope = try Envelope(&reader, visitor: &visitor)
        params = visitor.params
        result = visitor.result
        errorCode = visitor.errorCode
        if envelope.method.isPresent { method = Method(envelope.method, in: bytes) }
    }

    /// The id of an answer that cannot be read whole.
    ///
    /// Nil if it is not found before the fault, is none of ours, or stands twice.
    package static func id(ofBroken bytes: Span<UInt8>) -> Int? {
        var reader = JSONReader(bytes)
        var id: Int?
        var hasOutcome = false
        do {
            var members = try reader.object()
            while let name = try reader.next(&members) {
                if reader.equals(name, "method") { return nil }
                if reader.equals(name, "result") || reader.equals(name, "error") { hasOutcome = true }
                let isID = reader.equals(name, "id")
                let slice = try reader.skipValue()
                if isID { id = bytes.integer(slice) }
            }
        } catch {
            // What was found before the fault is what is asked for.
            if error.kind == .duplicateName { return nil }
        }
        return hasOutcome ? id : nil
    }

    /// The id as written; nil if there is none.
    package func id(in bytes: Span<UInt8>) -> String? {
        envelope.id.isPresent ? bytes.text(envelope.id) : nil
    }
}

extension Span<UInt8> {
    /// The text of a slice.
    ///
    /// Up to fifteen bytes cost no allocation, which most ids and tokens stay below.
    package func text(_ slice: JSONSlice) -> String {
        unsafe extracting(slice.range).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// Whether a string of these bytes has these characters, after unescaping; absent is like no text.
    package func equals(_ string: JSONString, _ text: StaticString) -> Bool {
        guard string.hasEscapes else {
            return string.isPresent && extracting(string.slice.range).equals(text)
        }
        guard let unescaped = self.string(string) else { return false }
        return unescaped.span.equals(text)
    }

    /// Whether a string of these bytes has these UTF-8 bytes, after unescaping; absent is like no text.
    package func equals(_ string: JSONString, _ text: ArraySlice<UInt8>) -> Bool {
        guard string.hasEscapes else {
            return string.isPresent && extracting(string.slice.range).equals(text.span)
        }
        return self.string(string).map { $0[...] == text } ?? false
    }

    /// The characters of a string; nil if it is absent or has a lone surrogate.
    package func string(_ string: JSONString) -> [UInt8]? {
        guard string.isPresent else { return nil }
        return string.hasEscapes
            ? JSONEscapes.decode(extracting(string.slice.range)) : [UInt8](self, string.slice.range)
    }

    /// The integer that a slice spells; nil if it is none or too large.
    package func integer(_ slice: JSONSlice) -> Int? {
        guard slice.isPresent else { return nil }
        var index = slice.start
        let isNegative = self[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        guard index < slice.end, slice.end - index <= 18 else { return nil }
        var number = 0
        while index < slice.end {
            guard ASCII.isDigit(self[index]) else { return nil }
            number = number &* 10 &+ Int(self[index] &- UInt8(ascii: "0"))
            index += 1
        }
        return isNegative ? -number : number
    }
}

// MARK: - Reading the parts

private struct PartsVisitor: EnvelopeVisitor {
    var params = Message.Params()
    var result = Message.Result()
    var errorCode: Int?

    mutating func params(_ reader: inout JSONReader) throws(JSONError) {
        var members = try reader.object()
        while let name = try reader.next(&members) {
            if reader.equals(name, "name") {
                params.name = try reader.stringOrSkip()
            } else if reader.equals(name, "arguments") {
                params.arguments = try reader.skip(.object)
            } else if reader.equals(name, "_meta") {
                params.meta = try meta(&reader)
            } else if reader.equals(name, "uri") {
                params.uri = try reader.stringOrSkip()
            } else if reader.equals(name, "cursor") {
                (params.cursor, params.cursorValue) = try reader.stringAndValue()
            } else if reader.equals(name, "taskId") {
                params.taskID = try reader.stringOrSkip()
            } else if reader.equals(name, "requestState") {
                params.requestStateName = name
                (params.requestState, params.requestStateValue) = try reader.stringAndValue()
            } else if reader.equals(name, "inputResponses") {
                params.inputResponses = try reader.skipValue()
            } else if reader.equals(name, "requestId") {
                params.requestID = try reader.skipValue()
            } else if reader.equals(name, "progressToken") {
                params.progressToken = try reader.skipValue()
            } else if reader.equals(name, "protocolVersion") {
                params.protocolVersion = try reader.stringOrSkip()
            } else if reader.equals(name, "capabilities") {
                params.capabilities = try reader.skip(.object)
            } else {
                try reader.skipValue()
            }
        }
    }

    mutating func result(_ reader: inout JSONReader) throws(JSONError) {
        var members = try reader.object()
        while let name = try reader.next(&members) {
            if reader.equals(name, "content") {
                try reader.skipValue()
            } else if reader.equals(name, "resultType") {
                result.hasType = true
                result.type = try reader.stringOrSkip()
            } else if reader.equals(name, "_meta") {
                result.hasMeta = true
                result.meta = try meta(&reader)
            } else if reader.equals(name, "nextCursor") {
                result.nextCursor = try reader.stringOrSkip()
            } else if reader.equals(name, "requestState") {
                (result.requestState, result.requestStateValue) = try reader.stringAndValue()
            } else if reader.equals(name, "protocolVersion") {
                result.protocolVersion = try reader.stringOrSkip()
            } else if reader.equals(name, "supportedVersions") {
                result.supportedVersions = try reader.skip(.array)
            } else if reader.equals(name, "tools") {
                result.tools = try reader.skip(.array)
            } else if reader.equals(name, "isError") {
                let slice = try reader.skipValue()
                result.isError = reader.bytes[slice.start] == UInt8(ascii: "t")
            } else if reader.equals(name, "structuredContent") {
                result.hasLegacyStructure = try reader.skip(.object).isPresent
            } else {
                try reader.skipValue()
            }
        }
    }

    mutating func error(_ reader: inout JSONReader) throws(JSONError) {
        var members = try reader.object()
        while let name = try reader.next(&members) {
            let slice = try reader.skipValue()
            if reader.equals(name, "code") { errorCode = reader.bytes.integer(slice) }
        }
    }

    private func meta(_ reader: inout JSONReader) throws(JSONError) -> Message.Meta {
        var meta = Message.Meta()
        guard try reader.peek() == .object else {
            try reader.skipValue()
            meta.isMalformed = true
            return meta
        }
        let start = reader.position
        var members = try reader.object()
        while let name = try reader.next(&members) {
            if reader.equals(name, "progressToken") {
                meta.progressToken = try reader.skipValue()
            } else if reader.equals(name, MetaKey.protocolVersion) {
                let isString = try reader.peek() == .string
                let slice = try reader.skipValue()
                meta.versionValue = slice
                if isString {
                    let contents = JSONSlice(slice.start + 1, slice.end - 1)
                    let hasEscapes =
                        reader.bytes.extracting(contents.range).firstIndex(of: UInt8(ascii: "\\")) != nil
                    meta.protocolVersion = JSONString(slice: contents, hasEscapes: hasEscapes)
                }
            } else if reader.equals(name, MetaKey.clientCapabilities) {
                meta.clientCapabilities = try reader.skip(.object)
            } else if reader.equals(name, MetaKey.logLevel) {
                meta.logLevel = try reader.stringOrSkip()
            } else if reader.equals(name, MetaKey.subscriptionID) {
                meta.subscriptionID = try reader.skipValue()
            } else if reader.equals(name, "traceparent") {
                meta.traceParent = try reader.skipValue()
            } else if reader.equals(name, "tracestate") {
                meta.traceState = try reader.skipValue()
            } else if reader.equals(name, "baggage") {
                meta.baggage = try reader.skipValue()
            } else {
                try reader.skipValue()
            }
        }
        meta.object = JSONSlice(start, reader.position)
        return meta
    }
}

/// The keys of `_meta` that the specification reserves and that are rebuilt at each hop.
package enum MetaKey {
    /// The revision of a request.
    package static let protocolVersion: StaticString = "io.modelcontextprotocol/protocolVersion"
    /// The capabilities of the client, for this request.
    package static let clientCapabilities: StaticString = "io.modelcontextprotocol/clientCapabilities"
    /// Who the client is, for display.
    package static let clientInfo: StaticString = "io.modelcontextprotocol/clientInfo"
    /// The level from which log messages are wanted.
    package static let logLevel: StaticString = "io.modelcontextprotocol/logLevel"
    /// The listen request that a notification belongs to.
    package static let subscriptionID: StaticString = "io.modelcontextprotocol/subscriptionId"
    /// Who the server is, for display.
    package static let serverInfo: StaticString = "io.modelcontextprotocol/serverInfo"
}

extension JSONReader {
    /// Passes a value; where it stands if it is a string, else absent.
    fileprivate mutating func stringOrSkip() throws(JSONError) -> JSONString {
        if try peek() == .string { return try readString() }
        try skipValue()
        return .absent
    }

    /// Passes a value; where it stands as a string, if it is one, and where it stands at all.
    fileprivate mutating func stringAndValue() throws(JSONError) -> (JSONString, JSONSlice) {
        guard try peek() == .string else { return (.absent, try skipValue()) }
        let string = try readString()
        return (string, string.quoted)
    }

    /// Passes a value; where it stands if it is of this kind, else absent.
    fileprivate mutating func skip(_ kind: Next) throws(JSONError) -> JSONSlice {
        let isKind = try peek() == kind
        let slice = try skipValue()
        return isKind ? slice : .absent
    }
}
