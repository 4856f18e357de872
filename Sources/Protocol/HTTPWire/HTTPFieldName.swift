// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// The fields that are found by slot, without a search.
///
/// Other fields stand in the list only.
package enum HTTPFieldName: UInt8, Sendable, CaseIterable {
    case host, origin, contentLength, transferEncoding, contentType, contentEncoding, accept, connection
    case expect, authorization, mcpSessionID, mcpProtocolVersion, mcpMethod, mcpName, lastEventID
    case secFetchSite, forwarded, xForwardedFor, xForwardedProto, xForwardedHost
    case accessControlRequestMethod, accessControlRequestHeaders, traceparent
    /// Any other name; it has no slot.
    case other

    /// The field of a name that is known to be a token; case does not matter (RFC 9110 §5.1).
    ///
    /// The length and one letter leave a single candidate, whose spelling is then compared.
    init(_ input: Span<UInt8>, _ start: Int, _ end: Int) {
        let candidate: HTTPFieldName
        let length = end - start
        switch length {
        case 4: candidate = .host
        case 6:
            switch input[start] | 0x20 {
            case UInt8(ascii: "o"): candidate = .origin
            case UInt8(ascii: "a"): candidate = .accept
            default: candidate = .expect
            }
        case 8: candidate = .mcpName
        case 9: candidate = .forwarded
        case 10: candidate = input[start] | 0x20 == UInt8(ascii: "c") ? .connection : .mcpMethod
        case 11: candidate = .traceparent
        case 12: candidate = .contentType
        case 13: candidate = input[start] | 0x20 == UInt8(ascii: "a") ? .authorization : .lastEventID
        case 14:
            switch input[start] | 0x20 {
            case UInt8(ascii: "c"): candidate = .contentLength
            case UInt8(ascii: "m"): candidate = .mcpSessionID
            default: candidate = .secFetchSite
            }
        case 15: candidate = .xForwardedFor
        case 16: candidate = input[start] | 0x20 == UInt8(ascii: "c") ? .contentEncoding : .xForwardedHost
        case 17: candidate = input[start] | 0x20 == UInt8(ascii: "t") ? .transferEncoding : .xForwardedProto
        case 20: candidate = .mcpProtocolVersion
        case 29: candidate = .accessControlRequestMethod
        case 30: candidate = .accessControlRequestHeaders
        default:
            self = .other
            return
        }
        self = candidate.isSpelled(input, start, length) ? candidate : .other
    }

    /// Setting bit 5 lowers letters and leaves `-` alone; no other token byte becomes one of these by it.
    private func isSpelled(_ input: Span<UInt8>, _ start: Int, _ length: Int) -> Bool {
        let offset = Int(rawValue) &* Self.stride
        let spelling = Self.letters.span.extracting(offset..<offset + length)
        return input.extracting(start..<start + length).equals(spelling, setting: 0x20)
    }

    private static let stride = 32
    private static let letters: [UInt8] = allCases.flatMap { name in
        let spelling = Array(name.spelling.utf8)
        return spelling + [UInt8](repeating: 0, count: stride - spelling.count)
    }

    /// The name in lower case; empty for `other`.
    package var spelling: String {
        switch self {
        case .host: "host"
        case .origin: "origin"
        case .contentLength: "content-length"
        case .transferEncoding: "transfer-encoding"
        case .contentType: "content-type"
        case .contentEncoding: "content-encoding"
        case .accept: "accept"
        case .connection: "connection"
        case .expect: "expect"
        case .authorization: "authorization"
        case .mcpSessionID: "mcp-session-id"
        case .mcpProtocolVersion: "mcp-protocol-version"
        case .mcpMethod: "mcp-method"
        case .mcpName: "mcp-name"
        case .lastEventID: "last-event-id"
        case .secFetchSite: "sec-fetch-site"
        case .forwarded: "forwarded"
        case .xForwardedFor: "x-forwarded-for"
        case .xForwardedProto: "x-forwarded-proto"
        case .xForwardedHost: "x-forwarded-host"
        case .accessControlRequestMethod: "access-control-request-method"
        case .accessControlRequestHeaders: "access-control-request-headers"
        case .traceparent: "traceparent"
        case .other: ""
        }
    }
}
