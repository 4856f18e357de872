// Gatehouse. SPDX-License-Identifier: MIT

import Dispatch
import Glibc
import JSON
import MCPServer
import Testing

/// A server at the ends of two pipes.
@Suite(.timeLimit(.minutes(5)))
struct StdioTests {
    /// The client's ends.
    let toServer: Int32
    let fromServer: Int32
    private let input: Int32
    private let output: Int32

    init() throws {
        signal(SIGPIPE, SIG_IGN)
        var first: [Int32] = [-1, -1]
        var second: [Int32] = [-1, -1]
        try #require(pipe(&first) == 0 && pipe(&second) == 0)
        (input, toServer) = (first[0], first[1])
        (fromServer, output) = (second[0], second[1])
    }

    /// Serves until it ends, and closes the server's ends.
    func serve(_ server: MCPServer) -> Task<Void, Never> {
        let (input, output) = (input, output)
        return Task(name: "server") {
            await server.serve(input: input, output: output)
            close(input)
            close(output)
        }
    }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.write(toServer, bytes, bytes.count)
    }

    /// Everything until the server closes its end.
    func readAll() async -> [String] {
        let fromServer = fromServer
        let bytes = await blocking {
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65536)
            while case let count = read(fromServer, &chunk, chunk.count), count > 0 {
                bytes += chunk[..<count]
            }
            return bytes
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Runs what may block where no other task waits for the thread.
    func blocking<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: body()) }
        }
    }

    static let ping = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#
    static let pong = #"{"jsonrpc":"2.0","id":1,"result":{}}"#

    @Test
    func `Messages come by lines, in whatever pieces, until the end of input`() async {
        let server = serve(makeServer())
        write(Self.ping + "\r\n\n" + String(Self.ping.prefix(10)))
        write(String(Self.ping.dropFirst(10)) + "\nhello\n")
        close(toServer)
        await server.value
        let lines = await readAll()
        #expect(lines.count == 3)
        #expect(lines.prefix(2) == [Self.pong, Self.pong])
        #expect(lines.last?.contains("-32700") == true)
        close(fromServer)
    }

    @Test
    func `Calls that run at the end of input are still answered`() async {
        let gate = Gate()
        let server = makeServer(ServerOptions())
        server.addTool(named: "wait") { _, _ in
            try await gate.wait()
            return ToolResult([.text("done")])
        }
        let serving = serve(server)
        write(
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wait","_meta":{"#
                + #""io.modelcontextprotocol/protocolVersion":"2026-07-28","#
                + #""io.modelcontextprotocol/clientCapabilities":{}}}}"# + "\n"
        )
        await gate.arrivals(1)
        close(toServer)
        gate.open()
        await serving.value
        let lines = await readAll()
        #expect(lines.count == 1)
        #expect(lines.first?.contains(#""text":"done""#) == true)
        close(fromServer)
    }

    @Test
    func `A message beyond the limit ends the line, with a word`() async {
        let serving = serve(makeServer(TestWorld().options { $0.limits.messageSize = 100 }))
        write(Self.ping + "\n" + String(repeating: "[", count: 200))
        await serving.value
        let lines = await readAll()
        #expect(lines.count == 2)
        #expect(lines.first == Self.pong)
        #expect(lines.last?.contains("-32600") == true)
        close(toServer)
        close(fromServer)
    }

    @Test
    func `A client that does not read is left`() async {
        let server = makeServer(
            TestWorld().options {
                $0.limits.pendingOutput = 100_000
                // Nothing is waited for.
                $0.environment.sleep = { _ in }
            }
        )
        let serving = serve(server)
        let list = #"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"# + "\n"
        write(
            #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","#
                + #""capabilities":{}}}"# + "\n"
        )
        let toServer = toServer
        await blocking {
            let bytes = Array(list.utf8)
            // Until nobody reads any more.
            while Glibc.write(toServer, bytes, bytes.count) > 0 {}
        }
        await serving.value
        close(toServer)
        close(fromServer)
    }

    @Test
    func `Cancelling the task ends the line`() async {
        let serving = serve(makeServer())
        write(Self.ping + "\n")
        let fromServer = fromServer
        let count = await blocking {
            var chunk = [UInt8](repeating: 0, count: 100)
            return read(fromServer, &chunk, chunk.count)
        }
        #expect(count > 0)
        serving.cancel()
        await serving.value
        close(toServer)
        #expect(await readAll().isEmpty)
        close(fromServer)
    }
}
