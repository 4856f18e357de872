// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Glibc
import JSONRPC
import StdioFraming

extension MCPServer {
    /// Serves the client that started this program, on standard input and output (2026-07-28, transports, "stdio").
    ///
    /// While it runs, what the program prints goes to standard error, so that standard output carries nothing but
    /// messages. It ends when the client closes standard input, does not read what it is sent, or sends a message
    /// beyond the limit; or when the calling task is cancelled. Calls that run then have a short time to end.
    public func serveStdio() async {
        signal(SIGPIPE, SIG_IGN)
        fflush(nil)
        let input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
        let output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
        defer {
            fflush(nil)
            for (copy, original) in [(input, STDIN_FILENO), (output, STDOUT_FILENO)] where copy >= 0 {
                dup2(copy, original)
                close(copy)
            }
        }
        // Without both there is no client.
        guard input >= 0, output >= 0 else { return }
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        if nothing >= 0 {
            dup2(nothing, STDIN_FILENO)
            close(nothing)
        }
        dup2(STDERR_FILENO, STDOUT_FILENO)
        await serve(input: input, output: output)
    }

    /// Serves the client at two descriptors, which stay open.
    package func serve(input: Int32, output: Int32) async {
        let limits = options.limits
        let writer = PipeWriter(output, limit: limits.pendingOutput)
        let reader = PipeReader(input, limit: limits.messageSize)
        let connection = ServerConnection(to: self) { message, _ in
            // A client that does not read is left.
            if !writer.write(message) { reader.stop() }
        }
        let end = await withTaskCancellationHandler {
            await reader.run { connection.receive($0) }
        } onCancel: {
            reader.stop()
        }
        if end == .tooLong {
            var refusal: [UInt8] = []
            let words = "A message has at most \(limits.messageSize) bytes"
            Failure(.invalidRequest, words, source: .client).append(id: nil, to: &refusal)
            _ = writer.write(refusal)
        }
        if end == .stopped { connection.close() } else { await connection.finish() }
        let environment = options.environment
        let patience = environment.now() &+ options.shutdownGrace
        await writer.finish { await environment.sleep(patience) }
    }
}
