// Gatehouse. SPDX-License-Identifier: MIT

import JSON

// One server. A mistake here becomes its `problem`; the others are read on.

/// What the members of a server say before they are put together.
private struct ServerDraft {
    var server: ServerConfiguration
    var kind: ConfigurationNode?
    var url: ConfigurationNode?
    var headers: ConfigurationNode?
    var hasCommand = false
    var workingDirectory: ConfigurationNode?
    var enabled: Bool?
    var environment: ConfigurationNode?
}

extension ConfigurationReader {
    /// Reads a server whose name is in order.
    mutating func readServer(_ member: ConfigurationMember) -> ServerConfiguration {
        let before = findings.issues.count
        var draft = ServerDraft(server: ServerConfiguration(name: member.name))
        if let members = member.node.members {
            for part in members where !part.isLeftOut(of: ConfigurationKeys.server) {
                if readLaunchMember(part, &draft) || readRunMember(part, &draft) { continue }
                readForeignMember(part, &draft)
            }
            readLimitVariables(&draft)
            let isStarted = checkLaunch(member, &draft)
            if isStarted, draft.enabled != false { checkMachine(draft, member) }
        } else {
            findings.error(
                member.node,
                "must be an object, not \(member.node.value.kind)",
                hint: "write each server under its name"
            )
        }
        draft.server.isEnabled = draft.enabled ?? true
        guard draft.server.isEnabled else {
            findings.soften(after: before)
            return draft.server
        }
        draft.server.problem = findings.firstError(after: before).map(Self.problem)
        return draft.server
    }

    /// What a caller is told.
    ///
    /// Hints are for the operator: they may name paths of this machine.
    static func problem(_ issue: ConfigurationIssue) -> String {
        "the server's configuration has a mistake at \(issue.keyPath): \(issue.message)"
    }

    /// Members that say what is started; false if this is none of them.
    private mutating func readLaunchMember(_ member: ConfigurationMember, _ draft: inout ServerDraft) -> Bool
    {
        let node = member.node
        switch member.name {
        case "command":
            draft.hasCommand = true
            guard let text = findings.string(node) else { break }
            let command = Self.trimmed(text)
            if command.isEmpty { findings.error(node, "must not be empty") }
            draft.server.command = command
            if case .string(let written) = node.value.content {
                draft.server.writtenCommand = Self.trimmed(written)
            }
        case "args": draft.server.arguments = findings.strings(node) ?? []
        case "env": readEnvironment(node, &draft)
        case "working_dir", "cwd": readWorkingDirectory(node, &draft)
        case "type": draft.kind = node
        case "url": draft.url = node
        case "headers": draft.headers = node
        default: return false
        }
        return true
    }

    /// Members that say how it is run; false if this is none of them.
    private mutating func readRunMember(_ member: ConfigurationMember, _ draft: inout ServerDraft) -> Bool {
        let node = member.node
        switch member.name {
        case "timeout_seconds":
            if let time = findings.seconds(node, 1...300) { draft.server.startTimeout = time }
        case "request_timeout_seconds":
            if let time = findings.seconds(node, 1...86_400) { draft.server.requestTimeout = time }
        case "request_timeout_ceiling_seconds":
            if let time = findings.seconds(node, 1...86_400) { draft.server.requestTimeoutCeiling = time }
        case "tool_timeouts": readToolTimeouts(node, &draft)
        case "state_lost": draft.server.stateLost = findings.choice(node, StateLoss.self) ?? .notify
        case "warm":
            if let count = findings.count(node, 0...100) { draft.server.warm = count }
        case "sandbox": readSandbox(node, &draft.server.sandbox)
        case "restart_on_failure":
            if let value = findings.bool(node) { draft.server.restartsOnFailure = value }
        case "max_restarts":
            if let count = findings.count(node, 0...10) { draft.server.maxRestarts = count }
        case "description": draft.server.summary = findings.string(node)
        case "enabled", "disabled": readEnabled(member, &draft)
        case "isolation": draft.server.isolation = findings.choice(node, Isolation.self)
        case "framing": draft.server.framing = findings.choice(node, FramingChoice.self) ?? .auto
        case "era": draft.server.era = findings.choice(node, EraChoice.self) ?? .auto
        case "limits": readServerLimits(node, &draft)
        default: return false
        }
        return true
    }

    /// Members that are known and do nothing, or may not be used.
    private mutating func readForeignMember(_ member: ConfigurationMember, _ draft: inout ServerDraft) {
        let node = member.node
        switch member.name {
        case "auth": readAuth(node)
        case "envFile":
            findings.error(
                node,
                "not supported: its variables would be missing without a word",
                hint: "write them into \"env\", or set them for the gateway and refer to them: ${NAME}"
            )
        case "alwaysAllow", "autoApprove", "$schema", "inputs": break
        default: findings.unknown(member, .warning, known: ConfigurationKeys.server)
        }
    }

    private mutating func readEnvironment(_ node: ConfigurationNode, _ draft: inout ServerDraft) {
        guard let members = node.members else {
            findings.error(node, "must be an object of strings, not \(node.value.kind)")
            return
        }
        draft.environment = node
        for member in members {
            guard !member.name.isEmpty, !member.name.utf8.contains(where: { $0 == 0x3D || $0 == 0 }) else {
                findings.note(
                    .error,
                    at: member.position,
                    member.node.path,
                    "a variable's name must not be empty or hold \"=\""
                )
                continue
            }
            if let value = findings.string(member.node) { draft.server.environment[member.name] = value }
        }
    }

    private mutating func readWorkingDirectory(_ node: ConfigurationNode, _ draft: inout ServerDraft) {
        guard let path = findings.string(node) else { return }
        guard !path.isEmpty else {
            findings.error(node, "must not be empty")
            return
        }
        if let other = draft.workingDirectory, draft.server.workingDirectory != path {
            findings.error(
                node,
                "\"working_dir\" and \"cwd\" mean the same and differ; the other stands at \(other.position)"
            )
            return
        }
        draft.workingDirectory = node
        draft.server.workingDirectory = path
    }

    private mutating func readEnabled(_ member: ConfigurationMember, _ draft: inout ServerDraft) {
        guard let value = findings.bool(member.node) else { return }
        let enabled = member.name == "enabled" ? value : !value
        if let other = draft.enabled, other != enabled {
            findings.error(member.node, "\"enabled\" and \"disabled\" contradict each other")
        }
        // Off wins: nothing is served by mistake.
        draft.enabled = enabled && draft.enabled != false
    }

    private mutating func readServerLimits(_ node: ConfigurationNode, _ draft: inout ServerDraft) {
        guard let members = node.members else {
            findings.error(node, "must be an object, not \(node.value.kind)")
            return
        }
        for member in members where !member.isLeftOut(of: ConfigurationKeys.serverLimits) {
            if let setting = OptionalCountSetting<ServerLimits>.server.first(where: { $0.name == member.name }
            ) {
                draft.server.limits[keyPath: setting.path] = findings.count(
                    member.node,
                    OptionalCountSetting<ServerLimits>.range
                )
            } else {
                findings.unknown(member, .warning, known: ConfigurationKeys.serverLimits)
            }
        }
    }

    private mutating func readAuth(_ node: ConfigurationNode) {
        guard let members = node.members else {
            findings.error(
                node,
                "must be an object, not \(node.value.kind)",
                hint: "write { \"method\": \"none\" }, or remove it"
            )
            return
        }
        guard let method = members.first(where: { $0.name == "method" }) else {
            findings.error(
                node,
                "says nothing of its method",
                hint: "write \"method\": \"none\", or remove \"auth\""
            )
            return
        }
        guard let word = findings.string(method.node) else { return }
        guard word == "none" else {
            findings.error(
                method.node,
                "not supported by this version yet",
                hint: "only \"none\" is; the server is not run without what it asks for"
            )
            return
        }
        for member in members where member.name != "method" {
            if ConfigurationKeys.auth.contains(member.name) {
                findings.warning(member.node, "has no effect with the method \"none\"")
            } else {
                findings.unknown(member, .warning, known: ConfigurationKeys.auth)
            }
        }
    }

    /// Limits written as variables of the child, as the adapter before us had them: they bind here, and the child still gets them.
    private mutating func readLimitVariables(_ draft: inout ServerDraft) {
        guard let members = draft.environment?.members else { return }
        for member in members {
            guard let text = draft.server.environment[member.name] else { continue }
            let range: ClosedRange<Int>
            switch member.name {
            case "MAX_CONCURRENT_SESSIONS": range = OptionalCountSetting<ServerLimits>.range
            case "SESSION_TIMEOUT_SECONDS": range = 1...2_592_000
            default: continue
            }
            guard let value = Int(text), range.contains(value) else {
                findings.error(
                    member.node,
                    "must be a whole number from \(range.lowerBound) to \(range.upperBound), in quotes"
                )
                continue
            }
            if member.name == "SESSION_TIMEOUT_SECONDS" {
                draft.server.sessionTimeout = .seconds(value)
            } else if draft.server.limits.sessions == nil {
                draft.server.limits.sessions = value
            }
        }
    }

    private mutating func readToolTimeouts(_ node: ConfigurationNode, _ draft: inout ServerDraft) {
        guard let members = node.members else {
            findings.error(node, "must be an object of numbers, not \(node.value.kind)")
            return
        }
        for member in members {
            guard let time = findings.seconds(member.node, 1...86_400) else { continue }
            draft.server.toolTimeouts[member.name] = time
        }
    }

    /// Checks that there is one way to reach it; whether a program is started.
    private mutating func checkLaunch(_ member: ConfigurationMember, _ draft: inout ServerDraft) -> Bool {
        var transport: RemoteEndpoint.Transport?
        if let kind = draft.kind {
            guard let word = findings.string(kind) else { return false }
            transport = ConfigurationKeys.remoteTypes[word]
            if transport == nil, word != "stdio" {
                findings.error(
                    kind,
                    "must be \"stdio\", \"http\", \"streamableHttp\", \"streamable-http\" or \"sse\""
                )
            }
        } else if draft.url != nil, !draft.hasCommand {
            transport = .found
        }
        if let transport {
            readRemote(member, url: draft.url, headers: draft.headers, transport, &draft.server)
            return false
        }
        if let url = draft.url {
            findings.warning(url, "has no effect for a server that is started by a command")
        }
        if let headers = draft.headers, !headers.isNothing {
            findings.warning(headers, "has no effect for a server that is started by a command")
        }
        if !draft.hasCommand {
            findings.note(
                .error,
                at: member.position,
                member.node.path,
                "\"command\" is missing",
                hint: "name the program to start, or the \"url\" of a server that runs elsewhere"
            )
        }
        return draft.hasCommand
    }

    /// Checks what the machine must have: the directory and the program.
    private mutating func checkMachine(_ draft: ServerDraft, _ member: ConfigurationMember) {
        var hasDirectory = true
        if let node = draft.workingDirectory, let path = draft.server.workingDirectory {
            hasDirectory = environment.isDirectory(environment.absolute(path))
            if !hasDirectory {
                findings.error(
                    node,
                    "is not a directory that can be entered",
                    hint: path.hasPrefix("~") ? "no shell reads this: write ${HOME} for ~" : nil
                )
            }
        }
        // What has a mistake of its own, or starts from a missing directory, is not looked for.
        let command = draft.server.command
        guard !command.isEmpty, hasDirectory || !command.contains("/") else { return }
        do {
            _ = try CommandResolver.resolve(draft.server, in: environment)
        } catch {
            findings.error(member.node.member("command") ?? member.node, error.message, hint: error.hint)
        }
    }

    private static func trimmed(_ text: String) -> String {
        let start = text.drop { $0.isWhitespace }
        guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...end])
    }
}
