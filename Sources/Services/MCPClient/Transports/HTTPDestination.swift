// Gatehouse. SPDX-License-Identifier: MIT

package import HTTPClient

/// Where a server is reached by HTTP, through what, and within which bounds.
package struct HTTPDestination {
    /// Where messages or the event stream are.
    let url: String
    /// What each request carries besides the protocol's own fields.
    let fields: [HTTPField]
    /// The largest message of the server, in bytes.
    let limit: Int
    /// What sends the requests.
    let http: HTTPClient
    /// Whether that is ended with the transport.
    let ownsClient: Bool
    /// How long the server may take for a message that has no answer, in milliseconds.
    let noticeTimeout: Int

    /// Milliseconds that a response may stay open after its answer, and how many may at once.
    static let lingerTime: UInt64 = 2000
    static let lingerLimit = 8

    /// Names one.
    ///
    /// - Parameters:
    ///   - url: Where messages or the event stream are.
    ///   - fields: What each request carries besides the protocol's own fields.
    ///   - limit: The largest message of the server, in bytes.
    ///   - http: What sends the requests.
    ///   - ownsClient: Whether that is ended with the transport.
    ///   - noticeTimeout: How long the server may take for a message that has no answer, in milliseconds.
    package init(
        url: String,
        fields: [HTTPField],
        limit: Int,
        over http: HTTPClient,
        ownsClient: Bool,
        noticeTimeout: Int = 30_000
    ) {
        self.url = url
        self.fields = fields
        self.limit = limit
        self.http = http
        self.ownsClient = ownsClient
        self.noticeTimeout = noticeTimeout
    }
}
