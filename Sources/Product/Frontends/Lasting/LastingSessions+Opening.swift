// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Crypto
import Diagnostics
import EventLoop
import JSON
import Sessions
import Store

extension LastingSessions {
    /// Opens the database of a configuration; nil if it keeps nothing.
    ///
    /// - Parameters:
    ///   - configuration: The configuration.
    ///   - hosted: The names of the servers of this process.
    ///   - loop: Where the sessions live.
    ///   - log: Where it is said what was found.
    /// - Returns: The sessions.
    /// - Throws: `StoreFailure`, in words for the operator, if the database is refused.
    static func open(
        _ configuration: GatewayConfiguration,
        hosting hosted: [String],
        on loop: EventLoop,
        log: Log
    ) throws -> LastingSessions? {
        guard let directory = configuration.state else { return nil }
        return try LastingSessions(
            try Database(directory: directory, schema: schema),
            on: loop,
            capacity: configuration.limits.sessions,
            lifetime: Int64(clamping: configuration.timeouts.sessionLifetime.wholeMilliseconds),
            log: log,
            rules: LastingRules.all(of: configuration, hosting: hosted)
        )
    }

    /// Goes on with what another configuration says; where its state is, stays.
    func change(to configuration: GatewayConfiguration, hosting hosted: [String]) {
        change(
            capacity: configuration.limits.sessions,
            lifetime: Int64(clamping: configuration.timeouts.sessionLifetime.wholeMilliseconds),
            rules: LastingRules.all(of: configuration, hosting: hosted)
        )
    }
}

extension LastingRules {
    /// The rules of each server of a configuration, and of all of them as one.
    ///
    /// Servers of this process have no fingerprint: the program decides what has their name.
    static func all(
        of configuration: GatewayConfiguration,
        hosting hosted: [String]
    ) -> (_ server: String) -> LastingRules? {
        let idle = configuration.timeouts.session
        var rules: [String: LastingRules] = [:]
        for server in configuration.servers where server.isEnabled {
            rules[server.name] = LastingRules(
                fingerprint: fingerprint(of: server),
                isKept: server.stateLost == .notify,
                idle: Int64(clamping: (server.sessionTimeout ?? idle).wholeMilliseconds)
            )
        }
        let others = LastingRules(
            fingerprint: [],
            isKept: true,
            idle: Int64(clamping: idle.wholeMilliseconds)
        )
        let enabled = configuration.servers.filter(\.isEnabled).map(\.name) + hosted
        if let federation = configuration.federation {
            let members = (federation.servers ?? enabled).map { ($0, rules[$0] ?? others) }
            let name = GatewayConfiguration.federationName(besides: enabled)
            rules[name] = together(members, idle: others.idle)
        }
        let known = rules
        return { known[$0] ?? others }
    }

    /// The rules of several servers as one: what one of them cannot go on with, they cannot together.
    static func together(_ members: [(name: String, rules: LastingRules)], idle: Int64) -> LastingRules {
        let parts = members.map { name, rules in
            JSONValue.array(
                [.string(name)] + rules.fingerprint.map { .number(String($0)) }
            )
        }
        return LastingRules(
            fingerprint: SHA256.hash(JSONValue.array(parts).text()),
            isKept: members.allSatisfy(\.rules.isKept),
            idle: idle
        )
    }

    /// What decides which program or place answers: a session of one is none of another.
    static func fingerprint(of server: ServerConfiguration) -> [UInt8] {
        let pairs = { (values: [String: String]) in
            JSONValue.array(
                values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map {
                    .array([.string($0.key), .string($0.value)])
                }
            )
        }
        let parts: JSONValue = .array([
            .string(server.command), .array(server.arguments.map(JSONValue.string)),
            pairs(server.environment),
            .string(server.workingDirectory ?? ""), .string(server.remote?.url ?? ""),
            .array((server.remote?.headers ?? []).map { .array([.string($0.name), .string($0.value)]) }),
        ])
        return SHA256.hash(parts.text())
    }
}
