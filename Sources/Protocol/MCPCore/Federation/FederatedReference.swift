// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON
import JSONRPC

/// What a `completion/complete` completes: a prompt by its name, or a resource by its URI or template (2025-11-25,
/// "Completion").
package struct FederatedReference: Sendable, Equatable {
    /// Whether it is a prompt's name, rather than a URI.
    package var isPrompt: Bool
    /// The name or URI, unescaped.
    package var key: [UInt8]
    /// Where it stands, quotes included.
    package var place: JSONSlice

    /// Reads the `ref` of a request; nil if it is none of the two.
    package init?(_ message: Message, _ bytes: Span<UInt8>) {
        let params = message.envelope.params
        guard params.isPresent else { return nil }
        var reader = JSONReader(bytes.extracting(params.range))
        var type: JSONString = .absent
        var name: JSONString = .absent
        var uri: JSONString = .absent
        do {
            var members = try reader.object()
            while let member = try reader.next(&members) {
                guard reader.equals(member, "ref"), try reader.peek() == .object else {
                    try reader.skipValue()
                    continue
                }
                var parts = try reader.object()
                while let part = try reader.next(&parts) {
                    guard try reader.peek() == .string else {
                        try reader.skipValue()
                        continue
                    }
                    let value = try reader.readString()
                    if reader.equals(part, "type") { type = value }
                    if reader.equals(part, "name") { name = value }
                    if reader.equals(part, "uri") { uri = value }
                }
            }
        } catch {
            // The message was read whole before.
            return nil
        }
        guard type.isPresent else { return nil }
        isPrompt = reader.equals(type, "ref/prompt")
        guard isPrompt || reader.equals(type, "ref/resource") else { return nil }
        let found = isPrompt ? name : uri
        guard found.isPresent, let key = reader.string(found) else { return nil }
        self.key = key
        place = JSONSlice(params.start + found.quoted.start, params.start + found.quoted.end)
    }
}
