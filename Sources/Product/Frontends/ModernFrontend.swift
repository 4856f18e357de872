// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Bytes
import Diagnostics
import EventLoop
import Gateway
import HTTPWire
import JSON
import JSONRPC
import MCPCore
import Sessions

/// Streamable HTTP of the modern era: every POST stands for itself (2026-07-28, transports).
final class ModernFrontend {
    private let context: FrontendContext

    init(_ context: FrontendContext) {
        self.context = context
    }

    /// Takes a message.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - bytes: Its text.
    ///   - head: The head of the request that brought it; nil on a transport without headers.
    ///   - port: Where the answer goes.
    ///   - visit: Who asks, and who hears that they gave up.
    func post(
        _ message: Message,
        _ bytes: Span<UInt8>,
        head: HTTPRequestHead?,
        _ port: any ReplyPort,
        _ visit: Visit
    ) {
        let passage = visit.passage
        let headers: RoutingHeaders? = if let head { Self.headers(head) } else { nil }
        if let failure = ModernRules.check(message, bytes, headers: headers) {
            let refusal = Refusal(ModernRules.status(of: failure.code, own: true), failure)
            return refuse(refusal, message, bytes, port)
        }
        guard message.envelope.kind == .request else {
            // Nothing is defined for notifications here; a cancellation by id would be a guess at someone's call.
            return port.accept()
        }
        do throws(Refusal) {
            try context.pipeline.proceed(message, passage)
            if let backend = passage.backend, !backend.isKnown {
                try context.wait(for: backend, bytes, port) {
                    [weak self] message, bytes throws(Refusal) in
                    try self?.start(message, bytes, head, port, visit)
                } refuse: { [weak self] refusal, message, bytes in
                    self?.refuse(refusal, message, bytes, port)
                }
            } else {
                try start(message, bytes, head, port, visit)
            }
        } catch {
            refuse(error, message, bytes, port)
        }
    }

    private func start(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ head: HTTPRequestHead?,
        _ port: any ReplyPort,
        _ visit: Visit
    ) throws(Refusal) {
        let passage = visit.passage
        guard let backend = passage.backend else { return }
        if let head { try checkParameters(message, bytes, head, backend, passage.principal) }
        let mark = message.method.mayNeedInput ? ParametersMark(message, bytes, room: context.markRoom) : nil
        var edits = Edits()
        let instance = try openState(message, bytes, mark, passage, backend, &edits)
        try openCursor(message, bytes, passage, backend, &edits)
        let tasks = try openTasks(message, bytes, passage, backend)
        do throws(Failure) {
            let target = try backend.modern(
                for: passage.principal,
                instance: instance ?? tasks?.instance
            ) {
                let declared = message.params.meta.clientCapabilities
                return (try? JSONValue(bytes.extracting(declared.range))) ?? .object([])
            }
            tasks?.write(to: target, message.method, &edits)
            let records = context.pipeline.records
            let open = records.open(
                message,
                bytes,
                server: backend.name,
                era: .modern,
                session: nil,
                head: port.head
            )
            open.trace?.write(message, bytes, &edits)
            let post = ModernPost(context, port, passage, backend, target, mark, tasks, open)
            post.followsTasks = message.method == .toolsCall && TasksExtension.isDeclared(by: message, bytes)
            let id: Int
            do throws(Failure) {
                id = try target.conversation.call(message, bytes, from: post, edits: edits)
            } catch {
                post.refused(error, id: bytes.text(message.envelope.id))
                // One that an earlier round opened is still that round's: a bad retry must not take it away.
                let isNew = instance == nil && tasks?.instance == nil
                if target.isForOneCall, isNew { target.conversation.end(after: 0) }
                throw error
            }
            // An answer may have come already.
            if port.isOpen { visit.onVanish = { post.vanished(id) } }
        } catch {
            throw Refusal(error)
        }
    }

    /// Compares `Mcp-Param-…` headers with the arguments that they mirror.
    private func checkParameters(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ head: HTTPRequestHead,
        _ backend: any Backend,
        _ principal: Principal
    ) throws(Refusal) {
        guard message.method == .toolsCall,
            let parameters = backend.headerParameters(
                ofTool: bytes.string(message.params.name),
                for: principal
            )
        else { return }
        let slice = message.params.arguments
        var arguments: JSONValue?
        if slice.isPresent {
            do {
                arguments = try JSONValue(bytes.extracting(slice.range))
            } catch {
                // Of two values of one name, the header would be compared with one and the tool might use the other.
                throw Refusal(400, .invalidParams, "Invalid arguments: \(error.description)")
            }
        }
        let failure = parameters.check(arguments) { header in
            head.values(named: "mcp-param-" + String(decoding: header, as: UTF8.self))
        }
        if let failure { throw Refusal(400, failure) }
    }

    /// Takes the seal off the state of a retry; the server gets its own state back, or none if it gave none.
    private func openState(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ mark: ParametersMark?,
        _ passage: Passage,
        _ backend: any Backend,
        _ edits: inout Edits
    ) throws(Refusal) -> UInt64? {
        guard message.params.requestStateValue.isPresent else { return nil }
        let given = bytes.string(message.params.requestState)
        let state = mark.flatMap { mark in
            given.flatMap { text in
                RequestState(
                    text,
                    context.sealer,
                    server: backend.name,
                    principal: passage.principal,
                    digest: mark.digest,
                    now: context.loop.now
                )
            }
        }
        guard let state else {
            throw Refusal(
                400,
                .invalidParams,
                "requestState is not one that was given for this request, or is too old"
            )
        }
        if let inner = state.inner {
            var text: [UInt8] = []
            text.append(json: inner)
            edits.replace(message.params.requestState.quoted, with: text)
        } else {
            edits.remove(message.params.requestStateName, message.params.requestState.quoted, of: bytes)
        }
        return state.instance
    }

    private func openCursor(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ passage: Passage,
        _ backend: any Backend,
        _ edits: inout Edits
    ) throws(Refusal) {
        guard message.method.isPaginated, message.params.cursorValue.isPresent else { return }
        let seal = CursorSeal(
            context.sealer,
            server: backend.name,
            principal: passage.principal,
            method: message.method
        )
        guard let cursor = bytes.string(message.params.cursor), let inner = seal.open(cursor) else {
            throw Refusal(400, .invalidParams, "Invalid cursor")
        }
        edits.replace(message.params.cursor.quoted, with: inner)
    }

    private func openTasks(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ passage: Passage,
        _ backend: any Backend
    ) throws(Refusal) -> TaskIDs? {
        guard message.method == .listen || message.method.isAboutTask else { return nil }
        let seal = TaskSeal(context.sealer, server: backend.name, principal: passage.principal)
        return try TaskIDs.named(by: message, bytes, seal)
    }

    private static func headers(_ head: HTTPRequestHead) -> RoutingHeaders {
        var headers = RoutingHeaders()
        headers.version = head.value(.mcpProtocolVersion)
        headers.method = head.value(.mcpMethod)
        headers.name = head.value(.mcpName)
        headers.hasDuplicates =
            head.count(.mcpProtocolVersion) > 1 || head.count(.mcpMethod) > 1 || head.count(.mcpName) > 1
        return headers
    }

    private func refuse(
        _ refusal: Refusal,
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ port: any ReplyPort
    ) {
        context.pipeline.records.noteRefusal(refusal.status, refusal.failure.message)
        port.refuse(refusal, id: message.id(in: bytes))
    }
}
