// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import JSON
import JSONRPC
import MCPCore

/// The session's subscriptions, and what the server says outside of answers.
extension ModernServerBridge: ConversationListener {
    func subscribe(_ message: Message, _ bytes: Span<UInt8>, _ outer: Call) throws(Failure) {
        guard serverCapabilities?["resources"]?["subscribe"]?.bool == true else {
            throw Failure(.methodNotFound, "The server offers no subscriptions", source: .client)
        }
        guard let uri = bytes.string(message.params.uri).map({ String(decoding: $0, as: UTF8.self) }) else {
            throw Failure(.invalidParams, "uri must be a string", source: .client)
        }
        subscribing[outer.id] = outer
        if message.method == .subscribe {
            perform(listen.subscribe(uri, request: outer.id))
        } else {
            perform(listen.unsubscribe(uri, request: outer.id))
        }
    }

    func perform(_ actions: [SessionListen.Action]) {
        for action in actions {
            switch action {
            case .open(let key, let filter): open(key, filter)
            case .close(let key):
                if let id = listenIDs.removeValue(forKey: key) { child.cancel(id, reason: "Replaced") }
            case .confirm(let request):
                if let outer = subscribing.removeValue(forKey: request) {
                    give(Bridging.response(.object([])), to: outer)
                }
            case .refuse(let request, let failure):
                if let outer = subscribing.removeValue(forKey: request) {
                    give(Bridging.response(failure), to: outer)
                }
            }
        }
    }

    private func open(_ key: Int, _ filter: ListenFilter) {
        let text = Bridging.request(
            .listen,
            ["_meta": client.metaValue, "notifications": filter.value]
        )
        do throws(Failure) {
            let message = try Bridging.read(text)
            let call = ListenCall(self, key: key)
            let id = try child.call(message, text.span, from: call, edits: Edits())
            listenIDs[key] = id
        } catch {
            perform(listen.ended(key, error))
        }
    }

    /// Something came by a listen.
    func listened(_ key: Int, _ message: Message, _ bytes: Span<UInt8>) {
        if message.method == .acknowledged {
            let params = try? JSONValue(bytes.extracting(message.envelope.params.range))
            return perform(listen.acknowledged(key, ListenFilter(params?["notifications"]) ?? ListenFilter()))
        }
        forward(Rewriting.notification(message, bytes))
    }

    func listenEnded(_ key: Int, _ failure: Failure, isRefused: Bool) {
        listenIDs[key] = nil
        perform(listen.ended(key, failure, isRefused: isRefused))
    }

    /// A log message of the server that names none of several calls; all are this session's.
    func received(_ message: Message, _ bytes: Span<UInt8>, suspect: SuspectedCall?) {
        forward(Rewriting.notification(message, bytes))
    }

    private func forward(_ text: [UInt8]) {
        guard let message = try? Message(text.span) else { return }
        listener?.received(message, text.span, suspect: nil)
    }

    /// A modern server asks nothing on its own.
    func asked(_ number: Int, _ message: Message, _ bytes: Span<UInt8>, suspect: SuspectedCall?) {
        child.refuse(number, Failure(.methodNotFound, "This revision has no such request", source: .upstream))
    }

    func withdrew(_ number: Int, _ message: Message, _ bytes: Span<UInt8>) {}

    func interrupted() {
        listener?.interrupted()
    }

    func gaveUp() {
        listener?.gaveUp()
    }
}

/// A listen at the server, on behalf of the session.
private final class ListenCall: Caller {
    private weak var bridge: ModernServerBridge?
    private let key: Int

    init(_ bridge: ModernServerBridge, key: Int) {
        self.bridge = bridge
        self.key = key
    }

    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call) {
        bridge?.listenEnded(
            key,
            Failure(.internalError, "The server ended the subscription", source: .upstream),
            isRefused: message.envelope.kind == .error
        )
    }

    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call) {
        bridge?.listened(key, message, bytes)
    }

    func failed(_ failure: Failure, _ call: Call) {
        bridge?.listenEnded(key, failure, isRefused: false)
    }

    func cancelled(_ call: Call) {}
    func stopping(_ call: Call) {}
    func stillWaiting(_ call: Call, now: UInt64) {}
}
