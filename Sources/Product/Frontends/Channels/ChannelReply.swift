// Gatehouse. SPDX-License-Identifier: MIT

import Gateway
import JSONRPC
import Sessions

/// One request of a client that is answered on its channel.
///
/// It waits from its making until it was answered, refused or given up, whichever comes first; later answers are dropped.
final class ChannelReply: ReplyPort, StreamOutlet {
    private weak var channel: ClientChannel?
    private let outlet: any StreamOutlet
    private var isWaiting = true
    /// Whether it answers the `initialize` that opens the channel's session.
    var opensSession = false
    /// The client's id, for a modern request that may be taken back by it.
    var id: String?
    /// Who hears that it was taken back.
    var visit: Visit?
    /// Why the message was refused, if it has no id to answer under.
    private(set) var fault: Refusal?

    init(_ channel: ClientChannel, _ outlet: any StreamOutlet) {
        self.channel = channel
        self.outlet = outlet
        channel.began()
    }

    deinit { end() }

    var isOpen: Bool { isWaiting && outlet.isOpen }
    var isUnanswered: Bool { isOpen }
    var canResume: Bool { false }

    // MARK: As a port

    func respond(_ status: Int, in session: Session?, _ body: (inout [UInt8]) -> Void) {
        guard isWaiting else { return }
        var text: [UInt8] = []
        body(&text)
        outlet.send(event: nil, text.span)
        if opensSession { channel?.answered(opening: session) }
        end()
    }

    func refuse(_ refusal: Refusal, id: String?) {
        guard isWaiting else { return }
        if let id {
            var text: [UInt8] = []
            refusal.failure.append(id: id, to: &text)
            outlet.send(event: nil, text.span)
        } else {
            fault = refusal
        }
        if opensSession { channel?.answered(opening: nil) }
        end()
    }

    func accept() { end() }

    func openStream(onOverflow: @escaping () -> Void) -> any StreamOutlet { self }

    func abort() {
        guard isWaiting else { return }
        if opensSession { channel?.answered(opening: nil) }
        end()
    }

    // MARK: As a stream of messages before the answer

    func send(event id: EventID?, _ message: Span<UInt8>) {
        if isWaiting { outlet.send(event: nil, message) }
    }

    /// The channel has heartbeats of its own, or needs none.
    func sendHeartbeat() {}

    func finish() { end() }

    // MARK: Its end

    /// The client takes the request back.
    func withdraw() {
        guard isWaiting else { return }
        let visit = visit
        end()
        visit?.onVanish?()
    }

    private func end() {
        guard isWaiting else { return }
        isWaiting = false
        visit = nil
        channel?.ended(id)
    }
}
