// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import Diagnostics
import HTTPWire
import JSON
package import JSONRPC
package import MCPCore
import Telemetry

/// The place of a call in a trace: what its client said, and what its server is told.
///
/// `_meta` goes before the fields of HTTP, which may be a proxy's (2026-07-28, basic, "_meta"; SEP-414). What breaks the rules
/// of W3C Trace Context is taken for nothing said.
package final class CallTrace {
    /// Where the client stands.
    package let parent: TraceParent?
    /// The gateway's own span; nil where it makes none.
    package let own: TraceParent?
    /// What goes with the client's place, if that came in fields of HTTP.
    private let state: [UInt8]?
    private let baggage: [UInt8]?

    private init(_ parent: TraceParent?, _ own: TraceParent?, state: [UInt8]?, baggage: [UInt8]?) {
        self.parent = parent
        self.own = own
        self.state = state
        self.baggage = baggage
    }

    /// What the server is told.
    package var outgoing: TraceParent? { own ?? parent }

    /// The place of a call; nil where nothing is to be done: no span is made, and nothing has to be carried from the fields of
    /// HTTP into the message.
    static func of(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ head: HTTPRequestHead?,
        _ tracer: Tracer?
    ) -> CallTrace? {
        let isInMessage = message.params.meta.traceParent.isPresent
        let isInHead = !isInMessage && head?.count(.traceparent) == 1
        guard tracer != nil || isInHead else { return nil }
        var parent: TraceParent?
        var state: [UInt8]?
        var baggage: [UInt8]?
        if isInMessage {
            parent = parse(bytes, message.params.meta.traceParent)
        } else if isInHead, let head, let value = head.value(.traceparent) {
            let text = Array(value)
            parent = TraceParent(text.span)
            if parent != nil {
                state = list(head, "tracestate", TraceLists.isState)
                baggage = list(head, "baggage", TraceLists.isBaggage)
            }
        }
        guard tracer != nil || parent != nil else { return nil }
        return CallTrace(parent, tracer?.place(in: parent), state: state, baggage: baggage)
    }

    /// Reads a string of the message; one with escapes is none that anybody would write.
    private static func parse(_ bytes: Span<UInt8>, _ slice: JSONSlice) -> TraceParent? {
        guard slice.count > 2, bytes[slice.start] == UInt8(ascii: "\"") else { return nil }
        return TraceParent(bytes.extracting(slice.start + 1..<slice.end - 1))
    }

    /// The fields of a list, which may be several, as one.
    private static func list(
        _ head: HTTPRequestHead,
        _ name: String,
        _ isProper: (Span<UInt8>) -> Bool
    ) -> [UInt8]? {
        let text = Array(head.values(named: name).joined(separator: [UInt8(ascii: ",")]))
        return isProper(text.span) ? text : nil
    }

    /// Changes a request so that its server learns its place.
    package func write(_ message: Message, _ bytes: Span<UInt8>, _ edits: inout Edits) {
        guard let outgoing, !message.params.meta.isMalformed else { return }
        let meta = message.params.meta
        if state == nil, baggage == nil, !meta.traceParent.isPresent, message.envelope.params.isPresent {
            return Self.write(outgoing, meta.object, message.envelope.params, bytes, &edits)
        }
        var members: [UInt8] = []
        if !meta.object.isPresent { members.append(literal: "\"_meta\":{") }
        if !meta.traceParent.isPresent { members.append(literal: "\"traceparent\":") }
        members.append(UInt8(ascii: "\""))
        outgoing.append(to: &members)
        members.append(UInt8(ascii: "\""))
        if meta.traceParent.isPresent { return edits.replace(meta.traceParent, with: members) }
        if let state, !meta.traceState.isPresent {
            members.append(literal: ",\"tracestate\":")
            members.append(json: state)
        }
        if let baggage, !meta.baggage.isPresent {
            members.append(literal: ",\"baggage\":")
            members.append(json: baggage)
        }
        if meta.object.isPresent { return edits.prepend(consume members, toObject: meta.object, of: bytes) }
        members.append(UInt8(ascii: "}"))
        if message.envelope.params.isPresent {
            return edits.prepend(consume members, toObject: message.envelope.params, of: bytes)
        }
        guard let start = (0..<bytes.count).first(where: { bytes[$0] == UInt8(ascii: "{") }) else { return }
        let params = Array("\"params\":{".utf8) + members + Array("}".utf8)
        edits.prepend(params, toObject: JSONSlice(start, bytes.count), of: bytes)
    }

    /// Puts the place alone into `_meta`, or that into the parameters: what each call comes to whose client said nothing.
    private static func write(
        _ place: TraceParent,
        _ meta: JSONSlice,
        _ params: JSONSlice,
        _ bytes: Span<UInt8>,
        _ edits: inout Edits
    ) {
        let start: StaticString = meta.isPresent ? #""traceparent":""# : #""_meta":{"traceparent":""#
        let end: StaticString = meta.isPresent ? #"""# : #""}"#
        let count = start.utf8CodeUnitCount + TraceParent.length + end.utf8CodeUnitCount
        withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { text in
            start.withUTF8Buffer { text.copyBytes(from: $0) }
            let rest = UnsafeMutableRawBufferPointer(rebasing: text[start.utf8CodeUnitCount...])
            place.store(in: rest)
            let last = UnsafeMutableRawBufferPointer(rebasing: rest[TraceParent.length...])
            end.withUTF8Buffer { last.copyBytes(from: $0) }
            edits.prepend(
                Span(_unsafeBytes: UnsafeRawBufferPointer(text)),
                toObject: meta.isPresent ? meta : params,
                of: bytes
            )
        }
    }
}
