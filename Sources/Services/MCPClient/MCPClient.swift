// Gatehouse. SPDX-License-Identifier: MIT

package import Children
package import Egress
package import EventLoop
package import HTTPClient
package import JSON
import JSONRPC
import MCPCore
package import StdioFraming

/// Where a server is.
package enum ServerTarget {
    /// At a URL, reached with these headers besides the protocol's own.
    case http(url: String, fields: [HTTPField] = [])
    /// In a process that is started for this client; without a framing, both are tried.
    case process(ChildCommand, ChildSpawner, framing: Framing? = nil)
}

/// What a server tells without being asked.
package enum ClientEvent {
    /// A notification, other than progress of a request.
    case notification(method: String, params: JSONValue)
    /// A call has become a task, or its task is in another state: the id, a word, and perhaps more for people.
    case task(id: String, status: String, message: String?)
    /// Text for people: what a process writes to its standard error.
    case diagnostics([UInt8])
    /// Something was wrong and was dealt with.
    case warning(String)
}

/// A client of one MCP server, in either era, over pipes or HTTP.
///
/// It starts with `connect`, which finds out the era; requests may follow once that has succeeded. It ends with `close`,
/// or by itself when the process it talks to ends. It belongs to one loop and is used on that thread only.
///
/// A call is carried to its end whatever the era: the server's questions are put to `onRequest`, be they requests of a
/// session, rounds of one call, or inputs of a task.
package final class MCPClient {
    /// What a client may be told.
    package struct Options {
        /// Which era to speak.
        package var era = EraPreference.auto
        /// Who the client says it is, and what it can be asked.
        package var identity: ClientIdentity
        /// Milliseconds for each step of connecting.
        package var connectTimeout: UInt64 = 30_000
        /// Milliseconds for each request, from its last sign of progress on; nil for no limit.
        ///
        /// The time that somebody takes to answer a question does not count.
        package var requestTimeout: UInt64? = 60_000
        /// Milliseconds for a whole call, whatever progress it makes.
        package var longestCall: UInt64 = 3_600_000
        /// The largest message of the server, in bytes; a larger one ends the request, or the pipe.
        package var messageLimit = 16 << 20
        /// What the URL may reach: anything, since whoever makes a client names it.
        package var egress = EgressRules.anywhere
        /// How a server behind a URL is reached.
        package var binding = HTTPBinding.found
        /// How many calls may be under way; more fail at once.
        package var callLimit = 1000
        /// How many questions may wait for their answers; more are refused.
        package var questionLimit = 100

        /// Makes the defaults.
        package init(identity: ClientIdentity) { self.identity = identity }
    }

    /// Is told what no request asked for.
    package var onEvent: (ClientEvent) -> Void = { _ in }
    /// Is given what the server asks; nil refuses all but `ping`.
    ///
    /// Several may be open at once.
    package var onRequest: ((ServerQuestion) -> Void)?
    /// What the server said about itself, once connected.
    package internal(set) var server: ServerDescription?

    /// Whether the server turned out to be one of HTTP+SSE.
    package var usesEventStream: Bool { transport is EventStreamTransport }

    let loop: EventLoop
    let target: ServerTarget
    let options: Options
    var conversation: Conversation<MCPCall>
    var transport: (any ClientTransport)?
    /// The framing that the server's process was found to use.
    var framing: Framing?
    var negotiation: EraNegotiation
    /// The request of the handshake that waits, and who is told of the end of it.
    var handshake: MCPCall?
    var onConnected: ((Result<ServerDescription, MCPClientError>) -> Void)?
    var catalog = ToolCatalog()
    /// Calls that have not ended, by their serial number.
    private(set) var calls: [Int: MCPCall] = [:]
    private var nextSerial = 0
    /// How many sessions there have been, whether the next one is being opened, and what waits for it.
    var session = 0
    var isRenewing = false
    var waiting: [MCPCall] = []
    /// What a legacy server has asked and was not answered, by the id of its request.
    var questions: [String: ServerQuestion] = [:]
    var subscriptions: [MCPSubscription] = []
    /// How many subscriptions want each resource of a legacy server.
    var watched: [String: Int] = [:]
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
        if case .process(_, _, let framing) = target {
            isProcess = true
            self.framing = framing
        }
        negotiation = EraNegotiation(options.era, isProcess: isProcess, binding: options.binding)
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
        call.timeout = options.requestTimeout
        start(call)
        return call
    }

    /// Tells the server something.
    package func notify(_ method: String, _ params: JSONValue = .null) {
        transport?.send(conversation.notification(method, params))
    }

    /// From now on, the server should send log messages from this level on, or none; in the legacy era it is asked to.
    package func setLogLevel(
        _ level: String?,
        completion: @escaping (Result<JSONValue, MCPClientError>) -> Void = { _ in }
    ) {
        conversation.setLogLevel(level)
        guard let level, server?.era == .legacy else { return loop.onNextTurn { completion(.success([:])) } }
        request(Method.setLevel.rawValue, ["level": .string(level)], completion: completion)
    }

    /// Ends: what waits is cancelled, a session is closed, a process is stopped.
    package func close(_ completion: @escaping () -> Void) {
        isClosed = true
        onRetired = { [self] in
            // Whoever listened may hold the client in turn.
            onEvent = { _ in }
            onRequest = nil
            completion()
        }
        retire()
        failAll(.cancelled)
        if retiring == 0 { loop.onNextTurn { self.onRetired.take()?() } }
    }

    /// Parts with the transport, in order.
    func retire() {
        guard let retired = transport.take() else { return }
        if let found = (retired as? StdioTransport)?.framing { framing = found }
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

    /// Begins a call; where that is not possible, it ends on the next turn.
    func start(_ call: MCPCall) {
        call.client = self
        call.serial = nextSerial
        call.began = loop.now
        nextSerial += 1
        let isFull = calls.count >= options.callLimit
        guard transport != nil, !isClosed, !isFull else {
            let reason = isFull ? "too many calls are under way" : "the client is not connected"
            return loop.onNextTurn { call.finish(.failure(.ended(reason))) }
        }
        calls[call.serial] = call
        send(call)
    }

    /// Puts a call on the wire, under a new id; while a session is being opened, it waits for that.
    func send(_ call: MCPCall) {
        guard call.isOpen else { return }
        guard let transport else { return call.finish(.failure(.ended("the client is not connected"))) }
        guard !isRenewing || call.isHandshake else { return waiting.append(call) }
        let message = conversation.ask(
            call.method,
            call.sent,
            wantsProgress: call.onProgress != nil,
            mirrored: transport.mirrorsHeaders ? catalog.headers(of: call) : nil,
            caller: call
        )
        call.id = message.id
        call.session = session
        restartTimer(call)
        transport.send(message)
    }

    /// Gives the server its time anew, as long as the call may go on at all.
    func restartTimer(_ call: MCPCall) {
        guard let timeout = call.timeout else { return }
        if call.timer == nil {
            call.timer = LoopTimer(loop) { [weak self, weak call] in
                guard let self, let call else { return }
                // A question that waits is somebody else's delay, and a session's questions name no call.
                if !self.questions.isEmpty, self.left(call) > 0 { return self.restartTimer(call) }
                self.abandon(call, .timedOut)
            }
        }
        call.timer?.schedule(after: min(timeout, left(call)))
    }

    /// Leaves a call that waits for people all the time that is left to it.
    func giveTime(_ call: MCPCall) {
        call.stopTimer()
        call.timer = LoopTimer(loop) { [weak self, weak call] in
            guard let self, let call else { return }
            self.abandon(call, .timedOut)
        }
        call.timer?.schedule(after: left(call))
    }

    /// Milliseconds that a call may still take.
    func left(_ call: MCPCall) -> UInt64 {
        let spent = loop.now - min(call.began, loop.now)
        return options.longestCall - min(spent, options.longestCall)
    }

    /// Gives a call up, and tells the server so where its era and transport have a way for that.
    func abandon(_ call: MCPCall, _ reason: MCPClientError) {
        guard call.isOpen else { return }
        waiting.removeAll { $0 === call }
        if let task = call.task.take() { return cancel(task, of: call, reason) }
        if let id = call.id, conversation.remove(id) != nil {
            // Closing the stream is the way of the modern era over HTTP; a handshake cannot be cancelled.
            let isByStream = conversation.revision.era == .modern && transport?.mirrorsHeaders == true
            if !isByStream, call.method != Method.initialize.rawValue {
                notify(
                    Method.cancelled.rawValue,
                    ["requestId": .number(String(id)), "reason": .string("\(reason)")]
                )
            }
            transport?.abandon(id)
        }
        call.finish(.failure(reason))
    }

    /// Gives up all calls that are under way; subscriptions go on.
    ///
    /// False if there were none.
    @discardableResult
    package func cancelCalls() -> Bool {
        let open = calls.values.filter { $0.onNotice == nil && !$0.isHandshake }
        for call in open.sorted(by: { $0.serial < $1.serial }) { call.cancel() }
        return !open.isEmpty
    }

    /// A call has ended.
    func forget(_ call: MCPCall) { calls[call.serial] = nil }

    func failAll(_ error: MCPClientError) {
        _ = conversation.removeAll()
        waiting = []
        isRenewing = false
        for question in questions.values { question.withdraw() }
        questions = [:]
        for call in calls.values.sorted(by: { $0.serial < $1.serial }) { call.finish(.failure(error)) }
        endSubscriptions(error)
    }
}
