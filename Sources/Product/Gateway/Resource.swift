// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// What a path means (docs/configuration.md, "Paths").
package enum Resource: Equatable, Sendable {
    /// An MCP server, or the default one.
    case server(String?)
    /// The event stream of an MCP server's clients of 2024-11-05.
    case events(String?)
    /// Where those clients send their messages.
    case messages(String?)
    /// Whether the program runs.
    case health
    /// Whether it takes requests.
    case readiness
    /// Everything that is counted, for Prometheus.
    case metrics
    /// How many sessions and processes there are, as seed 001 sketched it, and what each process is at.
    case sessionMetrics
    /// Nothing that we have.
    case unknown

    /// Reads a path.
    ///
    /// A slash at the end and the prefix `/api` make no difference. The rest is compared as it is written: an escape
    /// makes it unknown, so that nothing has two meanings.
    package init(path: ArraySlice<UInt8>) {
        var path = path
        if path.count > 1, path.last == UInt8(ascii: "/") { path.removeLast() }
        let isAPI = path.starts(with: "/api/")
        if isAPI { path = path.dropFirst(4) }
        if path.equals("/mcp") {
            self = .server(nil)
        } else if path.starts(with: "/mcp/") {
            let name = path.dropFirst(5)
            self = name.equals("health") ? .health : Self.server(name)
        } else if isAPI {
            self = path.equals("/session_metrics") ? .sessionMetrics : .unknown
        } else if path.equals("/healthz") {
            self = .health
        } else if !isAPI, path.equals("/metrics") {
            self = .metrics
        } else {
            self = path.equals("/readyz") ? .readiness : .unknown
        }
    }

    /// What stands behind `/mcp/`: a server's name, a word that is none, or both.
    private static func server(_ path: ArraySlice<UInt8>) -> Resource {
        if path.equals("sse") { return .events(nil) }
        if path.equals("message") { return .messages(nil) }
        let end = path.firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex
        guard isName(path[..<end]) else { return .unknown }
        let name = String(decoding: path[..<end], as: UTF8.self)
        let rest = path[end...]
        if rest.isEmpty { return .server(name) }
        if rest.equals("/sse") { return .events(name) }
        return rest.equals("/message") ? .messages(name) : .unknown
    }

    /// The server that is meant, if the path leads to one: by its name, or nil for the default one.
    package var server: String?? {
        switch self {
        case .server(let name), .events(let name), .messages(let name): .some(name)
        default: nil
        }
    }

    /// Whether the path names no server, so that it leads to what the configuration says at the time.
    package var isCommonPath: Bool { server == .some(nil) }

    /// Whether it is answered even when there is hardly anything left to answer with.
    package var isVital: Bool { self == .health || self == .readiness }

    private static func isName(_ text: ArraySlice<UInt8>) -> Bool {
        (1...64).contains(text.count)
            && text.allSatisfy {
                ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
            }
    }
}
