// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Children
import EventLoop
import StdioFraming

/// A server that is a child of this process: messages go over its pipes (2026-07-28, transports, "stdio").
///
/// It starts the child when it is opened, and ends with it. What the child prints that is no message counts as
/// diagnostics, like its standard error.
final class StdioTransport: ClientTransport, ChildDelegate {
    weak var delegate: (any ClientTransportDelegate)?
    var mirrorsHeaders: Bool { false }

    private let command: ChildCommand
    private let spawner: ChildSpawner
    private let loop: EventLoop
    private let framing: Framing
    private var child: Child?
    private var reader: FrameReader
    private var partial: [UInt8] = []
    /// What was sent before the child ran.
    private var early: [OutgoingMessage] = []
    private var showsLife = false
    /// Whether the delegate has been told the end.
    private var hasEnded = false
    /// Whether there is no child, and none will come.
    private var isGone = false
    private var isClosing = false
    private var onClosed: (() -> Void)?

    init(_ command: ChildCommand, _ spawner: ChildSpawner, _ framing: Framing, limit: Int, on loop: EventLoop)
    {
        self.command = command
        self.spawner = spawner
        self.framing = framing
        self.loop = loop
        reader = FrameReader(framing: framing, limit: limit)
    }

    func open() {
        spawner.spawn(command, on: loop) { result in
            switch result {
            case .success(let child): self.began(child)
            case .failure(let failure):
                self.end(.unreachable(failure.message))
                self.gone()
            }
        }
    }

    func send(_ message: OutgoingMessage) {
        guard !hasEnded, !isClosing else { return }
        guard let child else { return early.append(message) }
        var frame: [UInt8] = []
        FrameWriter.append(message.text.span, framing: framing, to: &frame)
        child.write(frame.span)
    }

    func abandon(_ id: Int) {}

    func close(_ fields: [OutgoingMessage.HTTPHeader], completion: @escaping () -> Void) {
        guard !isGone else { return loop.onNextTurn(completion) }
        isClosing = true
        onClosed = completion
        child?.stop()
    }

    private func began(_ child: Child) {
        self.child = child
        child.delegate = self
        guard !isClosing else { return child.stop() }
        for message in early { send(message) }
        early = []
    }

    private func end(_ error: MCPClientError) {
        guard !hasEnded, !isClosing else { return }
        hasEnded = true
        delegate?.transportEnded(error)
    }

    private func gone() {
        isGone = true
        child = nil
        onClosed.take()?()
    }

    private func noteLife() {
        guard !showsLife, !isClosing else { return }
        showsLife = true
        delegate?.transportShowsLife()
    }

    // MARK: What the child says

    func childOutput(_ bytes: Span<UInt8>, of child: Child) {
        noteLife()
        partial.append(bytes)
        var held: [UInt8] = []
        swap(&held, &partial)
        var position = 0
        reading: while !isClosing, !hasEnded {
            switch reader.next(held.span, from: &position) {
            case .message(let range): delegate?.transportReceived(held.span.extracting(range))
            case .skip(let range): delegate?.transportDiagnosed(([UInt8](held.span, range) + [0x0A]).span)
            case .needMore: break reading
            case .tooLong:
                child.stop()
                return end(.malformed("the server sent a message that is larger than the limit"))
            }
        }
        held.removeSubrange(..<position)
        partial = held
    }

    func childDiagnostics(_ bytes: Span<UInt8>, of child: Child) {
        noteLife()
        delegate?.transportDiagnosed(bytes)
    }

    func childInputDrained(of child: Child) {}

    func childExited(_ exit: ChildExit, of child: Child) {
        let tail = child.diagnosticsTail
        end(.ended("the server ended (\(exit))" + (tail.isEmpty ? "" : "; its last words:\n\(tail)")))
        gone()
    }
}
