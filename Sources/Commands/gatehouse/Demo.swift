// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Bytes
import Glibc
import JSON
import StdioFraming

/// `gatehouse demo`: a small MCP server on standard input and output, to try a gateway without a network.
///
/// It speaks both eras. It starts at once, answers one message after the other, and ends when its input does.
enum Demo {
    private static let usage = """
        A small MCP server on standard input and output, to try a gateway with.

        Usage: gatehouse demo

        It has three tools (echo, add, now) and one resource (demo://about), and speaks every revision of MCP.
        """

    /// The most bytes of one message.
    private static let limit = 16 << 20

    static func run(arguments: [String]) -> Int32 {
        guard arguments.isEmpty else {
            guard arguments == ["--help"] || arguments == ["-h"] else {
                Terminal.say("gatehouse demo: it takes no arguments; see gatehouse demo --help")
                return 2
            }
            print(usage)
            return 0
        }
        var server = DemoServer()
        var reader = FrameReader(framing: .newline, limit: limit)
        var input: [UInt8] = []
        while let more = readInput() {
            input.append(contentsOf: more)
            var position = 0
            reading: while true {
                switch reader.next(input.span, from: &position) {
                case .message(let range): respond(server.receive(input.span.extracting(range)))
                case .skip: respond(DemoServer.unreadable)
                case .needMore: break reading
                case .tooLong:
                    Terminal.say("gatehouse demo: a message is too long")
                    return 1
                }
            }
            input.removeFirst(position)
        }
        return 0
    }

    /// What has come; nil at the end of the input.
    private static func readInput() -> [UInt8]? {
        let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            repeat { count = read(0, buffer.baseAddress, buffer.count) } while count < 0 && errno == EINTR
            count = max(count, 0)
        }
        return bytes.isEmpty ? nil : bytes
    }

    private static func respond(_ message: JSONValue?) {
        guard let message else { return }
        var frame: [UInt8] = []
        FrameWriter.append(message.text().span, framing: .newline, to: &frame)
        frame.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let count = write(1, bytes.baseAddress?.advanced(by: written), bytes.count - written)
                if count < 0, errno != EINTR { return }
                written += max(count, 0)
            }
        }
    }
}
