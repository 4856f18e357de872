// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import CProcess
package import EventLoop
import Glibc

/// A running child process with pipes at its standard streams.
///
/// It belongs to one loop and is used on that thread only. It starts by `ChildSpawner.spawn`, lives (and keeps its
/// delegate alive) until it has ended, and ends by itself, by `stop`, by `kill`, or with this process. Its
/// standard error is always read, so that a talkative child never waits for a reader. Do not end the loop before it.
package final class Child {
    /// Who is told; released after `childExited`.
    package var delegate: (any ChildDelegate)?
    /// The loop that the child belongs to.
    package let loop: EventLoop
    /// The process that this one started: the launcher, or the program itself where there is none.
    package let pid: Int32
    /// The program's own process, which also is its process group; 0 if it is not known.
    ///
    /// A confined program is looked for: what it was reported as is its number in there.
    package var serverPID: Int32 {
        guard usesLauncher else { return pid }
        return command.sandbox == nil ? report.running ?? 0 : ConfinedProcess.find(under: pid) ?? 0
    }

    let command: ChildCommand
    let usesLauncher: Bool
    var stopStage = StopStage.none
    var stopTimer: LoopTimer?

    private let process: Int32
    private let input: ByteStream
    private let output: ByteStream
    private let errors: ByteStream
    private let status: ByteStream?
    private var watcher: DescriptorWatcher?
    private var lingering: LoopTimer?
    private var started: ((Result<Child, SpawnFailure>) -> Void)?
    private var report = LauncherReport()
    private var ring: DiagnosticsRing
    /// How the process that this one started has ended, once it is reaped.
    private var reaped: ChildExit?
    private var open: Set<Pipe>
    /// What the child said on its standard error before its owner could be told.
    private var early: [UInt8] = []
    private var hasEnded = false

    /// The pipes that are read.
    enum Pipe {
        case input
        case output
        case errors
        case status
    }

    /// Bytes of a wide pipe.
    ///
    /// Less makes both sides wait for each other more often; more is out of the processor's cache before it is read.
    private static let widePipe: Int32 = 1 << 19

    /// How much of the standard error is kept.
    package static let diagnosticsCapacity = 8192

    init(
        _ spawned: gatehouse_child,
        _ command: ChildCommand,
        usesLauncher: Bool,
        _ loop: EventLoop
    ) throws(IOFailure) {
        self.command = command
        self.usesLauncher = usesLauncher
        self.loop = loop
        pid = spawned.pid
        process = spawned.process
        ring = DiagnosticsRing(capacity: Self.diagnosticsCapacity)
        var streams: [ByteStream] = []
        var descriptors = [spawned.input, spawned.output, spawned.errors]
        if usesLauncher { descriptors.append(spawned.status) }
        do {
            for index in descriptors.indices {
                defer { descriptors[index] = -1 }
                streams.append(try ByteStream(adopting: descriptors[index], kind: .pipe, loop: loop))
            }
        } catch {
            for stream in streams { stream.close() }
            for descriptor in descriptors where descriptor >= 0 { close(descriptor) }
            AbandonedProcess.end(spawned.process, spawned.pid, usesLauncher: usesLauncher)
            throw error
        }
        (input, output, errors) = (streams[0], streams[1], streams[2])
        status = usesLauncher ? streams[3] : nil
        open = usesLauncher ? [.status] : []
    }

    deinit {
        // The loop has ended first, or could not take the child: nobody is left to be told.
        if !isReaped { AbandonedProcess.end(process, pid, usesLauncher: usesLauncher) }
    }

    /// Takes over what the spawning thread has started.
    ///
    /// The completion is called once it is known to run.
    static func begin(
        _ spawned: SpawnedProcess,
        _ command: ChildCommand,
        usesLauncher: Bool,
        _ loop: EventLoop,
        _ completion: @escaping (Result<Child, SpawnFailure>) -> Void
    ) {
        guard let parts = spawned.take() else { return }
        do throws(IOFailure) {
            let child = try Child(parts, command, usesLauncher: usesLauncher, loop)
            try child.watch()
            child.started = completion
            if command.sandbox != nil { child.readErrors() }
            child.readStatus()
        } catch {
            completion(.failure(SpawnFailure(command, code: error.code)))
        }
    }

    /// Gives the child bytes on its standard input; what it does not take yet is kept, see `pendingInput`.
    ///
    /// What is written in one turn of the loop reaches the child in one piece.
    package func write(_ bytes: Span<UInt8>) { input.gather(bytes) }

    /// Gives the child two pieces as if they were one.
    package func write(_ first: Span<UInt8>, _ second: Span<UInt8>) { input.write(first, second) }

    /// Bytes that the child has not taken yet.
    package var pendingInput: Int { input.pendingBytes }

    /// Has what the child said given again from `position` on, in front of what it says next; see `ByteStream`.
    package func keepOutput(from position: Int) { output.keep(from: position) }

    /// Gives what was kept of its output once more.
    package func readKeptOutput() { output.readKept() }

    /// Asks for a larger buffer of its output, for a child that sends large messages.
    package func widenOutput() { output.widenPipe(to: Self.widePipe) }

    /// Asks for a larger buffer of its input, for a child that is sent large messages.
    package func widenInput() { input.widenPipe(to: Self.widePipe) }

    /// Ends the child's standard input after what is pending.
    package func endInput() { input.endWriting() }

    /// The last lines of what the child wrote to its standard error, safe to print.
    package var diagnosticsTail: String { ring.text }

    /// Whether it has not ended yet.
    package var isRunning: Bool { !hasEnded }

    /// Whether the process can still be signalled.
    var isReaped: Bool { reaped != nil }

    /// Signals the launcher, or without one the process group of the child, as long as that cannot be another's.
    func signal(launcher: Int32, group: Int32) {
        guard !isReaped else { return }
        if usesLauncher {
            _ = gatehouse_signal(process, launcher)
        } else {
            Glibc.kill(-pid, group)
        }
    }

    private func watch() throws(IOFailure) {
        do {
            watcher = try DescriptorWatcher(loop, descriptor: process, events: .readable) { _ in self.reap() }
        } catch {
            closeStreams()
            throw error
        }
    }

    /// Waits for the launcher's word; without one, the child runs already.
    private func readStatus() {
        guard let status else { return didStart() }
        status.delegate = PipeReader(self, .status)
        status.startReading()
    }

    /// Reads what the child says; bubblewrap's words come before it is known to run, and are all there is if it never does.
    private func readErrors() {
        errors.delegate = PipeReader(self, .errors)
        open.insert(.errors)
        errors.startReading()
    }

    /// Hands the child out, and only then reads what it says, so that its owner misses nothing.
    private func didStart() {
        guard let started = started.take() else { return }
        for (stream, pipe) in [(output, Pipe.output), (input, .input)] {
            stream.delegate = PipeReader(self, pipe)
        }
        open.insert(.output)
        if command.sandbox == nil { readErrors() }
        started(.success(self))
        if !early.isEmpty { delegate?.childDiagnostics(early.span, of: self) }
        early = []
        output.startReading()
    }
}

// MARK: What the pipes bring

extension Child {
    func received(_ bytes: Span<UInt8>, from pipe: Pipe) {
        switch pipe {
        case .input: break
        case .output: delegate?.childOutput(bytes, of: self)
        case .errors:
            ring.append(bytes)
            guard started == nil else {
                if early.count < Self.diagnosticsCapacity { early.append(bytes) }
                return
            }
            delegate?.childDiagnostics(bytes, of: self)
        case .status:
            report.append(bytes)
            if report.running != nil { didStart() }
        }
    }

    func ended(_ pipe: Pipe) {
        guard pipe != .input else {
            // The child reads no more. What waited is dropped, and whoever waits for that must not wait for ever.
            input.close()
            delegate?.childInputDrained(of: self)
            return
        }
        open.remove(pipe)
        finishIfComplete()
        // A server that has closed its output can answer nothing more; one that is ending has a moment to do so.
        if pipe == .output, isRunning { stop() }
    }

    func inputDrained() {
        delegate?.childInputDrained(of: self)
    }
}

// MARK: The end

extension Child {
    private func reap() {
        guard !isReaped else { return }
        // Without a launcher, this is the last moment at which the number of the group is surely the child's.
        if !usesLauncher { Glibc.kill(-pid, SIGKILL) }
        var status: Int32 = 0
        let result = gatehouse_reap(process, &status)
        guard result != 0 else { return }
        // An error means that someone else has reaped it; how it ended is not known then.
        reaped = result > 0 ? ChildExit(status: status) : .exited(-1)
        watcher?.close()
        watcher = nil
        close(process)
        finishIfComplete()
        guard !hasEnded else { return }
        // Someone else holds the pipes; nobody waits for that.
        let lingering = LoopTimer(loop) { self.finish() }
        lingering.schedule(after: 250)
        self.lingering = lingering
    }

    private func finishIfComplete() {
        if isReaped, open.isEmpty { finish() }
    }

    private func finish() {
        guard !hasEnded, let reaped else { return }
        hasEnded = true
        // A launcher that ends without its report was killed. The program died with it; its group may not have.
        // A confined one is gone with its namespace, and its number is somebody else's out here.
        if usesLauncher, command.sandbox == nil, report.ended == nil, let group = report.running {
            Glibc.kill(-group, SIGKILL)
        }
        closeStreams()
        lingering?.close()
        lingering = nil
        stopTimer?.close()
        stopTimer = nil
        if let started = started.take() {
            started(.failure(startFailure(reaped)))
            return
        }
        let exit = usesLauncher ? report.exit ?? reaped : reaped
        let delegate = delegate.take()
        delegate?.childExited(exit, of: self)
    }

    private func startFailure(_ exit: ChildExit) -> SpawnFailure {
        switch report.failure {
        case (.directory, let code)?:
            return SpawnFailure(command, code: code, "working directory \(command.workingDirectory ?? ""): ")
        case (.program, ENOENT)? where access(command.executable, F_OK) == 0:
            return SpawnFailure(command, code: ENOENT, "the interpreter that it names: ")
        case (.program, ENOENT)? where command.sandbox?.view.shows(command.executable) == false:
            return SpawnFailure(command, code: ENOENT, "its sandbox does not show it: ")
        case (.program, let code)?, (.setup, let code)?:
            return SpawnFailure(command, code: code)
        case (.wrapper, let code)?:
            return SpawnFailure(command, code: code, "\(command.sandbox?.bubblewrap ?? "its wrapper"): ")
        case (.group, let code)?:
            return SpawnFailure(command, code: code, "the control group that bounds it: ")
        case nil where report.wrapperEnded != nil:
            let words =
                diagnosticsTail.split(whereSeparator: \.isNewline).last ?? "\(report.exit ?? exit)"[...]
            return SpawnFailure(
                code: ECHILD,
                message: "cannot start \(command.executable) in its sandbox: \(words)"
            )
        case nil:
            let message = "cannot start \(command.executable): the launcher ended with \(exit)"
            return SpawnFailure(code: ECHILD, message: message)
        }
    }

    private func closeStreams() {
        for stream in [input, output, errors] { stream.close() }
        status?.close()
    }
}

/// Passes on what one of a child's pipes says; keeps the child alive while the pipe is open.
private final class PipeReader: ByteStreamDelegate {
    private let child: Child
    private let pipe: Child.Pipe

    init(_ child: Child, _ pipe: Child.Pipe) {
        self.child = child
        self.pipe = pipe
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: ByteStream) { child.received(bytes, from: pipe) }

    func streamEnded(_ failure: IOFailure?, on stream: ByteStream) { child.ended(pipe) }

    func streamDrained(on stream: ByteStream) { child.inputDrained() }
}
