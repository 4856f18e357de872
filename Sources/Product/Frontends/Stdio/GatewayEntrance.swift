// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import EventLoop
import Gateway
import HTTPServer
import JSONRPC

/// How clients come into a gateway.
package enum GatewayEntrance {
    /// Over HTTP, as many as want to.
    case http
    /// One client, by pipes.
    case pipes(ClientPipes)

    /// After how many milliseconds a session ends; that of a program's own client lasts as long as the program.
    func sessionLifetime(_ timeouts: Timeouts) -> UInt64 {
        switch self {
        case .http: timeouts.sessionLifetime.wholeMilliseconds
        case .pipes: .max
        }
    }
}

/// The pipes of one client.
package struct ClientPipes {
    /// Where its messages come from; taken over.
    let input: Int32
    /// Where ours go; taken over.
    let output: Int32
    /// The server that it wants; nil for the default one.
    let server: String?
    /// Hears, once, that it is not served any more.
    let onEnd: (StdioEnd) -> Void

    /// Names the pipes of a client.
    package init(input: Int32, output: Int32, server: String?, onEnd: @escaping (StdioEnd) -> Void) {
        self.input = input
        self.output = output
        self.server = server
        self.onEnd = onEnd
    }

    /// Begins to serve it.
    func open(_ context: FrontendContext) throws(IOFailure) -> StdioFrontend {
        let passage: Passage
        do throws(Refusal) {
            passage = try context.pipeline.enter(local: server)
        } catch {
            throw IOFailure(operation: "serve: \(error.failure.message)", code: 0)
        }
        let input = try ByteStream(adopting: input, kind: .pipe, loop: context.loop)
        let output = try ByteStream(adopting: output, kind: .pipe, loop: context.loop)
        return StdioFrontend(context, passage, server: server, input: input, output: output, onEnd: onEnd)
    }
}

extension HTTPServer: GatewayFront {
    /// Each request looks for its server anew.
    func reloaded() {}
}
