// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Bytes
import Crypto
import Gateway
import JSON
import JSONRPC
import MCPCore
import Sessions

/// Task ids as clients see them: the server's own, sealed, so that one is only good for whom it was given to.
///
/// Inside is also the number of the conversation that made the task, so that whoever asks for it reaches the same child.
struct TaskSeal {
    let sealer: Sealer
    let purpose: String

    init(_ sealer: Sealer, server: String, principal: Principal) {
        self.sealer = sealer
        purpose = "task|\(server)|\(principal.key)"
    }

    /// The client's id for a task.
    func seal(_ id: [UInt8], instance: UInt64) -> [UInt8] {
        var plain: [UInt8] = []
        plain.append(bigEndian: instance)
        plain.append(contentsOf: id)
        return sealer.seal(plain, purpose: purpose)
    }

    /// The conversation and the server's id; nil if we did not make it.
    func open(_ id: [UInt8]) -> (instance: UInt64, id: [UInt8])? {
        guard let plain = sealer.open(id, purpose: purpose), plain.count > 8 else { return nil }
        return (UInt64(bigEndian: plain[..<8]), Array(plain[8...]))
    }
}

/// The tasks that one modern request names.
///
/// They are read before a conversation is chosen, which they have a say in. `write` then puts the server's ids into the
/// request; from then on the other functions put the client's into what comes back. Few requests name any: those that do
/// not have no such object.
final class TaskIDs {
    /// How many tasks a listen may name.
    static let limit = 1024
    /// Milliseconds that a conversation of its own is kept for a task at most, whatever its `ttlMs`.
    static let longestLife: UInt64 = 3_600_000

    /// The conversation that the first of the tasks belongs to.
    let instance: UInt64
    private var named: [(instance: UInt64, server: [UInt8], client: [UInt8])] = []
    private let slice: JSONSlice
    /// The client's ids by the server's.
    private var clients: [[UInt8]: [UInt8]] = [:]

    private init(_ ids: [[UInt8]], at slice: JSONSlice, _ seal: TaskSeal) throws(Refusal) {
        for id in ids {
            guard let opened = seal.open(id) else { throw Self.unknown }
            named.append((opened.instance, opened.id, id))
        }
        self.slice = slice
        instance = named.first?.instance ?? 0
    }

    /// Reads a request; nil if it names no task.
    ///
    /// - Throws: -32602 if an id is none that this principal was given for this server.
    static func named(
        by message: Message,
        _ bytes: Span<UInt8>,
        _ seal: TaskSeal
    ) throws(Refusal) -> TaskIDs? {
        guard message.method == .listen else {
            guard let id = bytes.string(message.params.taskID) else { throw unknown }
            return try TaskIDs([id], at: message.params.taskID.quoted, seal)
        }
        // What has the wrong shape holds no ids to open, and the server refuses it in its own words.
        guard let filter = TasksExtension.filter(in: message.envelope.params, bytes),
            let ids = filter.ids, !ids.isEmpty
        else { return nil }
        guard ids.count <= limit else {
            throw Refusal(400, .invalidParams, "taskIds names more than \(limit) tasks")
        }
        return try TaskIDs(ids, at: filter.slice, seal)
    }

    private static var unknown: Refusal {
        Refusal(400, .invalidParams, "taskId is not one that was given for this server")
    }

    /// Puts the server's ids in the place of the client's.
    ///
    /// A listen reaches one conversation. Where each call has one of its own, it hears of the tasks of that one, and its
    /// acknowledgement says so.
    func write(to target: ModernConversation, _ method: Method, _ edits: inout Edits) {
        var text: [UInt8] = []
        if method == .listen {
            if target.isForOneCall { named.removeAll { $0.instance != target.instance } }
            Self.append(named.map(\.server), to: &text)
        } else {
            text.append(json: named[0].server)
        }
        edits.replace(slice, with: text)
        for task in named { clients[task.server] = task.client }
    }

    // MARK: What comes back

    /// The client's id for a task of the server, if the request named it.
    func client(_ server: [UInt8]) -> [UInt8]? {
        clients[server]
    }

    /// Puts the client's ids into a notification of a listen; false if it is about a task that the listen did not name.
    static func rewrite(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ tasks: TaskIDs?,
        _ edits: inout Edits
    ) -> Bool {
        switch message.method {
        case .tasksNotice:
            guard let id = bytes.string(message.params.taskID), let client = tasks?.client(id) else {
                return false
            }
            edits.replace(message.params.taskID.quoted, with: quoted(client))
        case .acknowledged:
            guard let filter = TasksExtension.filter(in: message.envelope.params, bytes) else { break }
            var text: [UInt8] = []
            append((filter.ids ?? []).compactMap { tasks?.client($0) }, to: &text)
            edits.replace(filter.slice, with: text)
        default:
            break
        }
        return true
    }

    /// An id as a JSON string.
    static func quoted(_ id: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.append(json: id)
        return text
    }

    private static func append(_ ids: [[UInt8]], to text: inout [UInt8]) {
        text.append(UInt8(ascii: "["))
        for (index, id) in ids.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            text.append(json: id)
        }
        text.append(UInt8(ascii: "]"))
    }
}
