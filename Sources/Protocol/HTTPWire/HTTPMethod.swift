// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// The methods that are told apart (RFC 9110 §9).
///
/// Names are case-sensitive: `get` is `other`.
package enum HTTPMethod: Sendable {
    case get, post, delete, options, head, put, patch, connect, trace
    /// Any other token.
    case other

    /// The longest name that is read; a longer one is answered 501.
    static let longestName = 32

    /// The method of a name.
    init(_ name: Span<UInt8>) {
        switch name.count {
        case 3: self = name.equals("GET") ? .get : name.equals("PUT") ? .put : .other
        case 4: self = name.equals("POST") ? .post : name.equals("HEAD") ? .head : .other
        case 5: self = name.equals("PATCH") ? .patch : name.equals("TRACE") ? .trace : .other
        case 6: self = name.equals("DELETE") ? .delete : .other
        case 7: self = name.equals("OPTIONS") ? .options : name.equals("CONNECT") ? .connect : .other
        default: self = .other
        }
    }
}

/// HTTP/1.0 or HTTP/1.1; nothing else is read.
package struct HTTPVersion: Sendable, Equatable {
    /// 0 or 1.
    package let minor: UInt8

    /// HTTP/1.0.
    package static let http10 = HTTPVersion(minor: 0)
    /// HTTP/1.1.
    package static let http11 = HTTPVersion(minor: 1)
}

/// How the end of a request's body is found (RFC 9112 §6.3).
package enum HTTPBodyFraming: Sendable, Equatable {
    /// There is no body.
    case none
    /// So many bytes.
    case length(Int)
    /// Chunks, for `HTTPChunkedDecoder`.
    case chunked
}
