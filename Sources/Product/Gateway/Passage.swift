// Gatehouse. SPDX-License-Identifier: MIT

package import Backends
import HTTPWire
import JSON
package import JSONRPC
import MCPCore
package import Sessions

/// One request on its way through the pipeline: what each station found out, for those after it.
///
/// A class, so that what is handed on is one reference: as a value its copies were a twentieth of a call.
package final class Passage {
    /// What the path means.
    @exclusivity(unchecked) package internal(set) var resource = Resource.unknown
    /// Who asks behind trusted proxies; nil where the peer of the connection is the client.
    @exclusivity(unchecked) package internal(set) var client: ForwardedClient?
    /// The server behind it.
    @exclusivity(unchecked) package internal(set) var backend: (any Backend)?
    /// Who asks.
    @exclusivity(unchecked) package internal(set) var principal = Principal.anonymous
    /// The session that the request names, if it is the principal's own.
    @exclusivity(unchecked) package internal(set) var session: Session?
    /// The channel that the request names, if it is the principal's own.
    @exclusivity(unchecked) package internal(set) var channel: (any Channel)?

    /// A session that the request names was brought back; `own` let its principal have it.
    package func adopt(_ session: Session) {
        session.isAtCommonPath = resource.isCommonPath
        self.session = session
    }

    /// The origin to be told that it may read the answer.
    @exclusivity(unchecked) package internal(set) var origin: ArraySlice<UInt8>?
}

/// Why a request goes no further.
package struct Refusal: Error {
    /// The HTTP status.
    package let status: Int
    /// What is said in the body.
    package let failure: Failure
    /// Fields of the response.
    package var fields: [(StaticString, String)] = []

    /// Makes a refusal.
    package init(_ status: Int, _ failure: Failure, fields: [(StaticString, String)] = []) {
        self.status = status
        self.failure = failure
        self.fields = fields
    }

    /// Makes a refusal of something the client did.
    package init(_ status: Int, _ code: ErrorCode, _ message: String, fields: [(StaticString, String)] = []) {
        self.init(status, Failure(code, message, source: .client), fields: fields)
    }

    /// Makes a refusal of what a backend would not take on: with the status that the code pins, else with one that asks the
    /// client to come back.
    package init(_ failure: Failure) {
        let pinned = ModernRules.status(of: failure.code, own: true)
        if pinned != 200 {
            self.init(pinned, failure)
        } else {
            let fields = Self.fields(failure)
            self.init(failure.source == .client ? 429 : 503, failure, fields: fields)
        }
    }

    /// There is no room; the client should come back.
    package static func busy(_ message: String) -> Refusal {
        let failure = Failure(.internalError, message, source: .gateway)
        return Refusal(503, failure, fields: [retry(after: .random(in: 3...7))])
    }

    /// When the client should come back, as fields of the response (RFC 9110 §10.2.3).
    ///
    /// Where it is not known, it is left to chance, so that those who were refused together do not come back together.
    package static func fields(_ failure: Failure) -> [(StaticString, String)] {
        [retry(after: failure.retryAfter ?? .random(in: 1...3))]
    }

    private static func retry(after seconds: Int) -> (StaticString, String) {
        ("Retry-After", String(seconds))
    }
}
