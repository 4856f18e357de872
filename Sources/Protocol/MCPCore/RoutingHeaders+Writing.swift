// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON

extension RoutingHeaders {
    /// A value as it stands in a header: literal where it can, else wrapped in base64; the reverse of `decode`.
    ///
    /// Wrapped are values that are not printable ASCII, that begin or end with white space, or that would be taken for
    /// wrapped ones (2026-07-28, transports, "Streamable HTTP", encoding of values).
    package static func encode(_ value: String) -> String {
        let bytes = value.utf8
        let isPrintable = bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
        let hasSpaceAtEdge = bytes.first == 0x20 || bytes.last == 0x20
        let looksWrapped = bytes.starts(with: "=?base64?".utf8) && bytes.suffix(2).elementsEqual("?=".utf8)
        if isPrintable, !hasSpaceAtEdge, !looksWrapped { return value }
        return "=?base64?" + String(decoding: Base64.encode(bytes, .standard), as: UTF8.self) + "?="
    }

    /// What `Mcp-Name` says for a request; nil for methods that have no such header.
    package static func name(of method: Method, _ params: JSONValue) -> String? {
        switch method {
        case .toolsCall, .promptsGet: params["name"]?.string
        case .resourcesRead: params["uri"]?.string
        case .tasksGet, .tasksUpdate, .tasksCancel: params["taskId"]?.string
        default: nil
        }
    }
}

extension HeaderParameters {
    /// The headers that mirror a call's arguments: names in lower case, values ready to be sent.
    ///
    /// What is absent or null has no header, and neither has what no header can mirror.
    package func fields(for arguments: JSONValue?) -> [(name: String, value: String)] {
        parameters.compactMap { parameter in
            let text: String
            switch parameter.path.reduce(arguments, { $0?[$1] }) {
            case .string(let value): text = RoutingHeaders.encode(value)
            case .number(let value): text = value
            case .bool(let value): text = value ? "true" : "false"
            default: return nil
            }
            return ("mcp-param-" + String(decoding: parameter.header, as: UTF8.self), text)
        }
    }
}
