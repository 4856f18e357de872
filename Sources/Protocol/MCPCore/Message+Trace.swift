// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON

extension Message {
    /// A request's text without its place in a trace, for one that is said again later: that is no part of that trace.
    ///
    /// - Parameter text: The request as it was sent.
    /// - Returns: The text without `traceparent`, `tracestate` and `baggage` in `_meta`; the same if it has none.
    package static func untraced(_ text: [UInt8]) -> [UInt8] {
        guard let message = try? Message(text.span) else { return text }
        let meta = message.params.meta
        guard meta.traceParent.isPresent || meta.traceState.isPresent || meta.baggage.isPresent,
            let members = (try? JSONValue(text.span))?.members
        else { return text }
        let names = ["traceparent", "tracestate", "baggage"]
        let plain = members.changing("params") { params in
            params.changing("_meta") { meta in
                meta.filter { member in !names.contains { member.name.hasSameBytes(as: $0) } }
            }
        }
        return JSONValue.object(plain).text()
    }
}

extension [JSONValue.Member] {
    /// The members with those of one object among them changed.
    fileprivate func changing(_ name: String, _ change: ([JSONValue.Member]) -> [JSONValue.Member]) -> Self {
        map { member in
            guard member.name.hasSameBytes(as: name), let inner = member.value.members else { return member }
            return JSONValue.Member(member.name, .object(change(inner)))
        }
    }
}
