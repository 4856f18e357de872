// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// The head of a request that passed every rule of the profile.
///
/// It owns the bytes of the head; names, values and the target are slices of them, never strings. Its parser fills
/// the same storage for every request of a connection, unless a copy of the head is still held elsewhere.
package struct HTTPRequestHead: Sendable {
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

    var bytes: [UInt8] = []
    var fields: [Field] = []
    var slots = InlineArray<24, Slot>(repeating: Slot())
    var methodEnd = 0
    var targetRange = 0..<0
    var pathRange = 0..<0
    var queryRange: Range<Int>?
    var authorityRange: Range<Int>?

    /// The method.
    package internal(set) var method = HTTPMethod.other
    /// HTTP/1.0 or HTTP/1.1.
    package internal(set) var version = HTTPVersion.http11
    /// How the end of the body is found.
    package internal(set) var bodyFraming = HTTPBodyFraming.none
    /// Whether the peer wants to send another request on the connection (RFC 9112 §9.3).
    package internal(set) var keepsAlive = false
    /// Whether the peer waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    package internal(set) var expectsContinue = false

    /// The method as sent.
    package var methodName: ArraySlice<UInt8> { bytes[0..<methodEnd] }

    /// The request target as sent.
    package var target: ArraySlice<UInt8> { bytes[targetRange] }

    /// The path, not decoded: `/` where an absolute target has none, `*` for `OPTIONS *`, empty for CONNECT.
    package var path: ArraySlice<UInt8> {
        if pathRange.isEmpty && method != .connect { return Self.rootPath }
        return bytes[pathRange]
    }

    /// What follows the first `?`, not decoded.
    package var query: ArraySlice<UInt8>? { queryRange.map { bytes[$0] } }

    /// Host and port asked for: of an absolute target, else of `Host`; nil only where HTTP/1.0 gave neither.
    package var authority: ArraySlice<UInt8>? { authorityRange.map { bytes[$0] } }

    /// How many fields there are.
    package var fieldCount: Int { fields.count }

    /// The value of the first field of a name, or nil.
    ///
    /// `other` has no value.
    package func value(_ name: HTTPFieldName) -> ArraySlice<UInt8>? {
        let slot = slots[Int(name.rawValue)]
        guard slot.count > 0 else { return nil }
        return value(fields[Int(slot.first)])
    }

    /// How many fields of a name there are; 0 for `other`.
    package func count(_ name: HTTPFieldName) -> Int {
        Int(slots[Int(name.rawValue)].count)
    }

    /// The values of all fields of a name, which is given in lower case.
    package func values(named lowercase: String) -> [ArraySlice<UInt8>] {
        fields.filter { name($0).equalsIgnoringCase(lowercase) }.map { value($0) }
    }

    /// Passes every field in the order it was sent.
    package func forEachField(_ body: (_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Void) {
        for field in fields { body(name(field), value(field)) }
    }

    private func name(_ field: Field) -> ArraySlice<UInt8> {
        bytes[Int(field.nameStart)..<Int(field.nameEnd)]
    }

    private func value(_ field: Field) -> ArraySlice<UInt8> {
        bytes[Int(field.valueStart)..<Int(field.valueEnd)]
    }

    private static let rootPath: ArraySlice<UInt8> = [UInt8(ascii: "/")]

    /// Forgets everything and keeps the storage.
    mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        for index in slots.indices { slots[index] = Slot() }
        methodEnd = 0
        targetRange = 0..<0
        pathRange = 0..<0
        queryRange = nil
        authorityRange = nil
        method = .other
        version = .http11
        bodyFraming = .none
        keepsAlive = false
        expectsContinue = false
    }
}
