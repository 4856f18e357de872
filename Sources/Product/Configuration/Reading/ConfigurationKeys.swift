// Gatehouse. SPDX-License-Identifier: MIT

import Diagnostics

/// Every key that means something in a configuration file.
///
/// The published schema has the same.
enum ConfigurationKeys {
    static let file = ["mcpServers", "servers", "mcp", "gateway", "$schema", "inputs"]
    static let editorSection = ["server", "servers", "inputs"]
    static let server = [
        "command", "args", "env", "working_dir", "cwd", "type", "url", "headers", "timeout_seconds",
        "request_timeout_seconds", "request_timeout_ceiling_seconds", "tool_timeouts", "restart_on_failure",
        "max_restarts", "state_lost", "description", "enabled", "disabled", "isolation", "framing", "era",
        "limits", "warm", "sandbox", "auth", "envFile", "alwaysAllow", "autoApprove",
    ]
    static let auth = [
        "method", "azure_client_id", "azure_client_secret", "azure_scopes", "oauth2_required_scopes",
        "oauth2_issuer",
        "forward_user_token",
    ]
    static let gateway = [
        "host", "port", "publicURL", "hosts", "origins", "trustedProxies", "tls", "state", "authentication",
        "routes", "rules", "default", "federation", "egress", "metrics", "log", "tracing", "cleanupSchedule",
        "limits", "timeouts",
    ]
    static let tls = [
        "certificate", "key", "clientAuthority", "clientCertificates", "minimumVersion", "hstsSeconds",
    ]
    static let federation = ["servers", "separator"]
    static let egress = ["allow"]
    static let log = ["format", "level", "levels"]
    static let logLevels = LogSubsystem.allCases.map(\.rawValue)
    static let tracing = ["endpoint", "headers", "serviceName", "sampleRatio"]
    static let sandbox = ["level", "network", "memory", "processes", "readable", "writable"]
    static var serverLimits: [String] { OptionalCountSetting<ServerLimits>.server.map(\.name) }
    static var limits: [String] {
        CountSetting<Limits>.gateway.map(\.name) + OptionalCountSetting<Limits>.gateway.map(\.name)
            + DurationSetting<Limits>.limits.map(\.name)
    }
    static var timeouts: [String] { DurationSetting<Timeouts>.timeouts.map(\.name) }

    /// Words that mean something else in the place of a server's name.
    static let reservedServerNames = ["sse", "message", "health"]

    /// Words for a server that is reached over HTTP.
    static let remoteTypes: [String: RemoteEndpoint.Transport] = [
        "http": .found, "streamableHttp": .streamable, "streamable-http": .streamable, "sse": .eventStream,
    ]
}

/// A count or number of bytes: its key, what it may be, and where it goes.
struct CountSetting<Root>: Sendable {
    var name: String
    var range: ClosedRange<Int>
    var path: any WritableKeyPath<Root, Int> & Sendable
}

extension CountSetting<Limits> {
    static let gateway: [CountSetting<Limits>] = [
        CountSetting(name: "sessions", range: 1...1_000_000, path: \.sessions),
        CountSetting(name: "children", range: 1...1_000_000, path: \.children),
        CountSetting(name: "connections", range: 1...1_000_000, path: \.connections),
        CountSetting(name: "body", range: 1024...1_073_741_824, path: \.body),
        CountSetting(name: "inFlight", range: 1...1_000_000, path: \.inFlight),
        CountSetting(name: "streams", range: 1...10_000, path: \.streams),
        CountSetting(name: "line", range: 1024...1_073_741_824, path: \.line),
        CountSetting(name: "childQueue", range: 1024...1_073_741_824, path: \.childQueue),
        CountSetting(name: "streamQueue", range: 1024...1_073_741_824, path: \.streamQueue),
        CountSetting(name: "replayBytes", range: 0...1_073_741_824, path: \.replayBytes),
        CountSetting(name: "replayEvents", range: 0...1_000_000, path: \.replayEvents),
        CountSetting(name: "head", range: 1024...1_048_576, path: \.head),
        CountSetting(name: "target", range: 256...1_048_576, path: \.target),
        CountSetting(name: "field", range: 256...1_048_576, path: \.field),
        CountSetting(name: "fields", range: 8...10_000, path: \.fields),
    ]
}

/// The same for a bound that may be absent.
struct OptionalCountSetting<Root>: Sendable {
    var name: String
    var path: any WritableKeyPath<Root, Int?> & Sendable

    static var range: ClosedRange<Int> { 1...1_000_000 }
}

extension OptionalCountSetting<ServerLimits> {
    static let server: [OptionalCountSetting<ServerLimits>] = [
        OptionalCountSetting(name: "sessions", path: \.sessions),
        OptionalCountSetting(name: "children", path: \.children),
        OptionalCountSetting(name: "inFlight", path: \.inFlight),
        OptionalCountSetting(name: "sessionsPerPrincipal", path: \.sessionsPerPrincipal),
        OptionalCountSetting(name: "childrenPerPrincipal", path: \.childrenPerPrincipal),
    ]
}

extension OptionalCountSetting<Limits> {
    static let gateway: [OptionalCountSetting<Limits>] = [
        OptionalCountSetting(name: "sessionsPerPrincipal", path: \.sessionsPerPrincipal),
        OptionalCountSetting(name: "childrenPerPrincipal", path: \.childrenPerPrincipal),
    ]
}

/// A time in seconds: its key, what it may be, and where it goes.
struct DurationSetting<Root>: Sendable {
    var name: String
    var range: ClosedRange<Double>
    var path: any WritableKeyPath<Root, Duration> & Sendable
}

extension DurationSetting<Limits> {
    static let limits: [DurationSetting<Limits>] = [
        DurationSetting(name: "replaySeconds", range: 0...86_400, path: \.replayTime)
    ]
}

extension DurationSetting<Timeouts> {
    static let timeouts: [DurationSetting<Timeouts>] = [
        DurationSetting(name: "head", range: 0.1...3600, path: \.head),
        DurationSetting(name: "body", range: 0.1...86_400, path: \.body),
        DurationSetting(name: "idle", range: 0.1...86_400, path: \.idle),
        DurationSetting(name: "write", range: 0.1...86_400, path: \.write),
        DurationSetting(name: "heartbeat", range: 0...3600, path: \.heartbeat),
        DurationSetting(name: "session", range: 1...2_592_000, path: \.session),
        DurationSetting(name: "sessionLifetime", range: 1...31_536_000, path: \.sessionLifetime),
        DurationSetting(name: "requestState", range: 1...86_400, path: \.requestState),
        DurationSetting(name: "federation", range: 0.1...300, path: \.federation),
        DurationSetting(name: "shutdownGrace", range: 0...3600, path: \.shutdownGrace),
    ]
}
