// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON
import JSONRPC
import MCPCore

/// What a server does on one client's line, in both eras, without a clock, a lock or a task.
///
/// It is told what happens (a message, the end of a handler, a question, the time) and leaves what must be done in
/// `actions`. Legacy requests belong to the session that `initialize` opens, modern ones stand for themselves; calls of
/// both are *jobs*: one run of a handler, from its start to its outcome. After `close()` it does nothing any more.
struct ConnectionMachine {
    /// Something for the shell to do, in this order.
    enum Action {
        /// Send a message that belongs to a request of the client, or to none.
        case send([UInt8], request: String?)
        /// Send one that may be dropped if too many wait.
        case sendIfPossible([UInt8], request: String?)
        /// Run a job.
        case start(Int, Work, ClientDescription)
        /// Cancel the task that runs a job.
        case cancel(Int)
        /// Let a question's asker go on.
        case answer(Int, Result<[String: JSONValue], any Error>)
        /// Call `tick` at this time, and forget an earlier such wish.
        case sleep(until: Int)
        /// Whoever waits for the end of all calls need wait no longer.
        case idle
    }

    let info: JSONValue
    let instructions: String?
    let options: ServerOptions
    /// What must be done; the shell takes it away.
    var actions: [Action] = []

    /// The legacy session, from `initialize` on.
    var session: LegacySession?
    /// The jobs whose handlers run, and those that are done but parked.
    var jobs: [Int: Job] = [:]
    /// The jobs that a request waits for.
    var requests: [RequestID: Int] = [:]
    /// The parked jobs by `requestState`.
    var parked: [String: Int] = [:]
    /// When the jobs that wait for answers give up.
    var deadlines: [Int: Int] = [:]
    /// The jobs of unanswered questions, by the question's number.
    var asks: [Int: Int] = [:]
    /// What legacy requests to the client ask for, by their ids.
    var questions: [Int: LegacyQuestion] = [:]
    /// The subscription requests, by id.
    var listens: [RequestID: ListenFilter] = [:]
    /// The tasks by id.
    var tasks: [String: TaskRecord] = [:]
    var isClosed = false

    private var nextJob = 1
    private var nextQuestion = 1
    /// When the shell will call `tick`.
    private var armed: Int?
    /// Until when calls may run on, once the end has been asked for.
    private var finishBy: Int?

    init(info: JSONValue, instructions: String?, options: ServerOptions) {
        self.info = info
        self.instructions = instructions
        self.options = options
    }

    // MARK: Messages

    /// Takes a message from the client, or an array of them where the session's revision has that.
    mutating func receive(_ bytes: [UInt8], _ registry: Registry, now: Int) {
        guard !isClosed else { return }
        expire(now)
        if bytes.first(where: { $0 > UInt8(ascii: " ") }) == UInt8(ascii: "[") {
            receiveBatch(bytes, registry, now)
        } else {
            receive(one: bytes.span, registry, now)
        }
        arm()
    }

    private mutating func receiveBatch(_ bytes: [UInt8], _ registry: Registry, _ now: Int) {
        guard session?.revision.allowsBatches == true, options.eras != .modern else {
            return refuse(
                nil,
                Failure(.invalidRequest, "Arrays of messages are not allowed", source: .client)
            )
        }
        guard let values = (try? JSONValue(bytes.span))?.array, !values.isEmpty else {
            return refuse(
                nil,
                Failure(.invalidRequest, "A batch must be an array of messages", source: .client)
            )
        }
        for value in values {
            let text = value.text()
            receive(one: text.span, registry, now)
        }
    }

    private mutating func receive(one bytes: Span<UInt8>, _ registry: Registry, _ now: Int) {
        guard let message = try? Message(bytes) else {
            return refuse(nil, Failure(.parse, "Parse error", source: .client))
        }
        if message.envelope.hasOutcome, !message.envelope.method.isPresent {
            return receiveAnswer(message, bytes)
        }
        let id = RequestID(message, bytes)
        if let failure = ModernRules.shape(message) { return refuse(id, failure) }
        let params = message.envelope.params
        let value =
            params.isPresent ? (try? JSONValue(bytes.extracting(params.range))) ?? .null : .object([])
        guard let id else { return receiveNotification(message.method, value) }
        guard requests[id] == nil, listens[id] == nil else {
            return refuse(id, Failure(.invalidRequest, "This id is in use", source: .client))
        }
        let request = Incoming(id: id, method: message.method, params: value, now: now)
        if Era.of(message, header: nil) == .modern, options.eras != .legacy {
            receiveModern(request, registry, ModernRules.check(message, bytes, headers: nil))
        } else {
            receiveLegacy(request, registry)
        }
    }

    private mutating func receiveNotification(_ method: Method, _ params: JSONValue) {
        switch method {
        case .cancelled:
            guard let id = params["requestId"].flatMap(RequestID.init) else { return }
            cancel(request: id)
        case .initialized:
            session?.isInitialized = true
        default:
            break
        }
    }

    /// Takes a request back for the client.
    mutating func cancel(request id: RequestID) {
        if let job = requests[id] { cancel(job: job) }
        listens[id] = nil
        arm()
    }

    // MARK: Time, and the end

    /// Looks at the time.
    mutating func tick(_ now: Int) {
        guard !isClosed else { return }
        armed = nil
        expire(now)
        if let finishBy, finishBy <= now {
            self.finishBy = nil
            actions.append(.idle)
        }
        arm()
    }

    /// Asks for a call of `tick` when something is due, and notes the end of the last call.
    mutating func arm() {
        if finishBy != nil, requests.isEmpty {
            finishBy = nil
            actions.append(.idle)
        }
        var next = deadlines.values.min()
        for time in [tasks.values.lazy.map(\.expiry).min(), finishBy] {
            guard let time else { continue }
            next = min(next ?? time, time)
        }
        guard let next, armed.map({ next < $0 }) ?? true else { return }
        armed = next
        actions.append(.sleep(until: next))
    }

    /// Ends the subscriptions with their results and lets calls run on for a while; `idle` says when that is over.
    mutating func finish(by time: Int) {
        guard !isClosed else { return actions.append(.idle) }
        endListens()
        finishBy = time
        arm()
    }

    /// Ends everything: every handler is cancelled, every question ends, nothing is sent any more.
    mutating func close() {
        guard !isClosed else { return }
        isClosed = true
        for id in jobs.keys.sorted() { cancel(job: id) }
        actions.removeAll { $0.isSending }
        listens = [:]
        tasks = [:]
        session = nil
        actions.append(.idle)
    }

    // MARK: Numbers

    mutating func makeJobNumber() -> Int {
        defer { nextJob &+= 1 }
        return nextJob
    }

    mutating func makeQuestionNumber() -> Int {
        defer { nextQuestion &+= 1 }
        return nextQuestion
    }
}

/// A request that came in.
struct Incoming {
    var id: RequestID
    var method: Method
    var params: JSONValue
    var now: Int

    /// The token for progress, if it is one.
    var progressToken: JSONValue? {
        guard let token = params["_meta"]?["progressToken"] else { return nil }
        return token.string != nil || token.integer != nil ? token : nil
    }
}

/// The id of a request of the client.
struct RequestID: Hashable {
    /// As the client wrote it.
    let text: String
    /// The same for all ways to write it.
    private let key: String

    /// The id of a message; nil if it has none.
    init?(_ message: Message, _ bytes: Span<UInt8>) {
        guard message.envelope.id.isPresent else { return nil }
        text = bytes.text(message.envelope.id)
        let value = try? JSONValue(bytes.extracting(message.envelope.id.range))
        key = value.map { String(decoding: $0.text(), as: UTF8.self) } ?? text
    }

    /// An id that stands in a message; nil if it can be none.
    init?(_ value: JSONValue) {
        guard value.string != nil || value.integer != nil else { return nil }
        text = String(decoding: value.text(), as: UTF8.self)
        key = text
    }

    /// The id as a value.
    var value: JSONValue {
        let bytes = Array(key.utf8)
        return (try? JSONValue(bytes.span)) ?? .null
    }

    static func == (left: RequestID, right: RequestID) -> Bool { left.key == right.key }

    func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

/// Who made a request: the session's client, or what a modern request says about its own.
struct Speaker {
    var revision: Revision
    var info: JSONValue?
    var capabilities: JSONValue

    var description: ClientDescription {
        ClientDescription(info: info, capabilities: capabilities, revision: revision.rawValue)
    }

    /// Whether the client declared that it knows tasks.
    var knowsTasks: Bool {
        revision.era == .modern && capabilities["extensions"]?[TaskRecord.identifier]?.members != nil
    }
}
