// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import JSON
import MCPCore

extension MCPClient {
    /// How many subscriptions a client may have.
    private static let subscriptionLimit = 100

    /// Asks to be told of changes.
    ///
    /// In the modern era this is a `subscriptions/listen` of its own. In the legacy era resources are subscribed to one by
    /// one, and changes of lists come by themselves.
    ///
    /// - Parameters:
    ///   - filter: What is wanted.
    ///   - onEvent: Is told what becomes of it, later.
    /// - Returns: The subscription, to end it.
    @discardableResult
    package func subscribe(
        _ filter: SubscriptionFilter,
        onEvent: @escaping (MCPSubscription.Event) -> Void
    ) -> MCPSubscription {
        let subscription = MCPSubscription(filter, onEvent)
        subscription.client = self
        guard let server, transport != nil, subscriptions.count < Self.subscriptionLimit else {
            loop.onNextTurn {
                subscription.end(.ended("the client is not connected, or has too many subscriptions"))
            }
            return subscription
        }
        subscriptions.append(subscription)
        if server.era == .modern { listen(subscription) } else { watch(subscription, server) }
        return subscription
    }

    // MARK: The modern era

    private func listen(_ subscription: MCPSubscription) {
        guard subscription.isOpen else { return }
        subscription.isServed = false
        let params: JSONValue = ["notifications": subscription.filter.value]
        let call = MCPCall(Method.listen.rawValue, params, nil) { [weak self, weak subscription] outcome in
            guard let self, let subscription, subscription.isOpen else { return }
            subscription.listen = nil
            switch outcome {
            case .success: subscription.end(nil)
            case .failure(let error): self.interrupted(subscription, error)
            }
        }
        call.onNotice = { [weak self, weak subscription] method, params in
            guard let self, let subscription else { return }
            if method == Method.acknowledged.rawValue {
                subscription.isServed = true
                subscription.backoff.succeeded()
                subscription.tell(.began(SubscriptionFilter(params["notifications"]) ?? SubscriptionFilter()))
            } else if subscription.isServed {
                subscription.tell(.notice(method: method, params: params))
            } else {
                // The acknowledgement must be first (2026-07-28, "Subscriptions").
                self.onEvent(.warning("the server told something of a subscription before it was one"))
            }
        }
        subscription.listen = call
        start(call)
    }

    /// Opens a stream again that broke off; a refusal is the end.
    private func interrupted(_ subscription: MCPSubscription, _ error: MCPClientError) {
        let isPassing =
            switch error {
            case .ended, .timedOut, .unreachable: transport?.mirrorsHeaders == true
            case .http(let status, _), .refused(_, let status?): (500..<600).contains(status)
            default: false
            }
        guard isPassing, let pause = subscription.backoff.failed() else { return subscription.end(error) }
        subscription.tell(.interrupted(error))
        subscription.timer?.close()
        subscription.timer = LoopTimer(loop) { [weak self, weak subscription] in
            guard let self, let subscription else { return }
            self.listen(subscription)
        }
        subscription.timer?.schedule(after: pause)
    }

    // MARK: The legacy era

    private func watch(_ subscription: MCPSubscription, _ server: ServerDescription) {
        var served = subscription.filter.honoured(by: server.capabilities)
        // Whether a resource may be subscribed to, the server says when it is asked.
        served.uris = subscription.filter.uris
        watch(served.uris[...], subscription) { [weak subscription] in
            subscription?.isServed = true
            subscription?.tell(.began(served))
        }
    }

    /// Subscribes to one resource after the other; the first refusal ends it.
    private func watch(
        _ uris: ArraySlice<String>,
        _ subscription: MCPSubscription,
        _ completion: @escaping () -> Void
    ) {
        guard let uri = uris.first else { return loop.onNextTurn(completion) }
        subscription.watched.append(uri)
        watched[uri, default: 0] += 1
        guard watched[uri] == 1 else { return watch(uris.dropFirst(), subscription, completion) }
        request(Method.subscribe.rawValue, ["uri": .string(uri)]) { [weak self, weak subscription] outcome in
            guard let self, let subscription, subscription.isOpen else { return }
            if case .failure(let error) = outcome { return subscription.end(error) }
            self.watch(uris.dropFirst(), subscription, completion)
        }
    }

    /// Passes a notification of a session on to those who want it.
    func tellSubscriptions(_ method: String, _ params: JSONValue) {
        guard conversation.revision.era == .legacy else { return }
        let (method, uri) = (Method(method.utf8), params["uri"]?.string)
        for subscription in subscriptions where subscription.filter.covers(method, uri: uri) {
            subscription.tell(.notice(method: method.rawValue, params: params))
        }
    }

    /// Lets go of a subscription that has ended.
    func drop(_ subscription: MCPSubscription) {
        subscriptions.removeAll { $0 === subscription }
        for uri in subscription.watched {
            watched[uri, default: 1] -= 1
            guard watched[uri] == 0 else { continue }
            watched[uri] = nil
            if transport != nil { request(Method.unsubscribe.rawValue, ["uri": .string(uri)]) { _ in } }
        }
        subscription.watched = []
    }

    func endSubscriptions(_ error: MCPClientError) {
        for subscription in subscriptions { subscription.end(error) }
    }
}
