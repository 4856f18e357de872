// Gatehouse. SPDX-License-Identifier: MIT

import Egress
import JSON

// Servers that run elsewhere, and how those that are started here are confined.

extension ConfigurationReader {
    /// Reads where a server is that is reached over HTTP.
    mutating func readRemote(
        _ member: ConfigurationMember,
        url: ConfigurationNode?,
        headers: ConfigurationNode?,
        _ transport: RemoteEndpoint.Transport,
        _ server: inout ServerConfiguration
    ) {
        guard let url else {
            findings.note(
                .error,
                at: member.position,
                member.node.path,
                "\"url\" is missing",
                hint: "write where the server is: \"url\": \"https://…\""
            )
            return
        }
        if let command = member.node.member("command"), !command.isNothing {
            findings.error(
                command,
                "a server is either started or reached by its \"url\"",
                hint: "remove one"
            )
        }
        guard let text = readWebAddress(url) else { return }
        var remote = RemoteEndpoint(url: text)
        remote.transport = transport
        remote.headers = headers.map { readHeaders($0) } ?? []
        server.remote = remote
        if server.warm > 0 {
            findings.error(
                member.node.member("warm") ?? url,
                "nothing can be kept ready for a server elsewhere"
            )
        }
        if server.sandbox.level != .none {
            findings.error(
                member.node.member("sandbox") ?? url,
                "a server elsewhere cannot be confined from here"
            )
        }
    }

    /// Checks that the servers that run elsewhere may be reached, as far as their URLs say.
    mutating func checkReach() {
        for index in configuration.servers.indices {
            let server = configuration.servers[index]
            guard let remote = server.remote, server.isEnabled, server.problem == nil,
                let refusal = configuration.egress.refusal(of: remote.url),
                let node = serverMembers[server.name]?.node.member("url")
            else { continue }
            // A host that a variable names is not told.
            var isWritten = false
            if case .string(let text) = node.value.content { isWritten = !text.contains("$") }
            let before = findings.issues.count
            findings.reach = .server(server.name)
            findings.error(
                node,
                isWritten ? refusal.description : "gateway.egress does not allow where this leads",
                hint: "name what may be reached in gateway.egress.allow, or use https:// and a public address"
            )
            configuration.servers[index].problem = findings.firstError(after: before).map(Self.problem)
        }
        findings.reach = .gateway
    }

    /// Reads a URL of http or https with a host, without user information and fragment.
    mutating func readWebAddress(_ node: ConfigurationNode) -> String? {
        guard let text = findings.string(node) else { return nil }
        guard
            let rest = ["https://", "http://"].first(where: text.hasPrefix).map({ text.dropFirst($0.count) }),
            HostName.isHostValue(String(rest.prefix { $0 != "/" && $0 != "?" })),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x23 }), text.utf8.count <= 8192
        else {
            findings.error(node, "must be a URL: https://, a host, and perhaps a port, a path and a query")
            return nil
        }
        return text
    }

    /// Reads fields of a request.
    mutating func readHeaders(_ node: ConfigurationNode) -> [RemoteEndpoint.Header] {
        guard let members = node.members else {
            findings.error(node, "must be an object of strings, not \(node.value.kind)")
            return []
        }
        return members.compactMap { member in
            guard Self.isFieldName(member.name) else {
                findings.note(.error, at: member.position, member.node.path, "is no name of a header field")
                return nil
            }
            guard !Self.ownFields.contains(member.name.lowercased()) else {
                findings.note(
                    .error,
                    at: member.position,
                    member.node.path,
                    "the gateway sets this field itself"
                )
                return nil
            }
            guard let value = findings.string(member.node) else { return nil }
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                findings.error(member.node, "must not hold a line break or another control character")
                return nil
            }
            return RemoteEndpoint.Header(member.name, value)
        }
    }

    /// Fields that say how the message travels, or what it is.
    private static let ownFields: Set<String> = [
        "host", "content-length", "content-type", "transfer-encoding", "connection", "accept", "upgrade",
        "mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name", "last-event-id", "te", "trailer",
    ]

    /// Whether a text is a token (RFC 9110 §5.6.2).
    private static func isFieldName(_ text: String) -> Bool {
        (1...256).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    /// Reads how a server's processes are confined: a word, or an object with the word as `level`.
    mutating func readSandbox(_ node: ConfigurationNode, _ sandbox: inout SandboxConfiguration) {
        guard let members = node.members else {
            if !node.isNothing {
                sandbox.level = findings.choice(node, SandboxConfiguration.Level.self) ?? .none
            }
            return
        }
        for member in members where !member.isLeftOut(of: ConfigurationKeys.sandbox) {
            let part = member.node
            switch member.name {
            case "level":
                sandbox.level = findings.choice(part, SandboxConfiguration.Level.self) ?? .none
            case "network": sandbox.network = findings.bool(part) ?? false
            case "memory": sandbox.memory = findings.count(part, 1_048_576...1_099_511_627_776)
            case "processes": sandbox.processes = findings.count(part, 1...100_000)
            case "readable": sandbox.readable = readPaths(part)
            case "writable": sandbox.writable = readPaths(part)
            default: findings.unknown(member, .error, known: ConfigurationKeys.sandbox)
            }
        }
        if sandbox.level == .none, members.contains(where: { $0.name != "level" }) {
            findings.error(node, "confines nothing", hint: "write \"level\": \"private\" or \"strict\"")
        }
    }

    private mutating func readPaths(_ node: ConfigurationNode) -> [String] {
        guard let elements = node.elements else {
            findings.error(node, "must be an array of strings, not \(node.value.kind)")
            return []
        }
        return elements.compactMap { element in
            guard let path = findings.string(element) else { return nil }
            guard path.hasPrefix("/") else {
                findings.error(element, "must be a path that begins with /")
                return nil
            }
            return path
        }
    }
}
