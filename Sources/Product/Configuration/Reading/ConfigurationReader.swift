// Gatehouse. SPDX-License-Identifier: MIT

import JSON

/// What the command line says over the file.
package struct ConfigurationOverrides: Sendable {
    /// `--host`.
    package var host: String?
    /// `--port`.
    package var port: UInt16?
    /// What clients may write in `Host`, besides what the file says.
    package var hosts: [String] = []
    /// Who is let in, where the file does not decide it.
    package var authentication: Authentication?
    /// What these are called in what is said of them, before the name.
    package var prefix = "--"

    /// Nothing, or what is given.
    package init(host: String? = nil, port: UInt16? = nil) {
        self.host = host
        self.port = port
    }
}

/// A configuration as far as it could be read, and all mistakes that were found on the way.
package struct ConfigurationReport: Sendable {
    /// What was read.
    ///
    /// Use it to serve only if `mayStart`.
    package var configuration: GatewayConfiguration
    /// The mistakes in the order of the file.
    package var issues: [ConfigurationIssue]

    /// Whether a gateway may start with it: mistakes of single servers and warnings do not hinder that.
    package var mayStart: Bool { !issues.contains(where: \.stopsStart) }

    /// Whether nothing is wrong: what `gatehouse check` answers.
    package var isValid: Bool { !issues.contains { $0.severity == .error } }
}

/// Reads a configuration file: syntax, then every value, collecting all mistakes instead of stopping at the first.
///
/// Syntax errors, mistakes under `gateway` and a file without servers stop the start. A mistake in a server becomes
/// that server's `problem`.
package struct ConfigurationReader {
    var findings: ConfigurationFindings
    let environment: ConfigurationEnvironment
    var configuration = GatewayConfiguration()
    /// Each server's place in the file.
    private(set) var serverMembers: [String: ConfigurationMember] = [:]

    /// Reads a file's bytes; `file` is its name for messages.
    package static func read(
        _ bytes: [UInt8],
        file: String,
        overrides: ConfigurationOverrides = ConfigurationOverrides(),
        in environment: ConfigurationEnvironment
    ) -> ConfigurationReport {
        var reader = ConfigurationReader(file: file, environment: environment)
        do {
            let root = try JSON5Reader.read(bytes)
            reader.readFile(ConfigurationNode(value: root, path: ""), overrides)
        } catch {
            reader.findings.note(.error, at: error.position, "", error.message)
        }
        return reader.report
    }

    /// A configuration without a file and without servers; `name` stands for the file in messages.
    package static func withoutFile(
        _ name: String,
        _ overrides: ConfigurationOverrides,
        in environment: ConfigurationEnvironment
    ) -> ConfigurationReport {
        var reader = ConfigurationReader(file: name, environment: environment)
        reader.readGateway(nil, overrides)
        return reader.report
    }

    /// Reads the file at a path, or the first well-known one if there is no path.
    package static func load(
        _ path: String?,
        overrides: ConfigurationOverrides = ConfigurationOverrides(),
        in environment: ConfigurationEnvironment
    ) -> ConfigurationReport {
        guard let path = path ?? ConfigurationFile.find(in: environment) else {
            var reader = ConfigurationReader(file: ConfigurationFile.ownName, environment: environment)
            let places = ConfigurationFile.candidates(in: environment).joined(separator: ", ")
            reader.findings.note(.error, at: nil, "", "no configuration file", hint: "looked for \(places)")
            return reader.report
        }
        do {
            let bytes = try ConfigurationEnvironment.contents(
                of: environment.absolute(path),
                limit: ConfigurationFile.sizeLimit
            )
            var report = read(bytes, file: path, overrides: overrides, in: environment)
            report.configuration.file = environment.absolute(path)
            return report
        } catch {
            var reader = ConfigurationReader(file: path, environment: environment)
            reader.findings.note(.error, at: nil, "", error.message)
            return reader.report
        }
    }

    private init(file: String, environment: ConfigurationEnvironment) {
        findings = ConfigurationFindings(file: file, variables: environment.variables)
        self.environment = environment
    }

    private var report: ConfigurationReport {
        let issues = findings.issues.enumerated().sorted { first, second in
            (first.element.line, first.element.column, first.offset)
                < (second.element.line, second.element.column, second.offset)
        }
        return ConfigurationReport(configuration: configuration, issues: issues.map(\.element))
    }

    private mutating func readFile(_ root: ConfigurationNode, _ overrides: ConfigurationOverrides) {
        guard let members = root.members else {
            findings.error(root, "must be an object, not \(root.value.kind)", hint: Self.emptyHint)
            return
        }
        var gateway: ConfigurationNode?
        for member in members {
            switch member.name {
            case "mcpServers", "servers": readServers(member.node)
            case "mcp": readEditorSection(member.node)
            case "gateway": gateway = member.node
            case "$schema", "inputs": break
            default: findings.unknown(member, .warning, known: ConfigurationKeys.file)
            }
        }
        findings.reach = .gateway
        if configuration.servers.isEmpty {
            if !findings.issues.contains(where: \.stopsStart) {
                findings.error(root, "no server is configured", hint: Self.emptyHint)
            }
        } else if !configuration.servers.contains(where: \.isEnabled) {
            findings.warning(root, "every server is turned off")
        }
        // Servers first: `default` must name one of them.
        readGateway(gateway, overrides)
        checkReach()
        findings.reach = .gateway
    }

    private static let emptyHint = "write { \"mcpServers\": { \"name\": { \"command\": \"…\" } } }"

    private mutating func readEditorSection(_ node: ConfigurationNode) {
        guard let members = node.members else {
            findings.error(node, "must be an object, not \(node.value.kind)")
            return
        }
        for member in members {
            switch member.name {
            case "server", "servers": readServers(member.node)
            case "inputs": break
            default: findings.unknown(member, .warning, known: ConfigurationKeys.editorSection)
            }
        }
    }

    private mutating func readServers(_ node: ConfigurationNode) {
        guard let members = node.members else {
            findings.error(
                node,
                "must be an object, not \(node.value.kind)",
                hint: "write each server under its name"
            )
            return
        }
        for member in members {
            findings.reach = .server(member.name)
            readNamedServer(member)
            findings.reach = .gateway
        }
    }

    private mutating func readNamedServer(_ member: ConfigurationMember) {
        if let mistake = Self.mistake(inServerName: member.name) {
            findings.note(.error, at: member.position, member.node.path, mistake)
            return
        }
        if let first = serverMembers[member.name]?.position {
            findings.note(
                .error,
                at: member.position,
                member.node.path,
                "a server of this name is already configured, at \(first)"
            )
            return
        }
        serverMembers[member.name] = member
        configuration.servers.append(readServer(member))
    }

    /// What is wrong with a server's name, which stands in its path; nil if nothing.
    static func mistake(inServerName name: String) -> String? {
        let isPlain = name.utf8.allSatisfy { byte in
            byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte >= 0x30 && byte <= 0x39 || byte == 0x5F
                || byte == 0x2D
        }
        guard isPlain, (1...64).contains(name.utf8.count) else {
            return "a server's name is made of 1 to 64 letters, digits, \"_\" and \"-\""
        }
        guard !ConfigurationKeys.reservedServerNames.contains(name) else {
            return "a server cannot be called \"\(name)\": the path /mcp/\(name) means something else"
        }
        return nil
    }
}
