// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Configuration
import Diagnostics
import EventLoop
import Gateway
import JSONRPC
import MCPCore
import Sessions
import StdioFraming

/// Why the one client on standard input and output is not served any more.
package enum StdioEnd: Sendable {
    /// Its input has ended: what it asked is still answered.
    case inputEnded
    /// It takes nothing any more.
    case outputLost
    /// It does not read what it asked for.
    case notReading
    /// It sent a line that is too long.
    case lineTooLong
    /// Its session ended, since its server is of no more use.
    case sessionEnded
    /// Another configuration has changed the server of its session, or has none for it any more.
    case serverChanged
}

/// One client on a pair of pipes, of either era, message by message (2025-11-25 and 2026-07-28, transports, "stdio").
///
/// It reads from its making on. It ends with the input, or for the other reasons that `StdioEnd` names, and says so once;
/// who made it then drains and closes it.
final class StdioFrontend: ByteStreamDelegate, GatewayFront {
    private let context: FrontendContext
    private let input: ByteStream
    private let output: ByteStream
    private let outlet: LineOutlet
    private var channel: ClientChannel?
    private var reader: FrameReader
    /// Input that is no whole message yet, or that waits because the client does not read.
    private var partial: [UInt8] = []
    private var isPaused = false
    private var hasEnded = false
    /// The server that the client wants; nil for the default one.
    private let server: String?
    /// Whether the configuration leaves nothing for the client, so that it ends when what was asked is answered.
    private var isLeaving = false
    /// Fires when that takes too long.
    private var leaveTimer: LoopTimer?
    /// Fires when the client has taken nothing for too long.
    private var stallTimer: LoopTimer?
    /// How much it had taken when that was last looked at.
    private var takenAtLastLook = 0
    /// Looks, at the end, whether everything was written.
    private var writtenTimer: LoopTimer?
    private let onEnd: (StdioEnd) -> Void

    /// Bytes that wait for the client at least, whatever the configuration says: more than one system call takes.
    private static let leastQueue = 262_144
    /// Milliseconds that a server which was taken away has, beyond `shutdownGrace`, to fail the calls that are left.
    private static let leaveMargin: UInt64 = 2_000

    /// Begins to read.
    ///
    /// - Parameters:
    ///   - context: What frontends share.
    ///   - passage: The client, and the server that it gets.
    ///   - server: The server that it wants; nil for the default one.
    ///   - input: Where its messages come from.
    ///   - output: Where ours go.
    ///   - onEnd: Hears, once, that it is over.
    init(
        _ context: FrontendContext,
        _ passage: Passage,
        server: String?,
        input: ByteStream,
        output: ByteStream,
        onEnd: @escaping (StdioEnd) -> Void
    ) {
        self.context = context
        self.server = server
        self.input = input
        self.output = output
        self.onEnd = onEnd
        reader = FrameReader(framing: .newline, limit: context.limits.body)
        let limit = max(context.limits.streamQueue * 4, Self.leastQueue)
        outlet = LineOutlet(output, Backlog(limit: limit, ceiling: limit &+ context.limits.line * 4))
        channel = ClientChannel(
            context,
            passage,
            legacy: LegacyFrontend(context),
            modern: ModernFrontend(context),
            outlet: outlet
        ) { [weak self] in self?.end(.sessionEnded) }
        outlet.onOverflow = { [weak self] in self?.end(.notReading) }
        stallTimer = LoopTimer(context.loop) { [weak self] in self?.checkStall() }
        input.delegate = self
        output.delegate = self
        input.startReading()
    }

    // MARK: Reading

    func streamReceived(_ bytes: Span<UInt8>, on stream: ByteStream) {
        guard stream === input else { return }
        partial.append(bytes)
        read()
    }

    /// Takes every whole line, until the client has to be waited for.
    private func read() {
        // Taken out meanwhile, and put back as it is: a large message comes in many parts and is not copied for each.
        var held = partial
        partial = []
        let rest = read(held.span)
        if rest > 0 { held.removeFirst(rest) }
        partial = held
    }

    private func read(_ bytes: Span<UInt8>) -> Int {
        var position = 0
        while !hasEnded, !isPaused {
            switch reader.next(bytes, from: &position) {
            case .message(let range): take(bytes.extracting(range))
            case .skip:
                channel?.tell(Refusal(400, .parse, "Parse error: a line is neither an object nor an array"))
            case .needMore: return position
            case .tooLong:
                let text = "Invalid request: a message has more than \(context.limits.body) bytes"
                channel?.tell(Refusal(413, .invalidRequest, text))
                end(.lineTooLong)
            }
            pauseIfCongested()
        }
        return position
    }

    private func take(_ bytes: Span<UInt8>) {
        do {
            try channel?.receive(bytes)
        } catch {
            channel?.tell(error)
        }
    }

    func streamEnded(_ failure: IOFailure?, on stream: ByteStream) {
        guard stream === input else { return end(.outputLost) }
        // The last line may have no end.
        if !partial.isEmpty, !isPaused {
            partial.append(UInt8(ascii: "\n"))
            read()
        }
        end(.inputEnded)
    }

    // MARK: A client that does not read

    private func pauseIfCongested() {
        guard !isPaused, outlet.isCongested else { return }
        isPaused = true
        input.stopReading()
        takenAtLastLook = output.takenLate
        stallTimer?.schedule(after: context.timeouts.write.wholeMilliseconds)
    }

    func streamDrained(on stream: ByteStream) {
        guard stream === output else { return }
        guard isPaused else { return }
        isPaused = false
        stallTimer?.cancel()
        read()
        if !isPaused, !hasEnded { input.startReading() }
    }

    private func checkStall() {
        guard isPaused else { return }
        let taken = output.takenLate
        guard taken > takenAtLastLook else { return end(.notReading) }
        takenAtLastLook = taken
        stallTimer?.schedule(after: context.timeouts.write.wholeMilliseconds)
    }

    // MARK: Another configuration

    /// Goes on with the server as it is now.
    ///
    /// A session cannot move to another: it ends with what was asked, at the latest when `shutdownGrace` is over, and all
    /// ends with it. So it does where there is no server for the client any more.
    func reloaded() {
        guard !hasEnded, !isLeaving, let channel else { return }
        if let next = try? context.pipeline.enter(local: server), channel.adopt(next) { return }
        isLeaving = true
        let leave = { [weak self] in
            self?.end(.serverChanged) ?? ()
        }
        channel.whenIdle(leave)
        leaveTimer = LoopTimer(context.loop, leave)
        leaveTimer?.schedule(after: context.timeouts.shutdownGrace.wholeMilliseconds &+ Self.leaveMargin)
    }

    // MARK: Its end

    private func end(_ reason: StdioEnd) {
        guard !hasEnded else { return }
        hasEnded = true
        let reason = isLeaving && reason == .sessionEnded ? .serverChanged : reason
        input.stopReading()
        switch reason {
        case .inputEnded, .lineTooLong: break
        case .outputLost, .notReading, .sessionEnded, .serverChanged: channel?.close()
        }
        context.loop.onNextTurn { [onEnd] in onEnd(reason) }
    }

    /// Calls back when everything that was asked is answered, and the answers are written.
    func drain(_ completion: @escaping () -> Void) {
        hasEnded = true
        input.stopReading()
        guard let channel else { return completion() }
        channel.whenIdle { [weak self] in self?.whenWritten(completion) ?? completion() }
    }

    private func whenWritten(_ completion: @escaping () -> Void) {
        guard outlet.isOpen, output.pendingBytes > 0 else { return completion() }
        writtenTimer = LoopTimer(context.loop) { [weak self] in self?.whenWritten(completion) }
        writtenTimer?.schedule(after: 5)
    }

    func close() {
        hasEnded = true
        stallTimer?.close()
        leaveTimer?.close()
        writtenTimer?.close()
        let channel = channel
        self.channel = nil
        channel?.close()
        input.close()
        output.closeAfterWriting()
    }
}

/// Where clients come in: what a gateway that stops has to wait for.
protocol GatewayFront: AnyObject {
    /// Takes nothing new; calls back when everything that was asked is answered.
    func drain(_ completion: @escaping () -> Void)
    /// Another configuration is used: servers may have changed or be gone.
    func reloaded()
    /// Ends it at once.
    func close()
}
