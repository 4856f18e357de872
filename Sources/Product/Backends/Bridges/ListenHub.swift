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

    /// Opens a listen; it is acknowledged once the server has been asked for what is new in it.
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
        let asking = Asking(wanted, open: new.count) { [weak self, weak call] honoured in
            guard let self, let call else { return }
            self.acknowledge(call, honoured)
        }
        for uri in new { bridge.watch(uri) { asking.heard(uri, $0) } }
        if new.isEmpty { acknowledge(call, wanted) }
    }

    /// Ends a listen.
    func remove(_ callKey: Int, of bridge: LegacyServerBridge) {
        let found = listens.first { $0.value.bridge === bridge && $0.value.call.key == callKey }
        if let found { forget(found.key) }
    }

    private func forget(_ key: Int) {
        guard let listen = listens.removeValue(forKey: key) else { return }
        keys[ObjectIdentifier(listen.call)] = nil
        for uri in counts.remove(key) {
            for member in members { member.bridge?.unwatch(uri) }
        }
    }

    /// Gives a notification of a server to those who listen for it.
    func received(_ message: Message, _ bytes: Span<UInt8>) {
        let uri = bytes.string(message.params.uri).map { String(decoding: $0, as: UTF8.self) }
        for key in counts.listeners(of: message.method, uri: uri) {
            guard let call = listens[key]?.call else { continue }
            send(Rewriting.notification(message, bytes, meta: Self.subscription), on: call)
        }
    }

    private func acknowledge(_ call: BridgedCall, _ honoured: ListenFilter) {
        guard keys[ObjectIdentifier(call)] != nil else { return }
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

    init(_ filter: ListenFilter, open: Int, _ completion: @escaping (ListenFilter) -> Void) {
        self.filter = filter
        self.open = open
        self.completion = completion
    }

    func heard(_ uri: String, _ isHonoured: Bool) {
        if !isHonoured { filter.uris.removeAll { $0.hasSameBytes(as: uri) } }
        open -= 1
        if open == 0 { completion(filter) }
    }
}
