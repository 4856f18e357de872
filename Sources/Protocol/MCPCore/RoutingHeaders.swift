// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON
package import JSONRPC

/// The headers that mirror parts of a modern request's body, so that what stands between can route without reading it
/// (2026-07-28, transports, "Streamable HTTP", request headers).
package struct RoutingHeaders: Sendable {
    /// `MCP-Protocol-Version`.
    package var version: ArraySlice<UInt8>?
    /// `Mcp-Method`.
    package var method: ArraySlice<UInt8>?
    /// `Mcp-Name`.
    package var name: ArraySlice<UInt8>?
    /// Whether one of them stands more than once.
    package var hasDuplicates = false

    /// Makes headers of which none is there.
    package init() {}

    /// A header's value, with the wrapping of values that cannot stand in a header taken off.
    ///
    /// Nil if the wrapping is not canonical base64 of UTF-8 text. Without both its prefix and its suffix a value is literal.
    package static func decode(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let (prefix, suffix) = ("=?base64?".utf8, "?=".utf8)
        guard value.first == UInt8(ascii: "="), value.count >= prefix.count + suffix.count,
            value.starts(with: prefix), value.suffix(suffix.count).elementsEqual(suffix)
        else {
            return value.allSatisfy { $0 == 9 || ($0 >= 0x20 && $0 < 0x7F) } ? value : nil
        }
        let inner = value.dropFirst(prefix.count).dropLast(suffix.count)
        guard let decoded = Base64.decode(inner, .standard), String(validating: decoded, as: UTF8.self) != nil
        else {
            return nil
        }
        return decoded[...]
    }

    /// Compares the headers with the request that they came with.
    ///
    /// - Returns: A failure with -32020, or nil if every header that must be there is and says what the body says.
    package func check(against message: Message, _ bytes: Span<UInt8>) -> Failure? {
        if hasDuplicates { return mismatch("A routing header stands more than once") }
        guard let version else { return mismatch("The header MCP-Protocol-Version is missing") }
        guard bytes.equals(message.params.meta.protocolVersion, version) else {
            return mismatch("The header MCP-Protocol-Version does not match the version in _meta")
        }
        guard message.envelope.kind == .request else { return nil }
        guard let method else { return mismatch("The header Mcp-Method is missing") }
        guard bytes.equals(message.envelope.method, method) else {
            return mismatch("The header Mcp-Method does not match the method of the body")
        }
        let (mirrored, isRequired) = Self.mirrored(message)
        guard isRequired else { return nil }
        guard let name else { return mismatch("The header Mcp-Name is missing") }
        guard let decoded = Self.decode(name) else { return mismatch("The header Mcp-Name is malformed") }
        guard bytes.equals(mirrored, decoded) else {
            return mismatch("The header Mcp-Name does not match the body")
        }
        return nil
    }

    /// Which parameter `Mcp-Name` mirrors, and whether the method has one.
    private static func mirrored(_ message: Message) -> (JSONString, Bool) {
        switch message.method {
        case .toolsCall, .promptsGet: (message.params.name, true)
        case .resourcesRead: (message.params.uri, true)
        case .tasksGet, .tasksUpdate, .tasksCancel: (message.params.taskID, true)
        default: (.absent, false)
        }
    }

    private func mismatch(_ text: String) -> Failure {
        Failure(.headerMismatch, text, source: .client)
    }
}
