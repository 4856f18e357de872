// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// A field of a head, in the order it stands there.
package struct HTTPField: Sendable, Equatable {
    /// The name; in lower case in what was received.
    package var name: String
    /// The value, without white space around it.
    package var value: String

    /// Makes a field.
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What to ask of a server.
package struct HTTPRequest: Sendable {
    /// The method, such as `POST`.
    package var method: String
    /// An absolute URL; only `http` and `https` are served.
    package var url: String
    /// The fields, besides those that the client makes itself (`Host`, `Content-Length`).
    package var fields: [HTTPField]
    /// The body, if there is one.
    package var body: [UInt8]?
    /// Milliseconds for name, connection and handshake.
    package var connectTimeout: Int = 10_000
    /// Milliseconds for all of it; nil for streams, which end when someone ends them.
    package var totalTimeout: Int?

    /// Makes a request.
    package init(method: String, url: String, fields: [HTTPField] = [], body: [UInt8]? = nil) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
    }

    /// Why this must not be sent, if so: what stands in a line must not end it (RFC 9110 §5.5).
    var defect: HTTPClientFailure? {
        guard !method.utf8.isEmpty, method.utf8.allSatisfy(ASCII.isToken) else {
            return HTTPClientFailure(.badRequest, "the method is not a token")
        }
        guard !url.utf8.isEmpty, url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            return HTTPClientFailure(
                .badRequest,
                "the URL is empty, or has a space or a control character in it"
            )
        }
        let scheme = url.utf8.prefix { $0 != UInt8(ascii: ":") }
        guard scheme.equalsIgnoringCase("http") || scheme.equalsIgnoringCase("https") else {
            return HTTPClientFailure(.badRequest, "the URL is neither http nor https")
        }
        for field in fields {
            guard !field.name.utf8.isEmpty, field.name.utf8.allSatisfy(ASCII.isToken) else {
                return HTTPClientFailure(.badRequest, "a header has no proper name")
            }
            guard field.value.utf8.allSatisfy({ $0 == 9 || ($0 >= 0x20 && $0 != 0x7F) }) else {
                return HTTPClientFailure(
                    .badRequest,
                    "the header \(field.name) has a control character in its value"
                )
            }
        }
        return nil
    }
}

/// The head of a response.
package struct HTTPResponse: Sendable, Equatable {
    /// The status.
    package var status: Int
    /// The fields; those of a trailer are not among them.
    package var fields: [HTTPField]

    /// The first value of a field, by its name in lower case.
    package func value(_ name: String) -> String? {
        fields.first { $0.name.hasSameBytes(as: name) }?.value
    }

    /// The media type in lower case, without parameters (RFC 9110 §8.3).
    package var mediaType: String? {
        value("content-type").map { value in
            value.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
        }
    }
}

/// Why a request got no whole response.
package struct HTTPClientFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of reason it is.
    package enum Kind: Sendable, Equatable {
        /// The request itself cannot be sent.
        case badRequest
        /// It leads where it must not (`gateway.egress`).
        case forbidden
        /// Nobody was reached, or not securely.
        case unreachable
        /// The time was up.
        case timedOut
        /// The connection broke, or what came is not HTTP.
        case broken
    }

    /// What kind of reason it is.
    package let kind: Kind
    /// The reason in words.
    package let description: String

    init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
