// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
package import JSON

/// What a client is told without asking each time, in either era.
///
/// It starts with `MCPClient.subscribe` and ends with `cancel`, with the client, or when the server ends it. A stream that
/// breaks off is opened again, with growing pauses.
package final class MCPSubscription {
    /// What becomes of it.
    package enum Event: Sendable, Equatable {
        /// The server serves it: this much of what was wanted.
        case began(SubscriptionFilter)
        /// Something has changed.
        case notice(method: String, params: JSONValue)
        /// It broke off for this reason, and is going to be opened again.
        case interrupted(MCPClientError)
        /// It is over, for this reason if it was no orderly end.
        case ended(MCPClientError?)
    }

    /// What was wanted.
    package let filter: SubscriptionFilter
    private var onEvent: ((Event) -> Void)?
    weak var client: MCPClient?
    /// The request that it is in the modern era.
    var listen: MCPCall?
    var timer: LoopTimer?
    var backoff = Backoff()
    /// Whether the server has said that it serves it, since it was last opened.
    var isServed = false
    /// The resources that a legacy server was asked to watch for it.
    var watched: [String] = []

    init(_ filter: SubscriptionFilter, _ onEvent: @escaping (Event) -> Void) {
        self.filter = filter
        self.onEvent = onEvent
    }

    /// Whether it has not ended.
    package var isOpen: Bool { onEvent != nil }

    /// Ends it; nothing more is told.
    package func cancel() {
        guard onEvent.take() != nil else { return }
        close()
    }

    func tell(_ event: Event) { onEvent?(event) }

    func end(_ error: MCPClientError?) {
        guard let onEvent = onEvent.take() else { return }
        close()
        onEvent(.ended(error))
    }

    private func close() {
        timer?.close()
        timer = nil
        client?.drop(self)
        listen.take()?.cancel()
    }
}
