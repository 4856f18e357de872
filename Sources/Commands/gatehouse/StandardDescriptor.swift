// Gatehouse. SPDX-License-Identifier: MIT

import Dispatch
import EventLoop
import FoundationEssentials
import Glibc

/// Standard input or output as a descriptor that the loop can wait for.
///
/// A pipe or a terminal is opened anew, so that what the loop sets on it does not change it for the programs that share it.
/// A file or a device cannot be waited for: a thread copies between it and a pipe, until the input or the pipe ends.
struct StandardDescriptor: Sendable {
    /// The descriptor, for who takes it over.
    let descriptor: Int32
    /// Opens when everything was copied; nil where nothing is.
    private let isCopied: DispatchSemaphore?

    /// Seconds for which the last of the output is waited for.
    private static let patience = 5.0

    /// Makes one.
    ///
    /// - Parameters:
    ///   - number: 0 or 1.
    ///   - isInput: Whether it is read.
    /// - Throws: Why it cannot be used.
    init(_ number: Int32, isInput: Bool) throws(IOFailure) {
        var status = stat()
        guard fstat(number, &status) == 0 else {
            throw IOFailure(operation: "use standard \(isInput ? "input" : "output")", code: errno)
        }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFIFO || kind == S_IFSOCK || isatty(number) == 1 else {
            (descriptor, isCopied) = try Self.copying(number, isInput: isInput)
            return
        }
        let mode = isInput ? O_RDONLY : O_WRONLY
        let opened = open("/proc/self/fd/\(number)", mode | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        descriptor = opened >= 0 ? opened : fcntl(number, F_DUPFD_CLOEXEC, 3)
        isCopied = nil
        guard descriptor >= 0 else { throw IOFailure(operation: "open standard streams", code: errno) }
    }

    /// Waits until what was written is where it belongs, for a while.
    func finish() {
        _ = isCopied?.wait(timeout: .now() + Self.patience)
    }

    private static func copying(
        _ number: Int32,
        isInput: Bool
    ) throws(IOFailure) -> (Int32, DispatchSemaphore) {
        var pipe: [Int32] = [-1, -1]
        guard Glibc.pipe(&pipe) == 0 else { throw IOFailure(operation: "make a pipe", code: errno) }
        // A process that is started must hold neither end.
        for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (source, target) = isInput ? (number, pipe[1]) : (pipe[0], number)
        let isCopied = DispatchSemaphore(value: 0)
        DispatchQueue(label: "standard streams").async {
            copy(source, target)
            close(isInput ? target : source)
            isCopied.signal()
        }
        return (isInput ? pipe[0] : pipe[1], isCopied)
    }

    private static func copy(_ source: Int32, _ target: Int32) {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(source, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0, write(chunk[..<count], target) else { return }
        }
    }

    private static func write(_ bytes: ArraySlice<UInt8>, _ target: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(target, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
