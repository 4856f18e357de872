// Gatehouse. SPDX-License-Identifier: MIT

import HTTPWire
import Testing

/// Reads bytes whole, cut once at every place, and byte by byte; the outcome must always be the same.
func read(
    _ bytes: [UInt8],
    limits: HTTPLimits = HTTPLimits(),
    at location: SourceLocation = #_sourceLocation
) -> Transcript {
    let whole = WireConnection.read(bytes, limits: limits)
    for cut in bytes.indices.dropFirst() {
        let isSame = WireConnection.read(bytes, cuts: [cut], limits: limits) == whole
        #expect(isSame, "cut at \(cut)", sourceLocation: location)
    }
    let isSame = WireConnection.read(bytes, cuts: bytes.map { _ in 1 }, limits: limits) == whole
    #expect(isSame, "byte by byte", sourceLocation: location)
    return whole
}

/// The same for text, where `\r` and `\n` stand as they are sent.
func read(
    _ text: String,
    limits: HTTPLimits = HTTPLimits(),
    at location: SourceLocation = #_sourceLocation
) -> Transcript {
    read(Array(text.utf8), limits: limits, at: location)
}

/// Why a text is refused; nil if it is not.
func refusal(
    _ text: String,
    limits: HTTPLimits = HTTPLimits(),
    at location: SourceLocation = #_sourceLocation
) -> HTTPWireError.Kind? {
    read(text, limits: limits, at: location).refusal
}

/// Why a request to `/` with these further fields is refused; nil if it is complete.
func refusal(
    fields: String...,
    version: String = "1.1",
    at location: SourceLocation = #_sourceLocation
) -> HTTPWireError.Kind? {
    let lines = fields.map { $0 + "\r\n" }.joined()
    return read("POST / HTTP/\(version)\r\nHost: a\r\n\(lines)\r\n", at: location).refusal
}

/// The only message of a text, which must be complete.
func message(_ text: String, at location: SourceLocation = #_sourceLocation) throws -> Transcript.Message {
    let transcript = read(text, at: location)
    #expect(transcript.ending == .complete, sourceLocation: location)
    #expect(transcript.messages.count == 1, sourceLocation: location)
    return try #require(transcript.messages.first, sourceLocation: location)
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }
}
