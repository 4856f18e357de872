// Gatehouse. SPDX-License-Identifier: MIT

import Dispatch
import EventLoop
import FoundationEssentials
import Glibc

/// Lines of standard input, given out on the loop when somebody wants one.
///
/// A thread reads them, since a terminal, a pipe and a file can all be waited for in no other way that leaves them as they
/// were. It starts with the first line that is wanted and reads no further than that needs. It ends with the input, or
/// with the program.
final class LineSource {
    /// Whether somebody types them.
    let isTerminal = isatty(0) == 1
    private let loop: EventLoop
    private let wanted = DispatchSemaphore(value: 0)
    private var handler: ((String?) -> Void)?
    private var isReading = false
    private var hasThread = false
    private var hasEnded = false
    /// A line that nobody waited for any more when it came.
    private var left: [String] = []

    init(_ loop: EventLoop) { self.loop = loop }

    /// Asks for the next line; nil comes at the end of the input.
    ///
    /// A handler that waited before is forgotten.
    func next(_ handler: @escaping (String?) -> Void) {
        self.handler = handler
        if !left.isEmpty || hasEnded { return loop.onNextTurn { [weak self] in self?.giveOut() } }
        guard !isReading else { return }
        isReading = true
        start()
        wanted.signal()
    }

    /// Nobody waits for a line any more; one that comes is kept.
    func cancel() { handler = nil }

    private func giveOut() {
        guard !left.isEmpty || hasEnded, let handler = handler.take() else { return }
        handler(left.isEmpty ? nil : left.removeFirst())
    }

    private func received(_ line: String?) {
        isReading = false
        if let line { left.append(line) } else { hasEnded = true }
        giveOut()
    }

    private func start() {
        guard !hasThread else { return }
        hasThread = true
        let bound = LoopBound(self, loop)
        DispatchQueue(label: "lines").async { [wanted] in
            var reader = LineReader()
            while true {
                wanted.wait()
                let line = reader.next()
                bound.loop.post { bound.value.received(line) }
                guard line != nil else { return }
            }
        }
    }
}

/// Reads lines of standard input, waiting for them.
private struct LineReader {
    /// The longest line, in bytes; a longer one ends the reading.
    private static let limit = 1 << 20
    private var buffer: [UInt8] = []
    private var hasEnded = false

    mutating func next() -> String? {
        while true {
            if let end = buffer.firstIndex(of: 0x0A) {
                var line = buffer[..<end]
                if line.last == 0x0D { line.removeLast() }
                let text = String(decoding: line, as: UTF8.self)
                buffer.removeSubrange(...end)
                return text
            }
            guard !hasEnded, buffer.count <= Self.limit else { return rest() }
            let more = [UInt8](unsafeUninitializedCapacity: 4096) { bytes, count in
                repeat { count = read(0, bytes.baseAddress, bytes.count) } while count < 0 && errno == EINTR
                count = max(count, 0)
            }
            if more.isEmpty { hasEnded = true } else { buffer += more }
        }
    }

    /// What stands after the last line end, once.
    private mutating func rest() -> String? {
        guard hasEnded, !buffer.isEmpty else { return nil }
        defer { buffer = [] }
        return String(decoding: buffer, as: UTF8.self)
    }
}
