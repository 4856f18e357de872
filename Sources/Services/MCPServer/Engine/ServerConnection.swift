// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import JSON
import JSONRPC

/// One client's line to a server: message texts in, message texts out, in both eras of MCP.
///
/// It begins when it is made. Handlers run as tasks, which end when they are done, when the client takes the request
/// back, or when the line is closed; a parked call and a task that nobody asks for any more end when their time is over.
/// It ends with `close()`, or when nobody holds it any more. Any thread may use it.
public final class ServerConnection: Sendable {
    /// What it is a line to.
    public let server: MCPServer
    private let send: @Sendable (_ message: [UInt8], _ request: String?) -> Void
    private let state: Locked<State>

    private struct State {
        var machine: ConnectionMachine
        /// What must be done, in order.
        var pending: [ConnectionMachine.Action] = []
        /// Whether a thread is doing it.
        var isActing = false
        /// The handlers that have not ended, with their tasks once they have begun.
        var handlers: [Int: Task<Void, Never>?] = [:]
        /// The askers, by the number of what they asked.
        var askers: [Int: Asker] = [:]
        var nextAsk = 1
        var timer: Task<Void, Never>?
        var isIdle = false
        var idleWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private enum Asker {
        case waiting(CheckedContinuation<[String: JSONValue], any Error>)
        /// Cancelled before it waited.
        case cancelled
    }

    /// Opens a line.
    ///
    /// - Parameters:
    ///   - server: What answers.
    ///   - send: Takes what is sent, one message at a time and in order, on any thread; it must not wait. `request` is
    ///     the id of the client's request that the message belongs to, as the client wrote it: an answer, progress, a
    ///     log message, a question, a notification of a subscription. It is nil for what belongs to the whole session.
    public init(
        to server: MCPServer,
        send: @escaping @Sendable (_ message: [UInt8], _ request: String?) -> Void
    ) {
        self.server = server
        self.send = send
        state = Locked(
            State(
                machine: ConnectionMachine(
                    info: server.info,
                    instructions: server.instructions,
                    options: server.options
                )
            )
        )
        server.attach(self)
    }

    deinit {
        server.detach(ObjectIdentifier(self))
        let (handlers, timer) = state.withLock { ($0.handlers.values.compactMap { $0 }, $0.timer) }
        for handler in handlers { handler.cancel() }
        timer?.cancel()
    }

    /// Takes a message from the client.
    ///
    /// Whatever it is, it does no harm: what is no message is answered with an error. After `close()` it is ignored.
    public func receive(_ message: [UInt8]) {
        let registry = server.registry
        perform { $0.receive(message, registry, now: $1) }
    }

    /// Takes a request back for the client, as `notifications/cancelled` does.
    ///
    /// - Parameter request: Its id, as JSON text.
    public func cancel(request: String) {
        let bytes = Array(request.utf8)
        guard let id = (try? JSONValue(bytes.span)).flatMap(RequestID.init) else { return }
        perform { machine, _ in machine.cancel(request: id) }
    }

    /// Ends the subscriptions, lets calls run on for the time that the options give, and closes.
    ///
    /// What is parked or a task ends with the line.
    public func finish() async {
        perform { $0.finish(by: $1 &+ self.server.options.shutdownGrace) }
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if !state.isIdle { state.idleWaiters.append(continuation) }
                return state.isIdle
            }
            if isIdle { continuation.resume() }
        }
        close()
    }

    /// Closes the line: handlers are cancelled, questions end, nothing more is sent.
    ///
    /// Again is no mistake. A message that another thread is handing over at this moment may still come.
    public func close() {
        server.detach(ObjectIdentifier(self))
        let timer = state.withLock { state in
            state.pending.removeAll { $0.isSending }
            return state.timer.take()
        }
        timer?.cancel()
        perform { machine, _ in machine.close() }
    }

    func tell(_ event: ServerEvent) {
        perform { machine, _ in machine.tell(event) }
    }

    /// Looks at the time, which the timer does too.
    package func tick() {
        perform { $0.tick($1) }
    }

    // MARK: What handlers do

    func reportProgress(_ job: Int, _ progress: Double, _ total: Double?, _ message: String?) {
        perform { machine, _ in machine.progress(job, progress, total, message) }
    }

    func log(_ job: Int, _ level: LogLevel, _ data: JSONValue, _ logger: String?) {
        perform { machine, _ in machine.log(job, level, data, logger) }
    }

    func becomeTask(_ job: Int) -> Bool {
        perform { $0.becomeTask(job, now: $1) }
    }

    func ask(_ job: Int, _ questions: [InputRequest]) async throws -> [String: JSONValue] {
        let number = state.withLock { state in
            defer { state.nextAsk &+= 1 }
            return state.nextAsk
        }
        defer { state.withLock { $0.askers[number] = nil } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                change { state, now in
                    if case .cancelled = state.askers[number] {
                        state.pending.append(.answer(number, .failure(CancellationError())))
                    } else {
                        state.machine.ask(job, number, questions, now: now)
                    }
                    state.askers[number] = .waiting(continuation)
                }
            }
        } onCancel: {
            change { state, _ in
                if case .waiting = state.askers[number] {
                    state.machine.withdraw(ask: number)
                } else {
                    state.askers[number] = .cancelled
                }
            }
        }
    }

    // MARK: Doing what the machine says

    /// Lets the machine decide, and does what it says.
    @discardableResult
    private func perform<R>(_ body: (inout ConnectionMachine, _ now: Int) -> R) -> R {
        change { state, now in body(&state.machine, now) }
    }

    /// Changes the state, and does what follows from that, in order and outside of the lock.
    @discardableResult
    private func change<R>(_ body: (inout State, _ now: Int) -> R) -> R {
        let now = server.options.environment.now()
        let limit = server.options.limits.pendingMessages
        let (result, acts) = state.withLock { state in
            let result = body(&state, now)
            for action in state.machine.actions {
                if case .sendIfPossible = action, state.pending.count >= limit { continue }
                state.pending.append(action)
            }
            state.machine.actions = []
            let acts = !state.isActing && !state.pending.isEmpty
            if acts { state.isActing = true }
            return (result, acts)
        }
        if acts { act() }
        return result
    }

    private func act() {
        while true {
            let actions = state.withLock { state in
                if state.pending.isEmpty { state.isActing = false }
                return state.pending.take()
            }
            guard !actions.isEmpty else { return }
            for action in actions { perform(action) }
        }
    }

    private func perform(_ action: ConnectionMachine.Action) {
        switch action {
        case .send(let text, let request), .sendIfPossible(let text, let request): send(text, request)
        case .start(let job, let work, let client): start(job, work, client)
        case .cancel(let job): state.withLock { $0.handlers[job] ?? nil }?.cancel()
        case .answer(let ask, let result): answer(ask, result)
        case .sleep(let time): sleep(until: time)
        case .idle:
            let waiters = state.withLock { state in
                state.isIdle = true
                return state.idleWaiters.take()
            }
            for waiter in waiters { waiter.resume() }
        }
    }

    private func start(_ job: Int, _ work: Work, _ client: ClientDescription) {
        let context = RequestContext(JobServices(self, job, client))
        state.withLock { state in _ = state.handlers.updateValue(nil, forKey: job) }
        let task = Task(name: "MCP request") { [weak self] in
            let outcome: Outcome
            do { outcome = .result(try await work.run(context)) } catch { outcome = Outcome(error) }
            self?.ended(job, outcome)
        }
        state.withLock { state in
            if state.handlers.keys.contains(job) { state.handlers[job] = task }
        }
    }

    private func ended(_ job: Int, _ outcome: Outcome) {
        _ = state.withLock { $0.handlers.removeValue(forKey: job) }
        perform { machine, _ in machine.finished(job, outcome) }
    }

    private func answer(_ ask: Int, _ result: Result<[String: JSONValue], any Error>) {
        let asker = state.withLock { $0.askers.removeValue(forKey: ask) }
        guard case .waiting(let continuation) = asker else { return }
        continuation.resume(with: result)
    }

    private func sleep(until time: Int) {
        let sleep = server.options.environment.sleep
        let timer = Task(name: "MCP timer") { [weak self] in
            await sleep(time)
            guard !Task.isCancelled else { return }
            self?.tick()
        }
        let former = state.withLock { state in
            let former = state.timer
            state.timer = timer
            return former
        }
        former?.cancel()
    }
}

extension ConnectionMachine.Action {
    var isSending: Bool {
        switch self {
        case .send, .sendIfPossible: true
        default: false
        }
    }
}

extension RangeReplaceableCollection {
    /// The elements; none are left.
    fileprivate mutating func take() -> Self {
        var elements = Self()
        swap(&elements, &self)
        return elements
    }
}

/// What a handler may do besides answering, handed to the connection for as long as that lives.
private final class JobServices: RequestServices {
    private weak let connection: ServerConnection?
    private let job: Int
    let client: ClientDescription

    init(_ connection: ServerConnection, _ job: Int, _ client: ClientDescription) {
        self.connection = connection
        self.job = job
        self.client = client
    }

    func reportProgress(_ progress: Double, _ total: Double?, _ message: String?) {
        connection?.reportProgress(job, progress, total, message)
    }

    func log(_ level: LogLevel, _ data: JSONValue, _ logger: String?) {
        connection?.log(job, level, data, logger)
    }

    func becomeTask() -> Bool {
        connection?.becomeTask(job) ?? false
    }

    func ask(_ questions: [InputRequest]) async throws -> [String: JSONValue] {
        guard let connection else { throw CancellationError() }
        return try await connection.ask(job, questions)
    }
}
