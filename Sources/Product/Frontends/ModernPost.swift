// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Bytes
import Configuration
import Diagnostics
import EventLoop
import Gateway
import JSON
import JSONRPC
import MCPCore
import Sessions

/// A modern request that waits for its answer.
///
/// Over HTTP the response is a JSON object if the answer comes first, and becomes an event stream as soon as anything else
/// does. When the client goes away, the call is cancelled.
final class ModernPost: Caller {
    private let context: FrontendContext
    private let port: any ReplyPort
    private let passage: Passage
    private let backend: any Backend
    private let target: ModernConversation
    private let mark: ParametersMark?
    private let tasks: TaskIDs?
    /// Whether the call may become a task.
    var followsTasks = false
    private let started: UInt64
    /// What is to be closed when the call ends.
    private var open: OpenCall?
    private var outlet: (any StreamOutlet)?

    init(
        _ context: FrontendContext,
        _ port: any ReplyPort,
        _ passage: Passage,
        _ backend: any Backend,
        _ target: ModernConversation,
        _ mark: ParametersMark?,
        _ tasks: TaskIDs?,
        _ open: OpenCall
    ) {
        self.open = open
        self.context = context
        self.port = port
        self.passage = passage
        self.backend = backend
        self.target = target
        self.mark = mark
        self.tasks = tasks
        started = context.loop.now
        context.markedBytes += mark?.size ?? 0
    }

    deinit { context.markedBytes -= mark?.size ?? 0 }

    /// The client closed the stream, which cancels (2026-07-28, transports, "Cancellation").
    func vanished(_ id: Int) {
        target.conversation.cancel(id, reason: "The client closed the connection")
        close(.cancelled, id: "")
        release(keeping: false)
    }

    /// The call was not taken on.
    func refused(_ failure: Failure, id: String) {
        close(.failed(failure), id: id)
    }

    private func close(_ end: CallEnd, id: @autoclosure () -> String) {
        guard let open else { return }
        self.open = nil
        context.pipeline.records.close(open, end, id: id())
    }

    // MARK: What comes of the call

    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call) {
        var edits = Edits()
        edits.replace(message.envelope.id, with: call.clientID)
        var needsInput = false
        var status = 200
        var end = message.result.isError ? CallEnd.toolError : .ok
        if message.envelope.kind == .error {
            let code = ErrorCode(message.errorCode ?? ErrorCode.internalError.value)
            if code == .headerMismatch || code == .unsupportedVersion {
                // The server means our request to it, of which this client knows nothing.
                let failure = Failure(
                    .internalError,
                    "The server refused the gateway's request",
                    source: .upstream
                )
                return failed(failure, call)
            }
            status = ModernRules.status(of: code, own: false)
            end = .error(code: code.value)
        } else {
            switch Self.type(message, bytes) {
            case .complete: break
            case .inputRequired where mark != nil && Self.hasProperState(message):
                needsInput = true
                end = .inputRequired
            case .task where call.method == .toolsCall:
                end = .task
                if let failure = made(message, bytes, &edits) { return failed(failure, call) }
            case .unstated:
                edits.prepend(
                    call.resultStart ?? Self.completeType,
                    toObject: message.envelope.result,
                    of: bytes
                )
            case .unknown, .inputRequired, .task:
                return failed(
                    Failure(.internalError, "The server's result is of an unknown type", source: .upstream),
                    call
                )
            }
            edit(message, bytes, call, needsInput, &edits)
            if call.method == .toolsList, message.result.tools.isPresent {
                let tools = bytes.extracting(message.result.tools.range)
                backend.learnTools(tools)
                context.pipeline.records.learnTools(tools, of: backend.name)
            }
        }
        close(end, id: call.clientID)
        send(message, bytes, edits, status: status, isLast: true)
        release(keeping: needsInput)
    }

    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call) {
        var edits = Edits()
        guard call.method != .listen || TaskIDs.rewrite(message, bytes, tasks, &edits) else {
            return context.log.debug("\(backend.name): told a listener of a task that it did not name")
        }
        if message.params.progressToken.isPresent, let token = call.progressToken {
            edits.replace(message.params.progressToken, with: token)
        }
        if message.params.meta.subscriptionID.isPresent {
            edits.replace(message.params.meta.subscriptionID, with: call.clientID)
        }
        _ = stream(call)
        send(message, bytes, edits, status: 200, isLast: false)
    }

    func failed(_ failure: Failure, _ call: Call) {
        close(.failed(failure), id: call.clientID)
        if let outlet {
            var text: [UInt8] = []
            failure.append(id: call.clientID, to: &text)
            outlet.send(event: nil, text.span)
            outlet.finish()
        } else {
            let status =
                failure.code == .internalError ? 502 : ModernRules.status(of: failure.code, own: true)
            let refusal = failure.retryAfter == nil ? Refusal(status, failure) : Refusal(failure)
            port.refuse(refusal, id: call.clientID)
        }
        release(keeping: false)
    }

    func cancelled(_ call: Call) {
        close(.cancelled, id: call.clientID)
        port.abort()
    }

    /// A subscription ends with its result (2026-07-28, "Subscriptions"); anything else may still be answered.
    func stopping(_ call: Call) {
        guard call.method == .listen else { return }
        let key = "\(MetaKey.subscriptionID)"
        let result = #"{"resultType":"complete","_meta":{"\#(key)":\#(call.clientID)}}"#
        let text = #"{"jsonrpc":"2.0","id":\#(call.clientID),"result":\#(result)}"#
        target.conversation.cancel(call.id, reason: "The gateway is stopping")
        close(.ok, id: call.clientID)
        let outlet = stream(call)
        outlet.send(event: nil, Array(text.utf8).span)
        outlet.finish()
    }

    func stillWaiting(_ call: Call, now: UInt64) {
        guard now - started >= context.timeouts.heartbeat.wholeMilliseconds / 2 else { return }
        stream(call).sendHeartbeat()
    }

    // MARK: Writing

    private static let completeType = Array(#""resultType":"complete""#.utf8)

    private enum ResultType {
        case complete
        case inputRequired
        case task
        case unstated
        case unknown
    }

    /// Whether the server's own state, if it gave one, is a string.
    private static func hasProperState(_ message: Message) -> Bool {
        message.result.requestState.isPresent == message.result.requestStateValue.isPresent
    }

    private static func type(_ message: Message, _ bytes: Span<UInt8>) -> ResultType {
        guard message.result.hasType else { return .unstated }
        let type = message.result.type
        if bytes.equals(type, "complete") { return .complete }
        if bytes.equals(type, "input_required") { return .inputRequired }
        return bytes.equals(type, "task") ? .task : .unknown
    }

    /// The server made a task of the call: seals its id, and keeps the conversation for as long as the task may live.
    private func made(_ message: Message, _ bytes: Span<UInt8>, _ edits: inout Edits) -> Failure? {
        guard followsTasks else {
            return Failure(
                .internalError,
                "The server made a task of the call, though the client did not declare that it can follow one",
                source: .upstream
            )
        }
        guard let task = TasksExtension.task(in: message.envelope.result, bytes),
            let id = bytes.string(task.id)
        else {
            return Failure(.internalError, "The server made a task without an id", source: .upstream)
        }
        edits.replace(task.id.quoted, with: sealed(id))
        // Its process stays for it, though nobody may call meanwhile.
        let lifetime = task.lifetime.map { UInt64(clamping: $0) } ?? TaskIDs.longestLife
        target.conversation.keep(for: min(lifetime, TaskIDs.longestLife))
        return nil
    }

    /// A task's id for the client, as a JSON string.
    private func sealed(_ id: [UInt8]) -> [UInt8] {
        let seal = TaskSeal(context.sealer, server: backend.name, principal: passage.principal)
        return TaskIDs.quoted(tasks?.client(id) ?? seal.seal(id, instance: target.instance))
    }

    /// Puts what belongs to a hop into the client's.
    private func edit(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ call: Call,
        _ needsInput: Bool,
        _ edits: inout Edits
    ) {
        if call.method.isPaginated, let cursor = bytes.string(message.result.nextCursor) {
            let seal = CursorSeal(
                context.sealer,
                server: backend.name,
                principal: passage.principal,
                method: call.method
            )
            edits.replace(message.result.nextCursor.quoted, with: seal.seal(cursor))
        }
        if message.result.meta.subscriptionID.isPresent {
            edits.replace(message.result.meta.subscriptionID, with: call.clientID)
        }
        if call.method == .discover, message.result.supportedVersions.isPresent {
            // The server may speak more than we do towards this client.
            edits.replace(message.result.supportedVersions, with: #"["\#(Revision.modern.rawValue)"]"#)
        }
        if call.method.isAboutTask, let task = TasksExtension.task(in: message.envelope.result, bytes),
            let id = bytes.string(task.id)
        {
            edits.replace(task.id.quoted, with: sealed(id))
        }
        guard needsInput, let mark else { return }
        let state = RequestState(instance: target.instance, inner: bytes.string(message.result.requestState))
        let sealed = state.sealed(
            context.sealer,
            server: backend.name,
            principal: passage.principal,
            digest: mark.digest,
            expires: context.loop.now + context.timeouts.requestState.wholeMilliseconds
        )
        if message.result.requestState.isPresent {
            edits.replace(message.result.requestState.quoted, with: sealed)
        } else {
            edits.prepend(
                Array(#""requestState":"#.utf8) + sealed,
                toObject: message.envelope.result,
                of: bytes
            )
        }
    }

    /// The event stream, begun if it was not.
    private func stream(_ call: Call) -> any StreamOutlet {
        if let outlet { return outlet }
        // The call itself knows its caller, which would keep itself for ever.
        let id = call.id
        let opened = port.openStream { [weak self] in self?.vanished(id) }
        outlet = opened
        return opened
    }

    private func send(_ message: Message, _ bytes: Span<UInt8>, _ edits: Edits, status: Int, isLast: Bool) {
        guard let outlet else {
            return port.relay(status, bytes, edits)
        }
        var text: [UInt8] = []
        edits.apply(to: bytes, onOneLine: message.envelope.hasLineBreaks, into: &text)
        outlet.send(event: nil, text.span)
        if isLast { outlet.finish() }
    }

    /// Lets go of a conversation that was opened for this call, unless another round is to reach it.
    private func release(keeping: Bool) {
        guard target.isForOneCall else { return }
        target.conversation.end(after: keeping ? context.timeouts.requestState.wholeMilliseconds : 0)
    }
}
