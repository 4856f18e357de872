// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON
import JSONRPC

/// Writes the messages of the next hop from the parts of those that came, which are copied as they stand.
package enum Rewriting {
    /// The keys of `_meta` that belong to one hop (2026-07-28, basic, "_meta").
    private static let hopKeys: [StaticString] = [
        MetaKey.protocolVersion, MetaKey.clientCapabilities, MetaKey.clientInfo, MetaKey.logLevel,
        MetaKey.serverInfo, MetaKey.subscriptionID,
    ]

    /// Where the id of a rewritten request stands.
    package static let requestID = JSONSlice(22, 23)

    /// A request or notification with other metadata.
    ///
    /// - Parameters:
    ///   - message: What came.
    ///   - bytes: Its text.
    ///   - meta: Members that stand in `_meta` before those that are kept, as JSON text without braces; empty for none.
    ///   - adding: Members of `params` besides, as JSON text without braces.
    /// - Returns: The text on one line, with the id 0 if it is a request.
    package static func request(
        _ message: Message,
        _ bytes: Span<UInt8>,
        meta: [UInt8],
        adding: [UInt8] = []
    ) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + meta.count + adding.count + 64)
        output.append(literal: "{\"jsonrpc\":\"2.0\",")
        if message.envelope.kind == .request { output.append(literal: "\"id\":0,") }
        output.append(literal: "\"method\":")
        output.append(bytes, message.envelope.method.quoted.range)
        output.append(literal: ",\"params\":{")
        var members = MemberWriter()
        if !meta.isEmpty || message.params.meta.object.isPresent {
            members.separate(&output)
            output.append(literal: "\"_meta\":")
            append(meta: message.params.meta.object, of: bytes, after: meta, to: &output)
        }
        if !adding.isEmpty {
            members.separate(&output)
            output.append(contentsOf: adding)
        }
        members.copy(
            message.envelope.params,
            of: bytes,
            but: ["_meta", "inputResponses", "requestState", "task"],
            to: &output
        )
        output.append(literal: "}}")
        flatten(&output, message)
        return output
    }

    /// A result with other metadata and without the members that belong to one era.
    ///
    /// - Parameters:
    ///   - message: What came.
    ///   - bytes: Its text.
    ///   - first: Members that stand first, as JSON text without braces; empty for none.
    ///   - meta: Members that stand in `_meta` before those that are kept, as JSON text without braces.
    ///   - dropping: Members of the result that are left out.
    /// - Returns: The text on one line, with the id 0.
    package static func result(
        _ message: Message,
        _ bytes: Span<UInt8>,
        first: [UInt8],
        meta: [UInt8],
        dropping: [StaticString]
    ) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + first.count + meta.count + 64)
        output.append(literal: "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{")
        var members = MemberWriter()
        if !first.isEmpty {
            members.separate(&output)
            output.append(contentsOf: first)
        }
        var kept: [UInt8] = []
        append(meta: message.result.meta.object, of: bytes, after: meta, to: &kept)
        if kept.count > 2 {
            members.separate(&output)
            output.append(literal: "\"_meta\":")
            output.append(contentsOf: kept)
        }
        members.copy(message.envelope.result, of: bytes, but: dropping + ["_meta"], to: &output)
        output.append(literal: "}}")
        flatten(&output, message)
        return output
    }

    /// A notification with other metadata, such as that of the listen that it goes by.
    package static func notification(
        _ message: Message,
        _ bytes: Span<UInt8>,
        meta: [UInt8] = [],
        dropping: [StaticString] = []
    ) -> [UInt8] {
        var output: [UInt8] = []
        output.append(literal: "{\"jsonrpc\":\"2.0\",\"method\":")
        output.append(bytes, message.envelope.method.quoted.range)
        output.append(literal: ",\"params\":{")
        var members = MemberWriter()
        var kept: [UInt8] = []
        append(meta: message.params.meta.object, of: bytes, after: meta, to: &kept)
        if kept.count > 2 {
            members.separate(&output)
            output.append(literal: "\"_meta\":")
            output.append(contentsOf: kept)
        }
        members.copy(message.envelope.params, of: bytes, but: dropping + ["_meta"], to: &output)
        output.append(literal: "}}")
        flatten(&output, message)
        return output
    }

    /// `_meta` with the keys of this hop first and those of the last one left out.
    private static func append(
        meta object: JSONSlice,
        of bytes: Span<UInt8>,
        after first: [UInt8],
        to output: inout [UInt8]
    ) {
        output.append(UInt8(ascii: "{"))
        output.append(contentsOf: first)
        var members = MemberWriter(isFirst: first.isEmpty)
        members.copy(object, of: bytes, but: hopKeys, to: &output)
        output.append(UInt8(ascii: "}"))
    }

    /// Line breaks between tokens become spaces; in a string they are always escaped.
    private static func flatten(_ output: inout [UInt8], _ message: Message) {
        guard message.envelope.hasLineBreaks else { return }
        for index in output.indices where output[index] == 10 || output[index] == 13 {
            output[index] = UInt8(ascii: " ")
        }
    }
}

/// Writes members of an object one after the other, with commas between them.
private struct MemberWriter {
    private var isFirst: Bool

    init(isFirst: Bool = true) {
        self.isFirst = isFirst
    }

    mutating func separate(_ output: inout [UInt8]) {
        if !isFirst { output.append(UInt8(ascii: ",")) }
        isFirst = false
    }

    /// Copies the members of an object that are not named; the object was validated before.
    mutating func copy(
        _ object: JSONSlice,
        of bytes: Span<UInt8>,
        but dropped: [StaticString],
        to output: inout [UInt8]
    ) {
        guard object.isPresent else { return }
        var reader = JSONReader(bytes.extracting(object.range))
        do {
            var members = try reader.object()
            while let name = try reader.next(&members) {
                let value = try reader.skipValue()
                if dropped.contains(where: { reader.equals(name, $0) }) { continue }
                separate(&output)
                output.append(reader.bytes, name.quoted.range)
                output.append(UInt8(ascii: ":"))
                output.append(reader.bytes, value.range)
            }
        } catch {
            // It was read whole before.
        }
    }
}
