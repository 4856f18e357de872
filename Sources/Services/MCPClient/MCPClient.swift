// Gatehouse. SPDX-License-Identifier: MIT

package import Children
package import EventLoop
package import HTTPClient
package import JSON
package import JSONRPC
import MCPCore
package import StdioFraming

/// Where a server is.
package enum ServerTarget {
    /// At a URL, reached with these headers besides the protocol's own.
    case http(url: String, fields: [HTTPField] = [])
    /// In a process that is started for this client.
    case process(ChildCommand, ChildSpawner, framing: Framing = .newline)
}

/// What a server tells without being asked.
package enum ClientEvent {
    /// A notification, other than progress of a request.
    case notification(method: String, params: JSONValue)
    /// Text for people: what a process writes to its standard error.
    case diagnostics([UInt8])
    /// Something was wrong and was dealt with.
    case warning(String)
}

/// A client of one MCP server, in either era, over pipes or HTTP.
///
/// It starts with `connect`, which finds out the era; requests may follow once that has succeeded. It ends with `close`,
/// or by itself when the process it talks to ends. It belongs to one loop and is used on that thread only.
package final class MCPClient {
    /// What a client may be told.
    package struct Options {
        /// Which era to speak.
        package var era = EraPreference.auto
        /// Who the client says it is.
        package var identity: ClientIdentity
        /// Milliseconds for each step of connecting.
        package var connectTimeout: UInt64 = 30_000
        /// Milliseconds for each request; nil for no limit.
        package var requestTimeout: UInt64? = 60_000
        /// The largest message of the server, in bytes; a larger one ends the request, or the pipe.
        package var messageLimit = 16 << 20

        /// Makes the defaults.
        package init(identity: ClientIdentity) { self.identity = identity }
    }

    /// Is told what no request asked for.
    package var onEvent: (ClientEvent) -> Void = { _ in }
    /// Answers requests of the server, by calling back once; nil refuses all but `ping`.
    package var onRequest: ((ServerRequest, @escaping (Result<JSONValue, Failure>) -> Void) -> Void)?
    /// What the server said about itself, once connected.
    package internal(set) var server: ServerDescription?

    let loop: EventLoop
    let target: ServerTarget
    let options: Options
    var conversation: Conversation<MCPCall>
    var transport: (any ClientTransport)?
    var negotiation: Negotiation
    /// The request of the handshake that waits, and who is told of the end of it.
    var handshake: MCPCall?
    var onConnected: ((Result<ServerDescription, MCPClientError>) -> Void)?
    var catalog = ToolCatalog()
    private var isClosed = false
    /// Transports that are still ending, and who waits for the last of them.
    private var retiring = 0
    private var onRetired: (() -> Void)?

    /// Makes a client that is not connected.
    package init(_ target: ServerTarget, options: Options, on loop: EventLoop) {
        loop.preconditionCurrent()
        self.loop = loop
        self.target = target
        self.options = options
        conversation = Conversation(.modern, identity: options.identity)
        var isProcess = false
        if case .process = target { isProcess = true }
        negotiation = Negotiation(options.era, isProcess: isProcess)
    }

    /// Asks the server something.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - params: The parameters, an object.
    ///   - onProgress: Is told the parameters of each progress notification; nil asks for none.
    ///   - completion: Is told the end, once, later.
    /// - Returns: The request on its way, to cancel it.
    @discardableResult
    package func request(
        _ method: String,
        _ params: JSONValue = .null,
        onProgress: ((JSONValue) -> Void)? = nil,
        completion: @escaping (Result<JSONValue, MCPClientError>) -> Void
    ) -> MCPCall {
        let call = MCPCall(method, params, onProgress, completion)
        call.client = self
        guard let transport, !isClosed else {
            loop.onNextTurn { call.finish(.failure(.ended("the client is not connected"))) }
            return call
        }
        send(call, over: transport, within: options.requestTimeout)
        return call
    }

    /// Tells the server something.
    package func notify(_ method: String, _ params: JSONValue = .null) {
        transport?.send(conversation.notification(method, params))
    }

    /// Ends: what waits is cancelled, a session is closed, a process is stopped.
    package func close(_ completion: @escaping () -> Void) {
        isClosed = true
        onRetired = completion
        retire()
        failAll(.cancelled)
        if retiring == 0 { loop.onNextTurn { self.onRetired.take()?() } }
    }

    /// Parts with the transport, in order.
    func retire() {
        guard let retired = transport.take() else { return }
        retiring += 1
        retired.delegate = nil
        retired.close(conversation.versionField) {
            // It lives until here.
            _ = retired
            self.retiring -= 1
            if self.retiring == 0 { self.onRetired.take()?() }
        }
    }

    // MARK: Requests on their way

    func send(_ call: MCPCall, over transport: any ClientTransport, within timeout: UInt64?) {
        let mirrored = transport.mirrorsHeaders ? catalog.headers(of: call) : nil
        let message = conversation.ask(
            call.method,
            call.params,
            wantsProgress: call.onProgress != nil,
            mirrored: mirrored,
            caller: call
        )
        call.id = message.id
        if let timeout {
            call.timer = LoopTimer(loop) { [weak self, weak call] in
                guard let self, let call else { return }
                self.abandon(call, .timedOut)
            }
            call.timer?.schedule(after: timeout)
        }
        transport.send(message)
    }

    /// Gives a request up, and tells the server so where its era and transport have a way for that.
    func abandon(_ call: MCPCall, _ reason: MCPClientError) {
        guard let id = call.id, conversation.remove(id) != nil else { return }
        // Closing the stream is the way of the modern era over HTTP; a handshake cannot be cancelled.
        let isByStream = conversation.revision.era == .modern && transport?.mirrorsHeaders == true
        if !isByStream, call.method != "initialize" {
            notify(
                "notifications/cancelled",
                ["requestId": .number(String(id)), "reason": .string("\(reason)")]
            )
        }
        transport?.abandon(id)
        call.finish(.failure(reason))
    }

    func failAll(_ error: MCPClientError) {
        for call in conversation.removeAll() { call.finish(.failure(error)) }
    }
}

/// A request on its way.
package final class MCPCall {
    let method: String
    let params: JSONValue
    let onProgress: ((JSONValue) -> Void)?
    var id: Int?
    var timer: LoopTimer?
    weak var client: MCPClient?
    /// Whether it was sent again since the headers did not fit what the server has now.
    var isRepeated = false
    private var completion: ((Result<JSONValue, MCPClientError>) -> Void)?

    init(
        _ method: String,
        _ params: JSONValue,
        _ onProgress: ((JSONValue) -> Void)?,
        _ completion: @escaping (Result<JSONValue, MCPClientError>) -> Void
    ) {
        self.method = method
        self.params = params
        self.onProgress = onProgress
        self.completion = completion
    }

    /// Gives it up; it ends with `cancelled` unless it has ended already.
    package func cancel() { client?.abandon(self, .cancelled) }

    func finish(_ outcome: Result<JSONValue, MCPClientError>) {
        timer?.close()
        timer = nil
        completion.take()?(outcome)
    }
}
