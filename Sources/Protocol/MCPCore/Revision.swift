// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON

/// How a peer speaks MCP: with sessions and requests both ways, or without state.
package enum Era: String, Sendable {
    /// 2024-11-05 to 2025-11-25: a handshake, sessions, requests from server to client.
    case legacy
    /// 2026-07-28: every request carries its version and capabilities.
    case modern
}

/// A revision of MCP, oldest first.
package enum Revision: String, Sendable, CaseIterable, Comparable {
    /// The first one: HTTP+SSE.
    case v2024_11_05 = "2024-11-05"
    /// Streamable HTTP, batches.
    case v2025_03_26 = "2025-03-26"
    /// No batches; elicitation; the version header.
    case v2025_06_18 = "2025-06-18"
    /// Icons, URL elicitation, priming events.
    case v2025_11_25 = "2025-11-25"
    /// Stateless.
    case v2026_07_28 = "2026-07-28"

    /// The newest revision with a handshake.
    package static let latestLegacy = Revision.v2025_11_25
    /// The newest revision.
    package static let modern = Revision.v2026_07_28

    /// Finds a revision by its date, compared by bytes.
    package init?(bytes: some Collection<UInt8>) {
        self.init(Array(bytes)[...])
    }

    /// Finds a revision by its date, compared by bytes; asked for each request.
    package init?(_ bytes: ArraySlice<UInt8>) {
        self.init(bytes.span)
    }

    /// Finds a revision by its date where it stands in a message.
    package init?(_ date: JSONString, in bytes: Span<UInt8>) {
        if date.hasEscapes {
            guard let date = bytes.string(date) else { return nil }
            self.init(date.span)
        } else {
            self.init(bytes.extracting(date.slice.range))
        }
    }

    private init?(_ span: Span<UInt8>) {
        if span.equals("2026-07-28") {
            self = .v2026_07_28
        } else if span.equals("2025-11-25") {
            self = .v2025_11_25
        } else if span.equals("2025-06-18") {
            self = .v2025_06_18
        } else if span.equals("2025-03-26") {
            self = .v2025_03_26
        } else if span.equals("2024-11-05") {
            self = .v2024_11_05
        } else {
            return nil
        }
    }

    /// The era it belongs to.
    package var era: Era { self == .v2026_07_28 ? .modern : .legacy }
    /// Whether several messages may come in an array (2025-03-26, basic, "Batching").
    package var allowsBatches: Bool { self == .v2025_03_26 }
    /// Whether an event stream begins with an id and no data (2025-11-25, transports; older clients fail on it).
    package var primesStreams: Bool { self == .v2025_11_25 }

    /// Older first.
    package static func < (left: Revision, right: Revision) -> Bool { left.rawValue < right.rawValue }
}
