// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Children
import Configuration
import Diagnostics
import EventLoop
import JSON
import JSONRPC
import MCPCore
import Sessions
import StdioFraming

/// What comes from the process: messages, diagnostics, and its end.
extension ChildConversation: ChildDelegate {
    func childOutput(_ bytes: Span<UInt8>, of child: Child) {
        guard child === self.child else { return }
        if partial.isEmpty {
            let rest = read(bytes)
            if rest < bytes.count { partial.append(bytes, rest..<bytes.count) }
        } else {
            partial.append(bytes)
            if partial.count > Self.largeMessage, !hasWideOutput {
                hasWideOutput = true
                child.widenOutput()
            }
            // Taken out meanwhile and put back as it is: a large message comes in many parts and is not copied for each.
            var held = partial
            partial = []
            let rest = read(held.span)
            guard rest < held.count else { return }
            held.removeFirst(rest)
            partial = held
        }
    }

    /// Bytes of a message that make a child one of large messages: more than a pipe holds at first.
    static let largeMessage = 65_536

    /// Takes every whole message; where the rest, which is to be kept, begins.
    private func read(_ bytes: Span<UInt8>) -> Int {
        var position = 0
        while state != .ended, child != nil {
            switch reader.next(bytes, from: &position) {
            case .message(let range):
                if bytes[range.lowerBound] == UInt8(ascii: "[") {
                    receiveBatch(bytes.extracting(range))
                } else {
                    receive(bytes.extracting(range))
                }
            case .skip(let range):
                processes.drop("noise")
                processes.log.debug("the server wrote \(range.count) bytes that are no message")
            case .needMore:
                return position
            case .tooLong:
                stop(
                    Failure(
                        .internalError,
                        "The server sent a message of more than \(processes.limits.line) bytes and was stopped",
                        source: .upstream
                    )
                )
            }
        }
        return bytes.count
    }

    /// An array of messages, which servers of 2025-03-26 may send.
    private func receiveBatch(_ bytes: Span<UInt8>) {
        var reader = JSONReader(bytes)
        do {
            var elements = try reader.array()
            while try reader.next(&elements) { receive(bytes.extracting(try reader.skipValue().range)) }
        } catch {
            processes.drop(Upstream.DropReason.malformed.rawValue)
        }
    }

    private func receive(_ bytes: Span<UInt8>) {
        let message: Message
        do {
            message = try Message(bytes)
        } catch {
            processes.log.debug("the server wrote what is not JSON: \(error)")
            if let id = Message.id(ofBroken: bytes), let call = upstream.remove(id) { return broken(call) }
            return processes.drop(Upstream.DropReason.malformed.rawValue)
        }
        if !hasAnswered, state != .greeting {
            hasAnswered = true
            startTimer?.cancel()
        }
        if bytes.integer(message.envelope.id) == Self.ownID, !message.envelope.method.isPresent {
            return receivedOwn(message)
        }
        switch upstream.receive(message, bytes) {
        case .reply(let call):
            if call.id == handshake.pendingID {
                handshakeAnswered(message)
            } else {
                restarts.noteAnswer()
            }
            call.caller.reply(message, bytes, to: call)
        case .broken(let call):
            broken(call)
        case .notice(let call):
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
            processes.drop(reason.rawValue)
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
        if message.envelope.kind == .error { handshake = Handshake() }
    }

    private var suspect: SuspectedCall? {
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

    func childDiagnostics(_ bytes: Span<UInt8>, of child: Child) {
        let text = bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
        for line in text.split(whereSeparator: \.isNewline) { processes.log.debug("stderr: \(line)") }
    }

    func childInputDrained(of child: Child) {}

    func childExited(_ exit: ChildExit, of child: Child) {
        guard child === self.child else { return }
        self.child = nil
        backend.gone()
        guard state != .ended else { return }
        restarts.noteDeath(at: processes.loop.now)
        fail(
            Failure(
                .internalError,
                "The server ended unexpectedly (\(exit))",
                data: details(exit, of: child),
                source: .upstream
            ),
            to: .down
        )
    }
}
