// Gatehouse. SPDX-License-Identifier: MIT

/// An MCP server that is reached over HTTP (`url`, `type`, `headers` of a server).
package struct RemoteEndpoint: Sendable, Equatable {
    /// How it is spoken to.
    package enum Transport: Sendable, Equatable {
        /// Streamable HTTP, or HTTP+SSE if that is all it has.
        case found
        /// Streamable HTTP.
        case streamable
        /// HTTP+SSE of revision 2024-11-05.
        case eventStream
    }

    /// Where it is: `https://…`, or `http://…` to an address that `gateway.egress` allows.
    package var url: String
    /// How it is spoken to.
    package var transport = Transport.found
    /// Fields that every request to it carries.
    ///
    /// They may hold secrets: they are told to nobody and logged nowhere.
    package var headers: [Header] = []

    /// A field of a request.
    package struct Header: Sendable, Equatable {
        /// Its name, as written.
        package var name: String
        /// Its value.
        package var value: String

        /// A name and a value.
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// An address, and everything else at its default.
    package init(url: String) {
        self.url = url
    }
}
