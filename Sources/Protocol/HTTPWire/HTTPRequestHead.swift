// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// The head of a request that passed every rule of the profile.
///
/// It owns the bytes of the head; names, values and the target are slices of them, never strings. A class, so that
/// what is handed on is one reference.
package final class HTTPRequestHead: Sendable {
    /// Where the parts stand; the parser fills it in.
    struct Parts: Sendable {
        var bytes: [UInt8] = []
        var fields: [Field] = []
        var slots = InlineArray<24, Slot>(repeating: Slot())
        var methodEnd = 0
        var targetRange = 0..<0
        var pathRange = 0..<0
        var queryRange: Range<Int>?
        var authorityRange: Range<Int>?
        var method = HTTPMethod.other
        var version = HTTPVersion.http11
        var bodyFraming = HTTPBodyFraming.none
        var keepsAlive = false
        var expectsContinue = false

        /// How many fields of a name there are.
        func count(_ name: HTTPFieldName) -> Int { Int(slots[Int(name.rawValue)].count) }
    }

    /// Where a field stands in the bytes; the value without the white space around it.
    struct Field: Sendable {
        var nameStart: UInt32
        var nameEnd: UInt32
        var valueStart: UInt32
        var valueEnd: UInt32
    }

    /// Where the first field of a name stands in the list, and how many there are.
    struct Slot: Sendable {
        var first: UInt16 = 0
        var count: UInt16 = 0
    }

    private let parts: Parts

    init(_ parts: consuming Parts) {
        self.parts = parts
    }

    /// The method.
    package var method: HTTPMethod { parts.method }
    /// HTTP/1.0 or HTTP/1.1.
    package var version: HTTPVersion { parts.version }
    /// How the end of the body is found.
    package var bodyFraming: HTTPBodyFraming { parts.bodyFraming }
    /// Whether the peer wants to send another request on the connection (RFC 9112 §9.3).
    package var keepsAlive: Bool { parts.keepsAlive }
    /// Whether the peer waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    package var expectsContinue: Bool { parts.expectsContinue }

    /// The method as sent.
    package var methodName: ArraySlice<UInt8> { parts.bytes[0..<parts.methodEnd] }

    /// The request target as sent.
    package var target: ArraySlice<UInt8> { parts.bytes[parts.targetRange] }

    /// The path, not decoded: `/` where an absolute target has none, `*` for `OPTIONS *`, empty for CONNECT.
    package var path: ArraySlice<UInt8> {
        if parts.pathRange.isEmpty && method != .connect { return Self.rootPath }
        return parts.bytes[parts.pathRange]
    }

    /// What follows the first `?`, not decoded.
    package var query: ArraySlice<UInt8>? { parts.queryRange.map { parts.bytes[$0] } }

    /// Host and port asked for: of an absolute target, else of `Host`; nil only where HTTP/1.0 gave neither.
    package var authority: ArraySlice<UInt8>? { parts.authorityRange.map { parts.bytes[$0] } }

    /// How many fields there are.
    package var fieldCount: Int { parts.fields.count }

    /// The value of the first field of a name, or nil.
    ///
    /// `other` has no value.
    package func value(_ name: HTTPFieldName) -> ArraySlice<UInt8>? {
        let slot = parts.slots[Int(name.rawValue)]
        guard slot.count > 0 else { return nil }
        return value(parts.fields[Int(slot.first)])
    }

    /// How many fields of a name there are; 0 for `other`.
    package func count(_ name: HTTPFieldName) -> Int { parts.count(name) }

    /// The values of all fields of a name, which is given in lower case.
    package func values(named lowercase: String) -> [ArraySlice<UInt8>] {
        parts.fields.filter { name($0).equalsIgnoringCase(lowercase) }.map { value($0) }
    }

    /// Passes every field in the order it was sent.
    package func forEachField(_ body: (_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Void) {
        for field in parts.fields { body(name(field), value(field)) }
    }

    private func name(_ field: Field) -> ArraySlice<UInt8> {
        parts.bytes[Int(field.nameStart)..<Int(field.nameEnd)]
    }

    private func value(_ field: Field) -> ArraySlice<UInt8> {
        parts.bytes[Int(field.valueStart)..<Int(field.valueEnd)]
    }

    private static let rootPath: ArraySlice<UInt8> = [UInt8(ascii: "/")]
}
