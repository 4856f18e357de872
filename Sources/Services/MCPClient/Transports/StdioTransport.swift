// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Children
import EventLoop
import StdioFraming

/// A server that is a child of this process: messages go over its pipes (2026-07-28, transports, "stdio").
///
/// It starts the child when it is opened, and ends with it. What the child prints that is no message counts as
/// diagnostics, like its standard error. Where the framing is not told, messages are lines; if no message has come after
/// two seconds, a second child is spoken to with `Content-Length`, and the first of both to say something stays.
final class StdioTransport: ClientTransport {
    weak var delegate: (any ClientTransportDelegate)?
    var mirrorsHeaders: Bool { false }

    /// Milliseconds of silence after which the other framing is tried.
    private static let secondTry: UInt64 = 2000
    /// How many messages are kept for a second child.
    private static let sentLimit = 100

    /// How messages are told apart; nil while that is not known.
    private(set) var framing: Framing?
    private let command: ChildCommand
    private let spawner: ChildSpawner
    private let loop: EventLoop
    private let limit: Int
    /// The children that run or start: one, or two while the framing is not known.
    private var children: [StdioChild] = []
    /// What was sent while the framing is not known.
    private var sent: [[UInt8]] = []
    private var timer: LoopTimer?
    private var showsLife = false
    /// Whether the delegate has been told the end.
    private var hasEnded = false
    private var isClosing = false
    private var onClosed: (() -> Void)?

    init(
        _ command: ChildCommand,
        _ spawner: ChildSpawner,
        _ framing: Framing?,
        limit: Int,
        on loop: EventLoop
    ) {
        self.command = command
        self.spawner = spawner
        self.framing = framing
        self.loop = loop
        self.limit = limit
    }

    func open() {
        start(framing ?? .newline)
        guard framing == nil else { return }
        timer = LoopTimer(loop) { [weak self] in self?.start(.contentLength) }
        timer?.schedule(after: Self.secondTry)
    }

    func send(_ message: OutgoingMessage) {
        guard !hasEnded, !isClosing else { return }
        if framing == nil, sent.count < Self.sentLimit { sent.append(message.text) }
        for child in children { child.write(message.text) }
    }

    func abandon(_ id: Int) {}

    func close(_ fields: [OutgoingMessage.HTTPHeader], completion: @escaping () -> Void) {
        timer?.close()
        timer = nil
        guard !children.isEmpty else { return loop.onNextTurn(completion) }
        isClosing = true
        onClosed = completion
        for child in children { child.stop() }
    }

    private func start(_ framing: Framing) {
        guard !hasEnded, !isClosing else { return }
        let child = StdioChild(self, framing, limit: limit)
        children.append(child)
        for text in sent { child.write(text) }
        spawner.spawn(command, on: loop) { [self] result in
            switch result {
            case .success(let process): child.began(process)
            case .failure(let failure): gone(child, .unreachable(failure.message))
            }
        }
    }

    private func end(_ error: MCPClientError) {
        guard !hasEnded, !isClosing else { return }
        hasEnded = true
        timer?.close()
        timer = nil
        delegate?.transportEnded(error)
    }

    /// The framing is that of the child which speaks.
    private func settle(on child: StdioChild) {
        framing = child.framing
        sent = []
        timer?.close()
        timer = nil
        for other in children where other !== child { other.stop() }
    }

    // MARK: What children say

    func received(_ message: Span<UInt8>, from child: StdioChild) {
        guard !isClosing, !hasEnded else { return }
        if framing == nil { settle(on: child) }
        guard framing == child.framing else { return }
        delegate?.transportReceived(message, of: nil)
    }

    func diagnosed(_ bytes: Span<UInt8>, by child: StdioChild) {
        guard isHeard(child) else { return }
        delegate?.transportDiagnosed(bytes)
    }

    func showedLife() {
        guard !showsLife, !isClosing else { return }
        showsLife = true
        delegate?.transportShowsLife()
    }

    func overflowed(_ child: StdioChild) {
        child.stop()
        if isHeard(child) { end(.malformed("the server sent a message that is larger than the limit")) }
    }

    /// A child has ended, or never ran.
    func gone(_ child: StdioChild, _ error: MCPClientError) {
        let wasHeard = isHeard(child)
        children.removeAll { $0 === child }
        // Its sister may still have something to say.
        if wasHeard, framing != nil || children.isEmpty { end(error) }
        if children.isEmpty { onClosed.take()?() }
    }

    /// Whether what the child says counts: that of the second one does only once it has been settled on, or is alone.
    private func isHeard(_ child: StdioChild) -> Bool {
        guard let framing else { return children.first === child }
        return framing == child.framing
    }
}

/// One child of the transport.
final class StdioChild: ChildDelegate {
    let framing: Framing
    private weak var transport: StdioTransport?
    private var reader: FrameReader
    private var child: Child?
    private var isStopped = false
    /// What was written before it ran.
    private var early: [[UInt8]] = []

    init(_ transport: StdioTransport, _ framing: Framing, limit: Int) {
        self.transport = transport
        self.framing = framing
        reader = FrameReader(framing: framing, limit: limit)
    }

    func began(_ child: Child) {
        self.child = child
        child.delegate = self
        guard !isStopped else { return child.stop() }
        for text in early { write(text) }
        early = []
    }

    func write(_ text: [UInt8]) {
        guard !isStopped else { return }
        guard let child else { return early.append(text) }
        var frame: [UInt8] = []
        FrameWriter.append(text.span, framing: framing, to: &frame)
        child.write(frame.span)
    }

    func stop() {
        isStopped = true
        child?.stop()
    }

    func childOutput(_ bytes: Span<UInt8>, of child: Child) {
        transport?.showedLife()
        var position = 0
        while !isStopped {
            switch reader.next(bytes, from: &position) {
            case .message(let range): transport?.received(bytes.extracting(range), from: self)
            case .skip(let range):
                transport?.diagnosed(([UInt8](bytes, range) + [0x0A]).span, by: self)
            case .needMore: return child.keepOutput(from: position)
            case .tooLong:
                transport?.overflowed(self)
                return
            }
        }
    }

    func childDiagnostics(_ bytes: Span<UInt8>, of child: Child) {
        transport?.showedLife()
        transport?.diagnosed(bytes, by: self)
    }

    func childInputDrained(of child: Child) {}

    func childExited(_ exit: ChildExit, of child: Child) {
        self.child = nil
        let tail = child.diagnosticsTail
        let words = tail.isEmpty ? "" : "; its last words:\n\(tail)"
        transport?.gone(self, .ended("the server ended (\(exit))" + words))
    }
}
