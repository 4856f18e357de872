// Gatehouse. SPDX-License-Identifier: MIT

/// The parts of the program that the log tells apart.
///
/// These are the names in its lines, and the keys of `gateway.log.levels`.
package enum LogSubsystem: String, Sendable, CaseIterable {
    /// The program as a whole: its start, its end, and what it offers.
    case gateway
    /// Each call, when it is closed.
    case calls
    /// What comes from clients, and what cannot be sent to them.
    case http
    /// A server: its start, its end, and what it writes on standard error.
    case server
    /// The sending of spans.
    case tracing
    /// Another configuration.
    case reload
    /// Sessions that outlive the gateway.
    case sessions
    /// The database.
    case store
    /// Several servers as one.
    case federation
}
