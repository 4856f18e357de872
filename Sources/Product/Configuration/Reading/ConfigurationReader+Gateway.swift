// Gatehouse. SPDX-License-Identifier: MIT

import JSON

// What stands under `gateway`, and what the command line says over it. Every mistake here stops the start.

extension ConfigurationReader {
    /// Reads the part of the gateway; nil if the file has none.
    mutating func readGateway(_ node: ConfigurationNode?, _ overrides: ConfigurationOverrides) {
        findings.reach = .gateway
        var host: ConfigurationNode?
        if let node {
            if let members = node.members {
                for member in members where !member.isLeftOut(of: ConfigurationKeys.gateway) {
                    if member.name == "host" { host = member.node }
                    readGatewayMember(member)
                }
            } else {
                findings.error(node, "must be an object, not \(node.value.kind)")
            }
        }
        if let given = overrides.host {
            configuration.host = Self.withoutBrackets(given)
            host = nil
            if !HostName.isListenable(configuration.host) {
                findings.note(.error, at: nil, "\(overrides.prefix)host", Self.hostMistake)
                return
            }
        }
        if let port = overrides.port { configuration.port = port }
        if let authentication = overrides.authentication { configuration.authentication = authentication }
        for name in overrides.hosts {
            configuration.hosts.append(name.lowercased())
            guard !HostName.isHostValue(name) else { continue }
            findings.note(.error, at: nil, "\(overrides.prefix)hosts", "must be \(Self.hostForm): \(name)")
        }
        let path = overrides.host == nil ? "gateway.host" : "\(overrides.prefix)host"
        checkBind(at: host?.position, path, in: node)
        checkLimitsOfServers()
    }

    private mutating func readGatewayMember(_ member: ConfigurationMember) {
        let node = member.node
        switch member.name {
        case "host": readHost(node)
        case "port":
            if let port = findings.count(node, 0...65_535) {
                configuration.port = UInt16(truncatingIfNeeded: port)
            }
        case "publicURL": readPublicURL(node)
        case "hosts":
            configuration.hosts = readNames(node, Self.hostForm) { HostName.isHostValue($0) }
        case "origins":
            configuration.origins = readNames(node, "an origin: https://app.example.com") {
                HostName.isOrigin($0)
            }
        case "authentication": readAuthentication(node)
        case "default": readDefault(node)
        case "limits": readLimits(node)
        case "timeouts": readTimeouts(node)
        case "routes", "rules":
            if !node.isNothing {
                findings.error(node, "not supported by this version yet", hint: "remove it")
            }
        default:
            if !readSurroundings(member) {
                findings.unknown(member, .error, known: ConfigurationKeys.gateway)
            }
        }
    }

    private static let hostForm = "a host, with or without a port: mcp.example.com, mcp.example.com:8443"
    private static let hostMistake = "must be an IP address or \"localhost\""

    private static func withoutBrackets(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    private mutating func readHost(_ node: ConfigurationNode) {
        guard let text = findings.string(node) else { return }
        let host = Self.withoutBrackets(text)
        guard HostName.isListenable(host) else {
            findings.error(node, Self.hostMistake, hint: "names that clients use belong into \"hosts\"")
            return
        }
        configuration.host = host
    }

    private mutating func readPublicURL(_ node: ConfigurationNode) {
        guard let text = findings.string(node) else { return }
        let origin = text.split(separator: "/", omittingEmptySubsequences: false).prefix(3).joined(
            separator: "/"
        )
        let isWeb = text.hasPrefix("https://") || text.hasPrefix("http://")
        guard isWeb, HostName.isOrigin(origin), !text.contains(where: { $0 == "?" || $0 == "#" || $0 == " " })
        else {
            findings.error(node, "must be a URL that begins with https:// or http://, without a query")
            return
        }
        configuration.publicURL = text
    }

    private mutating func readNames(
        _ node: ConfigurationNode,
        _ wanted: String,
        _ isRight: (String) -> Bool
    ) -> [String] {
        guard let elements = node.elements else {
            findings.error(node, "must be an array of strings, not \(node.value.kind)")
            return []
        }
        return elements.compactMap { element in
            guard let text = findings.string(element) else { return nil }
            guard isRight(text) else {
                findings.error(element, "must be \(wanted)")
                return nil
            }
            return text.lowercased()
        }
    }

    private mutating func readAuthentication(_ node: ConfigurationNode) {
        if case .string = node.value.content {
            guard let text = findings.string(node) else { return }
            if text == "none" {
                configuration.authentication = .none
                return
            }
        }
        findings.error(node, "not supported by this version yet", hint: "only \"none\" is")
    }

    private mutating func readDefault(_ node: ConfigurationNode) {
        guard let name = findings.string(node) else { return }
        let names = configuration.servers.map(\.name)
        guard let server = configuration.servers.first(where: { $0.name == name }) else {
            findings.error(node, "no server has this name", hint: KeySuggestion.hint(for: name, among: names))
            return
        }
        guard server.isEnabled else {
            findings.error(node, "this server is turned off")
            return
        }
        configuration.statedDefault = name
    }

    private mutating func readLimits(_ node: ConfigurationNode) {
        guard let members = node.members else {
            findings.error(node, "must be an object, not \(node.value.kind)")
            return
        }
        for member in members {
            if let setting = CountSetting<Limits>.gateway.first(where: { $0.name == member.name }) {
                if let count = findings.count(member.node, setting.range) {
                    configuration.limits[keyPath: setting.path] = count
                }
            } else if let setting = OptionalCountSetting<Limits>.gateway.first(where: {
                $0.name == member.name
            }) {
                guard !member.isLeftOut(of: ConfigurationKeys.limits) else { continue }
                configuration.limits[keyPath: setting.path] = findings.count(
                    member.node,
                    OptionalCountSetting<Limits>.range
                )
            } else if let setting = DurationSetting<Limits>.limits.first(where: { $0.name == member.name }) {
                if let time = findings.seconds(member.node, setting.range) {
                    configuration.limits[keyPath: setting.path] = time
                }
            } else {
                findings.unknown(member, .error, known: ConfigurationKeys.limits)
            }
        }
    }

    private mutating func readTimeouts(_ node: ConfigurationNode) {
        guard let members = node.members else {
            findings.error(node, "must be an object, not \(node.value.kind)")
            return
        }
        for member in members {
            if let setting = DurationSetting<Timeouts>.timeouts.first(where: { $0.name == member.name }) {
                if let time = findings.seconds(member.node, setting.range) {
                    configuration.timeouts[keyPath: setting.path] = time
                }
            } else {
                findings.unknown(member, .error, known: ConfigurationKeys.timeouts)
            }
        }
    }

    /// Refuses to be reached from other machines unless the operator said, in words, that it is meant.
    private mutating func checkBind(
        at position: JSON5Position?,
        _ path: String,
        in gateway: ConfigurationNode?
    ) {
        guard !configuration.bindsToLoopback else { return }
        let says = gateway?.member("authentication").map { $0.value.content != .null } ?? false
        // One that says something else has its own error.
        if configuration.authentication == .unstated, !says {
            findings.note(
                .error,
                at: position,
                path,
                "other machines can reach \(configuration.host), and nobody is asked who they are",
                hint:
                    "keep 127.0.0.1, or write \"authentication\": \"none\" under \"gateway\" if that is meant"
            )
        }
        if configuration.hosts.isEmpty, gateway?.value["hosts"]?.content.isFilledArray != true {
            findings.note(
                .error,
                at: position,
                path,
                "with an address that other machines can reach, \"hosts\" must name the hosts that clients write",
                hint: "add \"hosts\": [\"mcp.example.com\"] under \"gateway\""
            )
        }
    }

    /// Says where a server's bound has no effect because the gateway's is lower.
    private mutating func checkLimitsOfServers() {
        for server in configuration.servers where server.isEnabled {
            let pairs: [(String, Int?, Int)] = [
                ("sessions", server.limits.sessions, configuration.limits.sessions),
                ("children", server.limits.children, configuration.limits.children),
                ("inFlight", server.limits.inFlight, configuration.limits.inFlight),
            ]
            for (name, own, whole) in pairs {
                guard let own, own > whole, let node = placeOfLimit(name, server) else { continue }
                findings.reach = .server(server.name)
                findings.warning(
                    node,
                    "\(own) is more than the whole gateway allows (\(whole))",
                    hint: "raise gateway.limits.\(name)"
                )
            }
        }
    }

    /// Where a server's bound is written: under `limits`, or in the variable that stands for it.
    private func placeOfLimit(_ name: String, _ server: ServerConfiguration) -> ConfigurationNode? {
        let parts = serverMembers[server.name]?.node
        return parts?.member("limits")?.member(name)
            ?? parts?.member("env")?.member("MAX_CONCURRENT_SESSIONS")
    }
}

extension JSON5Value.Content {
    fileprivate var isFilledArray: Bool {
        if case .array(let elements) = self { return !elements.isEmpty }
        return false
    }
}
