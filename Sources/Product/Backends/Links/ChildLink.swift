// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Children
import Configuration
import Diagnostics
import EventLoop
import JSON
import JSONRPC
import MCPCore
import StdioFraming

/// A line to a server over the pipes of its process.
///
/// Until it has a delegate, what the process says is kept, up to a bound. It holds a place among the processes that may run,
/// and gives it back when the process is gone.
final class ChildLink: ServerLink, ChildDelegate {
    weak var delegate: (any ServerLinkDelegate)? {
        didSet {
            guard delegate != nil, hasHeld else { return }
            hasHeld = false
            context.loop.onNextTurn { [weak self] in self?.child.readKeptOutput() }
        }
    }
    @exclusivity(unchecked) private(set) var traffic = LinkTraffic()
    /// The place that it holds; nil for one that is not counted.
    let place: ChildPlace?
    /// When it was started, in milliseconds of the loop's clock.
    let started: UInt64
    private let child: Child
    private let framing: Framing
    private let context: ServerContext
    private weak var supply: ChildSupply?
    @exclusivity(unchecked) private var reader: FrameReader
    /// Whether it said something before it had a delegate.
    private var hasHeld = false
    private var hasWideOutput = false
    private var hasWideInput = false
    private(set) var isStopping = false
    /// Whether it said too much before anybody asked it anything.
    private(set) var isOfNoUse = false
    private(set) var hasEnded = false

    /// Bytes of a message that make a process one of large messages: more than a pipe holds at first.
    private static let largeMessage = 65_536
    /// Bytes that are kept for a delegate to come.
    private static let heldLimit = 65_536

    init(
        _ child: Child,
        _ framing: Framing,
        _ place: ChildPlace?,
        _ context: ServerContext,
        _ supply: ChildSupply
    ) {
        self.child = child
        self.framing = framing
        self.place = place
        self.context = context
        self.supply = supply
        started = context.loop.now
        reader = FrameReader(framing: framing, limit: context.limits.line)
        child.delegate = self
    }

    var pendingBytes: Int { child.pendingInput }
    var mustProveItself: Bool { true }
    var diagnosticsTail: String { child.diagnosticsTail }
    var processID: Int32? { child.serverPID }

    func send(_ message: Message, _ bytes: Span<UInt8>, _ edits: Edits) {
        let breaks = message.envelope.hasLineBreaks
        guard framing == .newline else {
            var text: [UInt8] = []
            edits.apply(to: bytes, onOneLine: breaks, into: &text)
            return send(text.span)
        }
        // Taken out meanwhile, so that the array is never shared and so never copied.
        var frame = context.frame
        context.frame = []
        frame.removeAll(keepingCapacity: frame.capacity <= 4 << 20)
        edits.apply(to: bytes, onOneLine: breaks, into: &frame)
        frame.append(UInt8(ascii: "\n"))
        if frame.count > Self.largeMessage, !hasWideInput {
            hasWideInput = true
            child.widenInput()
        }
        write(frame.span)
        context.frame = frame
    }

    func send(_ text: Span<UInt8>) {
        var frame: [UInt8] = []
        FrameWriter.append(text, framing: framing, to: &frame)
        write(frame.span)
    }

    private func write(_ frame: Span<UInt8>) {
        traffic.sentMessages &+= 1
        traffic.sentBytes &+= frame.count
        child.write(frame)
    }

    func stop() {
        guard !isStopping else { return }
        isStopping = true
        if !hasEnded { child.stop() }
    }

    // MARK: What the process says

    func childOutput(_ bytes: Span<UInt8>, of child: Child) {
        guard !isStopping else { return }
        guard let delegate else {
            guard bytes.count <= Self.heldLimit else {
                // Nobody has asked it anything yet: it is of no use.
                isOfNoUse = true
                return child.stop()
            }
            guard !isOfNoUse else { return }
            hasHeld = true
            return child.keepOutput(from: 0)
        }
        let rest = read(bytes, delegate)
        guard rest < bytes.count else { return }
        child.keepOutput(from: rest)
        if bytes.count - rest > Self.largeMessage, !hasWideOutput {
            hasWideOutput = true
            child.widenOutput()
        }
    }

    /// Takes every whole message; where the rest, which is to be kept, begins.
    private func read(_ bytes: Span<UInt8>, _ delegate: any ServerLinkDelegate) -> Int {
        var position = 0
        while !isStopping {
            switch reader.next(bytes, from: &position) {
            case .message(let range):
                traffic.receivedMessages &+= 1
                traffic.receivedBytes &+= range.count
                delegate.linkReceived(bytes.extracting(range))
            case .skip(let range):
                context.drop("noise")
                context.log.debug("the server wrote \(range.count) bytes that are no message")
            case .needMore:
                return position
            case .tooLong:
                stop()
                let limit = context.limits.line
                delegate.linkEnded(
                    Failure(
                        .internalError,
                        "The server sent a message of more than \(limit) bytes and was stopped",
                        source: .upstream
                    )
                )
            }
        }
        return bytes.count
    }

    func childDiagnostics(_ bytes: Span<UInt8>, of child: Child) {
        guard !isStopping else { return }
        if context.log.writes(.debug) {
            let text = bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
            for line in text.split(whereSeparator: \.isNewline) { context.log.debug("stderr: \(line)") }
        }
        delegate?.linkShowsLife()
    }

    func childInputDrained(of child: Child) {}

    func childExited(_ exit: ChildExit, of child: Child) {
        hasEnded = true
        supply?.gone(self, exit)
        guard !isStopping else { return }
        isStopping = true
        delegate?.linkEnded(
            Failure(
                .internalError,
                "The server ended unexpectedly (\(exit))",
                data: Self.details(exit, child.diagnosticsTail),
                source: .upstream
            )
        )
    }

    /// What is known about the end of a process, for its callers.
    private static func details(_ exit: ChildExit, _ tail: String) -> JSONValue {
        var members: [JSONValue.Member] = [.init("exit", .string("\(exit)"))]
        if !tail.isEmpty { members.append(.init("stderr", .string(tail))) }
        return .object(members)
    }

    /// What it is at.
    var report: ServerReport {
        ServerReport(
            state: isStopping ? .stopping : delegate == nil ? .warm : .up,
            pid: child.serverPID,
            started: started,
            sentMessages: traffic.sentMessages,
            sentBytes: traffic.sentBytes,
            receivedMessages: traffic.receivedMessages,
            receivedBytes: traffic.receivedBytes,
            pendingBytes: child.pendingInput,
            diagnosticsTail: child.diagnosticsTail
        )
    }
}
