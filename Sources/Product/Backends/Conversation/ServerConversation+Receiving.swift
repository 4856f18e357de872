// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Configuration
import Diagnostics
import EventLoop
import JSON
import JSONRPC
import MCPCore
import Sessions
import StdioFraming

/// What comes from the server: messages, and its end.
extension ServerConversation: ServerLinkDelegate {
    func linkReceived(_ bytes: Span<UInt8>) {
        if bytes[0] == UInt8(ascii: "[") { receiveBatch(bytes) } else { receive(bytes) }
    }

    func linkShowsLife() {}

    /// An array of messages, which servers of 2025-03-26 may send.
    private func receiveBatch(_ bytes: Span<UInt8>) {
        var reader = JSONReader(bytes)
        do {
            var elements = try reader.array()
            while try reader.next(&elements) { receive(bytes.extracting(try reader.skipValue().range)) }
        } catch {
            context.drop(Upstream.DropReason.malformed.rawValue)
        }
    }

    private func receive(_ bytes: Span<UInt8>) {
        let message: Message
        do {
            message = try Message(bytes)
        } catch {
            context.log.debug("the server wrote what is not JSON: \(error)")
            if let id = Message.id(ofBroken: bytes), let call = upstream.remove(id) { return broken(call) }
            return context.drop(Upstream.DropReason.malformed.rawValue)
        }
        if !hasAnswered, state != .greeting {
            hasAnswered = true
            startTimer?.cancel()
        }
        if bytes.integer(message.envelope.id) == Self.ownID, !message.envelope.method.isPresent {
            return receivedOwn(message)
        }
        switch upstream.receive(message, bytes, about: link?.subject) {
        case .reply(let call):
            if call.id == handshake.pendingID {
                handshakeAnswered(message)
            } else {
                restarts.noteAnswer()
                if !isOfUse {
                    isOfUse = true
                    backend.noteAnswer()
                }
            }
            call.caller.reply(message, bytes, to: call)
        case .broken(let call):
            broken(call)
        case .notice(let call):
            // The timer looks again when it fires.
            if message.method == .progress { upstream.noteProgress(of: call.id, at: context.loop.now) }
            call.caller.notice(message, bytes, for: call)
        case .session:
            listener?.received(message, bytes, suspect: suspect)
        case .ask(let number):
            guard let listener else {
                return refuse(
                    number,
                    Failure(.methodNotFound, "No client is there to answer", source: .client)
                )
            }
            listener.asked(number, message, bytes, suspect: suspect)
        case .withdraw(let number):
            listener?.withdrew(number, message, bytes)
        case .ping(let id):
            reply(Self.response(id, result: "{}"))
        case .refuse(let id, let failure):
            var text: [UInt8] = []
            failure.append(id: id, to: &text)
            reply(text)
        case .drop(let reason):
            context.drop(reason.rawValue)
        }
    }

    /// The answer to a call is no message; there will be no better one.
    private func broken(_ call: Call) {
        if call.id == handshake.pendingID { handshake = Handshake() }
        let failure = Failure(.internalError, "The server's answer is no valid message", source: .upstream)
        call.caller.failed(failure, call)
    }

    /// Answers the server itself, unless it asks without reading the answers.
    func reply(_ text: [UInt8]) {
        guard hasRoom else {
            return stop(
                Failure(.internalError, "The server asks and does not read the answers", source: .upstream)
            )
        }
        send(text)
    }

    private func handshakeAnswered(_ message: Message) {
        handshake.pendingID = nil
        guard message.envelope.kind != .error else { return handshake = Handshake() }
        backend.noteGreeting()
    }

    private var suspect: SuspectedCall? {
        if let subject = link?.subject, let call = upstream.call(subject) {
            return SuspectedCall(call: call, isOnly: true)
        }
        if let only = upstream.onlyCall { return SuspectedCall(call: only, isOnly: true) }
        // One whose client has gone would carry it to nobody, as long as another is there.
        let waiting = upstream.waiting
        return (waiting.first { $0.caller.isPresent } ?? waiting.first).map {
            SuspectedCall(call: $0, isOnly: false)
        }
    }

    func refuse(_ number: Int, _ failure: Failure) {
        guard let id = upstream.answer(number) else { return }
        var text: [UInt8] = []
        failure.append(id: id, to: &text)
        reply(text)
    }

    static func response(_ id: String, result: String) -> [UInt8] {
        Array(#"{"jsonrpc":"2.0","id":\#(id),"result":\#(result)}"#.utf8)
    }

    func linkLost(call id: Int, _ failure: Failure) {
        if id == Self.ownID { return stop(failure) }
        guard let call = upstream.remove(id) else { return }
        if call.id == handshake.pendingID { handshake = Handshake() }
        call.caller.failed(failure, call)
    }

    func linkForgot(call id: Int, _ text: [UInt8], isNews: Bool) {
        guard !isNews || state == .up && !handshake.initialize.isEmpty && handshake.pendingID == nil else {
            let failure = Failure(.internalError, "The server has forgotten the session", source: .upstream)
            return linkLost(call: id, failure)
        }
        if isNews, isSession, context.server.stateLost == .end {
            // Its client is to begin another one.
            link?.stop()
            link = nil
            let text = "The server has forgotten the session, and with it its state"
            return fail(Failure(.internalError, text, source: .upstream), to: .down)
        }
        if isNews { greetAgain() }
        send(text, call: id)
    }

    func linkAwaits(_ id: Int) -> Bool {
        id == Self.ownID ? state == .greeting : upstream.call(id) != nil
    }

    func linkEnded(_ failure: Failure) {
        link = nil
        guard state != .ended else { return }
        noteDeath()
        fail(failure, to: .down)
    }
}
