// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// What a path means (docs/configuration.md, "Paths").
package enum Resource: Equatable, Sendable {
    /// An MCP server, or the default one.
    case server(String?)
    /// Whether the program runs.
    case health
    /// Whether it takes requests.
    case readiness
    /// How many sessions and processes there are, as seed 001 sketched it.
    case sessionMetrics
    /// Nothing that we have.
    case unknown

    /// Reads a path. A slash at the end and the prefix `/api` make no difference.
    ///
    /// Segments are compared as they are written: an escape in one makes it unknown, so that nothing has two meanings.
    package init(path: ArraySlice<UInt8>) {
        var segments = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
        if segments.last?.isEmpty == true { segments.removeLast() }
        let isAPI = segments.first?.equals("api") == true
        if isAPI { segments.removeFirst() }
        let words = segments.map { String(decoding: $0, as: UTF8.self) }
        switch words.count {
        case 1 where words[0].utf8.equals("mcp"): self = .server(nil)
        case 1 where words[0].utf8.equals("healthz") && !isAPI: self = .health
        case 1 where words[0].utf8.equals("readyz") && !isAPI: self = .readiness
        case 1 where words[0].utf8.equals("session_metrics") && isAPI: self = .sessionMetrics
        case 2 where words[0].utf8.equals("mcp") && words[1].utf8.equals("health"): self = .health
        case 2 where words[0].utf8.equals("mcp") && Self.isName(segments.last ?? []): self = .server(words[1])
        default: self = .unknown
        }
    }

    private static func isName(_ text: ArraySlice<UInt8>) -> Bool {
        (1...64).contains(text.count)
            && text.allSatisfy {
                ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
            }
    }
}
