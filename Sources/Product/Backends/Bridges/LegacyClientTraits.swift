// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON
import JSONRPC
import MCPCore

/// What a legacy client said at `initialize`, and what each call to a modern server carries of it in `_meta`.
struct LegacyClientTraits {
    /// The revision that the session speaks.
    private(set) var revision = Revision.latestLegacy
    /// The capabilities, in the client's words.
    private(set) var capabilities: JSONValue = .object([])
    private var info: JSONValue?
    private var level: LogSeverity?
    private var takesTasks = false
    /// Whether its calls ask for log messages.
    var wantsLogs: Bool { level != nil }
    /// The members of `_meta`, as JSON text without braces.
    private(set) var meta: [UInt8] = []

    /// Knows nothing yet.
    init() {
        write()
    }

    /// Reads an `initialize`.
    init(_ message: Message, _ bytes: Span<UInt8>) {
        let params = try? JSONValue(bytes.extracting(message.envelope.params.range))
        let wanted = bytes.string(message.params.protocolVersion).flatMap(Revision.init(bytes:))
        if let wanted, wanted.era == .legacy { revision = wanted }
        capabilities = params?["capabilities"] ?? .object([])
        info = params?["clientInfo"]
        write()
    }

    /// The client wants log messages from a level on.
    mutating func setLevel(_ level: LogSeverity) {
        self.level = level
        write()
    }

    /// The server may make tasks of calls: they are waited for here.
    mutating func addTasks() {
        takesTasks = true
        write()
    }

    /// `_meta` of a request of our own on the client's behalf.
    var metaValue: JSONValue {
        var declared = Translation.modernCapabilities(fromLegacy: capabilities, revision: revision)
        if takesTasks, let members = declared.members {
            let tasks = JSONValue.object([.init(TaskPolling.extension, .object([]))])
            declared = .object(members + [.init("extensions", tasks)])
        }
        return Translation.modernMeta(
            nil,
            progressToken: nil,
            capabilities: declared,
            clientInfo: info,
            logLevel: level?.rawValue
        )
    }

    private mutating func write() {
        meta = Array(metaValue.text().dropFirst().dropLast())
    }
}
