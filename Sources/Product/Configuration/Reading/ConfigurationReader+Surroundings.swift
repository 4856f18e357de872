// Gatehouse. SPDX-License-Identifier: MIT

import Addresses
import Diagnostics
import Egress
import JSON

// What is around the gateway: TLS and proxies before it, state beside it, what it may reach, and who watches it.

extension ConfigurationReader {
    /// Reads a member of `gateway` that is about its surroundings; false if it is none of them.
    mutating func readSurroundings(_ member: ConfigurationMember) -> Bool {
        let node = member.node
        switch member.name {
        case "tls": readTLS(node)
        case "trustedProxies":
            configuration.trustedProxies = readEach(node, "an address or a range: 10.0.0.0/8") {
                AddressRange($0)
            }
        case "state": readState(node)
        case "federation": readFederation(node)
        case "egress":
            readMembers(node, known: ConfigurationKeys.egress) { reader, part in
                reader.configuration.egress.allow = reader.readEach(
                    part.node,
                    "a host, an address or a range: internal.example, 10.0.0.0/8",
                    Self.egressRule
                )
            }
        case "metrics": configuration.metrics = findings.bool(node)
        case "log": readLog(node)
        case "tracing": readTracing(node)
        case "cleanupSchedule":
            guard let text = findings.string(node) else { break }
            configuration.cleanupSchedule = CleanupSchedule(text)
            if configuration.cleanupSchedule == nil {
                let fields = "second, minute, hour, day, month, day of the week"
                findings.error(node, "must be six fields: \(fields)", hint: "write \"0 */30 * * * *\"")
            }
        default: return false
        }
        return true
    }

    /// Hands each member that is known and not left out on; the others are errors.
    private mutating func readMembers(
        _ node: ConfigurationNode,
        known: [String],
        _ body: (inout ConfigurationReader, ConfigurationMember) -> Void
    ) {
        guard let members = node.members else {
            findings.error(node, "must be an object, not \(node.value.kind)")
            return
        }
        for member in members where !member.isLeftOut(of: known) {
            if known.contains(member.name) {
                body(&self, member)
            } else {
                findings.unknown(member, .error, known: known)
            }
        }
    }

    private mutating func readEach<Value>(
        _ node: ConfigurationNode,
        _ wanted: String,
        _ read: (String) -> Value?
    ) -> [Value] {
        guard let elements = node.elements else {
            findings.error(node, "must be an array of strings, not \(node.value.kind)")
            return []
        }
        return elements.compactMap { element in
            guard let text = findings.string(element) else { return nil }
            guard let value = read(text) else {
                findings.error(element, "must be \(wanted)")
                return nil
            }
            return value
        }
    }

    private static func egressRule(_ text: String) -> EgressRules.Rule? {
        if let range = AddressRange(text) { return .range(range) }
        guard HostName.isHostValue(text), !text.contains(":"), !text.hasPrefix("[") else { return nil }
        return .host(text.lowercased())
    }

    /// Reads a path to something of this machine.
    private mutating func readPath(_ node: ConfigurationNode) -> String? {
        guard let path = findings.string(node) else { return nil }
        guard !path.isEmpty else {
            findings.error(node, "must not be empty")
            return nil
        }
        return environment.absolute(path)
    }

    private mutating func readState(_ node: ConfigurationNode) {
        configuration.state = readPath(node)
    }

    private mutating func readTLS(_ node: ConfigurationNode) {
        var certificate: String?
        var key: String?
        var tls = TLSConfiguration(certificate: "", key: "")
        readMembers(node, known: ConfigurationKeys.tls) { reader, part in
            switch part.name {
            case "certificate": certificate = reader.readPath(part.node)
            case "key": key = reader.readPath(part.node)
            case "clientAuthority": tls.clientAuthority = reader.readPath(part.node)
            case "clientCertificates":
                tls.clientCertificates =
                    reader.findings.choice(part.node, TLSConfiguration.ClientCertificates.self) ?? .required
            case "minimumVersion":
                tls.minimumVersion =
                    reader.findings.choice(part.node, TLSConfiguration.Version.self) ?? .v1_2
            default: tls.hstsSeconds = reader.findings.count(part.node, 0...63_072_000) ?? tls.hstsSeconds
            }
        }
        guard node.members != nil else { return }
        guard node.member("certificate") != nil, node.member("key") != nil else {
            findings.error(node, "needs \"certificate\" and \"key\"", hint: "name two files in PEM")
            return
        }
        if tls.clientCertificates != .none, node.member("clientAuthority") == nil {
            findings.error(
                node,
                "asks clients for certificates and does not say who signs them",
                hint: "name a file in PEM as \"clientAuthority\""
            )
        }
        guard let certificate, let key else { return }
        (tls.certificate, tls.key) = (certificate, key)
        configuration.tls = tls
    }

    private mutating func readFederation(_ node: ConfigurationNode) {
        if case .bool(let isWanted) = node.value.content {
            configuration.federation = isWanted ? FederationConfiguration() : nil
            return
        }
        var federation = FederationConfiguration()
        let servers = configuration.servers
        readMembers(node, known: ConfigurationKeys.federation) { reader, part in
            switch part.name {
            case "servers":
                federation.servers = reader.readEach(part.node, "the name of a server that is enabled") {
                    name in
                    servers.contains { $0.name == name && $0.isEnabled } ? name : nil
                }
            default:
                guard let text = reader.findings.string(part.node) else { return }
                let isPlain = text.utf8.allSatisfy { $0 == 0x5F || $0 == 0x2E || $0 == 0x2D }
                guard (1...4).contains(text.utf8.count), isPlain else {
                    reader.findings.error(
                        part.node,
                        "must be 1 to 4 of the characters \"_\", \".\" and \"-\""
                    )
                    return
                }
                federation.separator = text
            }
        }
        configuration.federation = federation
    }

    private mutating func readLog(_ node: ConfigurationNode) {
        readMembers(node, known: ConfigurationKeys.log) { reader, part in
            switch part.name {
            case "format":
                reader.configuration.log.format =
                    reader.findings.choice(part.node, LogConfiguration.Format.self) ?? .human
            case "level":
                reader.configuration.log.level =
                    reader.findings.choice(part.node, LogConfiguration.Level.self)
            default:
                guard let members = part.node.members else {
                    reader.findings.error(part.node, "must be an object, not \(part.node.value.kind)")
                    return
                }
                for member in members {
                    guard let subsystem = LogSubsystem(rawValue: member.name) else {
                        reader.findings.unknown(member, .error, known: ConfigurationKeys.logLevels)
                        continue
                    }
                    reader.configuration.log.levels[subsystem] = reader.findings.choice(
                        member.node,
                        LogConfiguration.Level.self
                    )
                }
            }
        }
    }

    /// Reads where spans are sent: a URL that the guard of outgoing requests can read, too.
    private mutating func readCollector(_ node: ConfigurationNode) -> String? {
        guard let url = readWebAddress(node) else { return nil }
        do throws(EgressRefusal) {
            _ = try EgressRules(service: url)
            return url
        } catch {
            findings.error(node, error.description)
            return nil
        }
    }

    private mutating func readTracing(_ node: ConfigurationNode) {
        var tracing = TracingConfiguration(endpoint: "")
        readMembers(node, known: ConfigurationKeys.tracing) { reader, part in
            switch part.name {
            case "endpoint": tracing.endpoint = reader.readCollector(part.node) ?? ""
            case "headers": tracing.headers = reader.readHeaders(part.node)
            case "serviceName":
                tracing.serviceName = reader.findings.string(part.node) ?? tracing.serviceName
            default: tracing.sampleRatio = reader.findings.ratio(part.node) ?? tracing.sampleRatio
            }
        }
        guard node.members != nil else { return }
        if node.member("endpoint") == nil {
            findings.error(node, "needs \"endpoint\"", hint: "write \"http://127.0.0.1:4318/v1/traces\"")
        }
        if !tracing.endpoint.isEmpty { configuration.tracing = tracing }
    }
}
