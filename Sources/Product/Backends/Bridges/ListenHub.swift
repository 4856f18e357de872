// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import JSON
import JSONRPC
import MCPCore

/// The listens of one principal at one legacy server: each covers all of the principal's processes of that server.
///
/// It lives as long as a bridge of the principal does.
final class ListenHub {
    private struct Listen {
        let call: BridgedCall
        unowned let bridge: LegacyServerBridge
        /// What came before the acknowledgement, which is the first that a client hears; nil once it has been said.
        var early: [[UInt8]]? = []
    }

    private struct Member {
        weak var bridge: LegacyServerBridge?
    }

    private var counts = SubscriptionCounts()
    private var listens: [Int: Listen] = [:]
    private var members: [Member] = []
    private var nextKey = 1
    private var keys: [ObjectIdentifier: Int] = [:]

    /// The resources that somebody wants to know of.
    var uris: [String] { counts.uris }

    /// Whether no bridge uses it any more.
    var isDeserted: Bool { !members.contains { $0.bridge != nil } }

    func join(_ bridge: LegacyServerBridge) {
        members.removeAll { $0.bridge == nil }
        members.append(Member(bridge: bridge))
    }

    func leave(_ bridge: LegacyServerBridge) {
        members.removeAll { $0.bridge == nil || $0.bridge === bridge }
        for (key, listen) in listens where listen.bridge === bridge { forget(key) }
    }

    /// What a listen asks for.
    static func filter(of message: Message, _ bytes: Span<UInt8>) throws(Failure) -> ListenFilter {
        let params = try? JSONValue(bytes.extracting(message.envelope.params.range))
        guard let filter = ListenFilter(params?["notifications"]) else {
            throw Failure(.invalidParams, "notifications must say what to listen to", source: .client)
        }
        return filter
    }

    /// Messages that are kept for a listen until it is acknowledged, each text once.
    private static let earlyLimit = 100

    /// Opens a listen; it is acknowledged with what the server honours, once that has said so of each resource.
    ///
    /// What the server has confirmed to an earlier listen is not asked again; what it has refused is: it may have it now.
    func open(_ call: BridgedCall, at bridge: LegacyServerBridge) {
        let wanted = (call.filter ?? ListenFilter()).honoured(by: bridge.serverCapabilities)
        let key = nextKey
        nextKey += 1
        guard let new = counts.add(key, wanted) else {
            bridge.calls[call.key] = nil
            return call.fail(Failure(.internalError, "Too many listens are open", source: .client))
        }
        listens[key] = Listen(call: call, bridge: bridge)
        keys[ObjectIdentifier(call)] = key
        for member in members {
            for uri in new where member.bridge !== bridge { member.bridge?.watch(uri) { _ in } }
        }
        let asking = Asking(wanted) { [weak self, weak call] honoured in
            guard let self, let call else { return }
            self.acknowledge(call, honoured)
        }
        for uri in wanted.uris { bridge.watch(uri) { asking.heard(uri, $0) } }
        if wanted.uris.isEmpty { acknowledge(call, wanted) }
    }

    /// Ends a listen.
    func remove(_ callKey: Int, of bridge: LegacyServerBridge) {
        let found = listens.first { $0.value.bridge === bridge && $0.value.call.key == callKey }
        if let found { forget(found.key) }
    }

    private func forget(_ key: Int) {
        guard let listen = listens.removeValue(forKey: key) else { return }
        keys[ObjectIdentifier(listen.call)] = nil
        unwatch(counts.remove(key))
    }

    /// Nobody wants to know of these resources any more.
    private func unwatch(_ uris: [String]) {
        for uri in uris {
            for member in members { member.bridge?.unwatch(uri) }
        }
    }

    /// Gives a notification of a server to those who listen for it.
    func received(_ message: Message, _ bytes: Span<UInt8>) {
        let uri = bytes.string(message.params.uri).map { String(decoding: $0, as: UTF8.self) }
        for key in counts.listeners(of: message.method, uri: uri) {
            guard let listen = listens[key] else { continue }
            let text = Rewriting.notification(message, bytes, meta: Self.subscription)
            guard let early = listen.early else {
                send(text, on: listen.call)
                continue
            }
            if early.count < Self.earlyLimit, !early.contains(text) { listens[key]?.early?.append(text) }
        }
    }

    private func acknowledge(_ call: BridgedCall, _ honoured: ListenFilter) {
        guard let key = keys[ObjectIdentifier(call)], let early = listens[key]?.early else { return }
        listens[key]?.early = nil
        unwatch(counts.narrow(key, to: honoured))
        send(
            Bridging.notification(
                .acknowledged,
                [
                    "_meta": .object([.init("\(MetaKey.subscriptionID)", 0)]),
                    "notifications": honoured.value,
                ]
            ),
            on: call
        )
        for text in early { send(text, on: call) }
    }

    /// The member of `_meta` that the frontend puts the listen's id into.
    private static let subscription = Array("\"\(MetaKey.subscriptionID)\":0".utf8)

    private func send(_ text: [UInt8], on call: BridgedCall) {
        guard let outer = call.outer, let message = try? Message(text.span) else { return }
        outer.caller.notice(message, text.span, for: outer)
    }
}

/// Waits until a server has said of each resource whether it will tell of changes.
private final class Asking {
    private var filter: ListenFilter
    private var open: Int
    private let completion: (ListenFilter) -> Void

    init(_ filter: ListenFilter, _ completion: @escaping (ListenFilter) -> Void) {
        self.filter = filter
        open = filter.uris.count
        self.completion = completion
    }

    func heard(_ uri: String, _ isHonoured: Bool) {
        if !isHonoured { filter.uris.removeAll { $0.hasSameBytes(as: uri) } }
        open -= 1
        if open == 0 { completion(filter) }
    }
}
