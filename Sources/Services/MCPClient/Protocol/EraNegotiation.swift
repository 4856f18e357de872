// Gatehouse. SPDX-License-Identifier: MIT

package import JSON
import JSONRPC
package import MCPCore

/// Which era a client wants to speak.
package enum EraPreference: String, Sendable, CaseIterable {
    /// The modern era if the server does, else the legacy one.
    case auto
    /// Only the legacy era.
    case legacy
    /// Only the modern era.
    case modern
}

/// Over which of HTTP's transports a server is reached.
package enum HTTPBinding: Sendable, CaseIterable {
    /// Streamable HTTP, or HTTP+SSE if that is all it has.
    case found
    /// Streamable HTTP.
    case streamable
    /// HTTP+SSE (2024-11-05).
    case eventStream
}

/// How a client and a server find the revision that they speak (2026-07-28, versioning; lifecycle of the revisions
/// before).
///
/// It starts with `begin`; the outcome of each step leads to the next, until `done` or `fail`. `server/discover` comes
/// first: a result, or an error that only the modern era has, shows a modern server. Most other refusals lead to
/// `initialize`. Those that say nothing about the era do not: that a token is missing, that the server is broken, that
/// nobody answers over HTTP.
package struct EraNegotiation: Sendable {
    /// What to do next.
    package enum Step: Sendable, Equatable {
        /// Ask `server/discover`, as the modern era does.
        case discover
        /// Ask `initialize` for this revision; a process that was asked something else must be replaced first.
        case initialize(Revision)
        /// Open the event stream of HTTP+SSE, which is how servers of 2024-11-05 are reached, then initialize.
        case openEventStream(Revision)
        /// It is settled. In the legacy era, `notifications/initialized` must follow.
        case done(ServerDescription)
        /// There is no way.
        case fail(MCPClientError)
    }

    private let preference: EraPreference
    private let isProcess: Bool
    private let binding: HTTPBinding
    /// The revision that was asked for in the step before.
    private var asked: Revision?
    /// Whether the server has refused our revision and named it in the same breath.
    private var hasAskedAgain = false
    /// Why the endpoint took no `initialize`, once an event stream is tried.
    private var refusal: MCPClientError?

    /// Starts before anything was asked.
    ///
    /// - Parameters:
    ///   - preference: Which era is wanted.
    ///   - isProcess: Whether the server is a process at the end of pipes. There, silence and an early end are answers:
    ///     servers of the legacy era may do either when the first request is not `initialize`.
    ///   - binding: Over which of HTTP's transports it is reached.
    package init(_ preference: EraPreference, isProcess: Bool, binding: HTTPBinding = .found) {
        self.preference = preference
        self.isProcess = isProcess
        self.binding = binding
    }

    /// The first step.
    package mutating func begin() -> Step {
        if binding == .eventStream, !isProcess { return openEventStream() }
        return preference == .legacy ? initialize(.latestLegacy) : .discover
    }

    /// What follows from the outcome of `server/discover`.
    package mutating func discovered(_ outcome: Result<JSONValue, MCPClientError>) -> Step {
        switch outcome {
        case .success(let result):
            guard let versions = result["supportedVersions"]?.array else {
                return fallBack(.malformed("the server's answer to server/discover names no versions"))
            }
            return choose(among: versions.compactMap(\.string), result)
        case .failure(.refused(let failure, _)) where failure.code == .unsupportedVersion:
            return choose(among: failure.data?["supported"]?.array?.compactMap(\.string) ?? [], nil)
        case .failure(.refused(let failure, _))
        where failure.code == .headerMismatch || failure.code == .missingClientCapability:
            return .done(ServerDescription(discovered: nil))
        case .failure(let error):
            return saysNothing(error) ? .fail(error) : fallBack(error)
        }
    }

    /// What follows from the outcome of `initialize`.
    package mutating func initialized(_ outcome: Result<JSONValue, MCPClientError>) -> Step {
        switch outcome {
        case .success(let result):
            let version = result["protocolVersion"]?.string ?? ""
            guard let revision = Revision(bytes: version.utf8), revision.era == .legacy else {
                return .fail(
                    .incompatible("the server wants revision \"\(version)\", which is not known here")
                )
            }
            return .done(ServerDescription(initialized: result, revision: revision))
        case .failure(.refused(let failure, let status)):
            // Once: a server that refuses its own suggestion would be asked for ever.
            let supported = Self.legacy(failure.data?["supported"]?.array?.compactMap(\.string) ?? [])
            if let best = supported.max(), asked == .latestLegacy, best != asked { return initialize(best) }
            let isOfModern =
                failure.code == .headerMismatch || failure.code == .unsupportedVersion
                || failure.code == .missingClientCapability
            let error = MCPClientError.refused(failure, status: status)
            return isOfModern ? .fail(error) : openEventStream(error, status)
        case .failure(.http(let status, let detail)):
            return openEventStream(.http(status: status, detail: detail), status)
        case .failure(let error):
            return .fail(refusal ?? error)
        }
    }

    /// The last way to an HTTP server: once, after a refusal that one without the newer transport gives (2026-07-28,
    /// transports, "Backward Compatibility").
    private mutating func openEventStream(_ error: MCPClientError, _ status: Int?) -> Step {
        guard !isProcess, binding == .found, refusal == nil, status == 400 || status == 404 || status == 405
        else {
            return .fail(refusal ?? error)
        }
        refusal = error
        return .openEventStream(asked ?? .latestLegacy)
    }

    /// The only way to a server that is known to be of the oldest kind.
    private mutating func openEventStream() -> Step {
        guard preference != .modern else {
            return .fail(.incompatible("HTTP+SSE knows nothing of the modern era"))
        }
        asked = .latestLegacy
        return .openEventStream(.latestLegacy)
    }

    private mutating func initialize(_ revision: Revision) -> Step {
        asked = revision
        return .initialize(revision)
    }

    private mutating func fallBack(_ reason: MCPClientError) -> Step {
        preference == .auto ? initialize(.latestLegacy) : .fail(reason)
    }

    /// Takes a modern revision among those that the server speaks, else a legacy one.
    private mutating func choose(among versions: [String], _ result: JSONValue?) -> Step {
        let speaksOurs = versions.contains { $0.utf8.elementsEqual(Revision.modern.rawValue.utf8) }
        if let result, speaksOurs { return .done(ServerDescription(discovered: result)) }
        // It refused a version that it serves; versions are chosen request by request, so it is asked once more.
        if speaksOurs, !hasAskedAgain {
            hasAskedAgain = true
            return .discover
        }
        if let best = Self.legacy(versions).max(), preference == .auto { return initialize(best) }
        let list = versions.isEmpty ? "none that it names" : versions.joined(separator: ", ")
        return .fail(
            .incompatible("the server does not serve revision \(Revision.modern.rawValue); it serves \(list)")
        )
    }

    private func saysNothing(_ error: MCPClientError) -> Bool {
        switch error {
        case .refused(_, let status?), .http(let status, _):
            status == 401 || status == 403 || !((200..<300).contains(status) || (400..<500).contains(status))
        case .refused, .malformed: false
        case .timedOut, .ended: !isProcess
        case .unreachable, .cancelled, .incompatible, .unanswered: true
        }
    }

    private static func legacy(_ versions: [String]) -> [Revision] {
        versions.compactMap { Revision(bytes: $0.utf8) }.filter { $0.era == .legacy }
    }
}
