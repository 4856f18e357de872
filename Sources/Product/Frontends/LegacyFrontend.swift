// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Bytes
import Configuration
import Diagnostics
import EventLoop
import Gateway
import HTTPServer
import HTTPWire
import JSON
import JSONRPC
import MCPCore
import Sessions

/// Streamable HTTP of the legacy era: sessions, event streams by GET, requests both ways (2025-11-25, transports).
final class LegacyFrontend {
    private let context: FrontendContext

    init(_ context: FrontendContext) {
        self.context = context
    }

    // MARK: POST

    func post(_ message: Message, _ bytes: Span<UInt8>, _ exchange: HTTPExchange, _ visit: Visit) {
        let passage = visit.passage
        let port = HTTPReply(exchange: exchange, passage: passage, context: context)
        do throws(Refusal) {
            try checkVersion(exchange.head)
            if let failure = ModernRules.shape(message) { throw Refusal(400, failure) }
            if let sleeping = context.restorer?.find(exchange.head, passage) {
                let kept = [UInt8](bytes)
                return try restore(sleeping, exchange, visit, id: message.id(in: bytes)) { frontend in
                    guard let message = try? Message(kept.span) else { return }
                    frontend.post(message, kept.span, exchange, visit)
                }
            }
            try context.pipeline.proceed(message, passage)
            if message.method == .initialize {
                try initialize(message, bytes, port, visit)
            } else {
                try pass(message, bytes, port, visit, in: try session(exchange.head, passage))
            }
        } catch {
            refuse(error, id: message.id(in: bytes), port)
        }
    }

    /// Takes a message of a client that has one channel, and by it at most one session.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - bytes: Its text.
    ///   - port: Where the answer goes.
    ///   - visit: Who asks, and who hears that they have gone.
    ///   - session: The channel's session, once it is open.
    func take(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ port: any ReplyPort,
        _ visit: Visit,
        in session: Session?
    ) {
        do throws(Refusal) {
            if let failure = ModernRules.shape(message) { throw Refusal(400, failure) }
            try context.pipeline.proceed(message, visit.passage)
            if let session {
                guard message.method != .initialize else {
                    throw Refusal(400, .invalidRequest, "The session has been initialized already")
                }
                try pass(message, bytes, port, visit, in: session)
            } else if message.method == .initialize {
                try initialize(message, bytes, port, visit)
            } else {
                try answerBeforeSession(message, bytes, port)
            }
        } catch {
            refuse(error, id: message.envelope.kind == .request ? message.id(in: bytes) : nil, port)
        }
    }

    /// Before `initialize` only a ping is answered (2025-11-25, lifecycle, "Initialization").
    private func answerBeforeSession(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ port: any ReplyPort
    ) throws(Refusal) {
        guard message.envelope.kind == .request else { return port.accept() }
        guard message.method == .ping else {
            throw Refusal(400, .invalidRequest, "There is no session yet: begin with initialize")
        }
        let id = bytes.text(message.envelope.id)
        port.respond(200, in: nil) { $0.append(#"{"jsonrpc":"2.0","id":\#(id),"result":{}}"#) }
    }

    /// An array of messages, which sessions of 2025-03-26 may send (basic, "Batching").
    func batch(_ bytes: Span<UInt8>, _ exchange: HTTPExchange, _ visit: Visit) {
        let port = HTTPReply(exchange: exchange, passage: visit.passage, context: context)
        do throws(Refusal) {
            try checkVersion(exchange.head)
            if let sleeping = context.restorer?.find(exchange.head, visit.passage) {
                let kept = [UInt8](bytes)
                return try restore(sleeping, exchange, visit, id: nil) { frontend in
                    frontend.batch(kept.span, exchange, visit)
                }
            }
            let header = exchange.head.value(.mcpProtocolVersion).flatMap(Revision.init(bytes:))
            try take(batch: bytes, port, visit, in: header?.era == .modern ? nil : visit.passage.session)
        } catch {
            refuse(error, id: nil, port)
        }
    }

    /// Takes an array of messages, if the session's revision has them.
    func take(
        batch bytes: Span<UInt8>,
        _ port: any ReplyPort,
        _ visit: Visit,
        in session: Session?
    ) throws(Refusal) {
        guard let session, session.revision.allowsBatches else {
            let text = "Invalid request: one message is expected here, not an array of them"
            throw Refusal(400, .invalidRequest, text)
        }
        try pass(batch: bytes, port, visit, in: session)
    }

    private func pass(
        batch bytes: Span<UInt8>,
        _ port: any ReplyPort,
        _ visit: Visit,
        in session: Session
    ) throws(Refusal) {
        var slices: [JSONSlice] = []
        var messages: [Message] = []
        do {
            var reader = JSONReader(bytes)
            var elements = try reader.array()
            while try reader.next(&elements) {
                let slice = try reader.skipValue()
                slices.append(slice)
                messages.append(try Message(bytes.extracting(slice.range)))
            }
            try reader.finish()
        } catch {
            throw Refusal(400, .parse, "Parse error: \(error.description)")
        }
        guard !messages.isEmpty, messages.allSatisfy(Self.mayStandInBatch),
            messages.count <= context.limits.inFlight
        else {
            throw Refusal(
                400,
                .invalidRequest,
                "Invalid request: the array is empty or holds what may not stand in one"
            )
        }
        let conversation = try conversation(of: session)
        let requests = messages.count(where: { $0.envelope.kind == .request })
        if requests > 0 { regain(session) }
        let post = LegacyPost(context, port, session, expecting: requests)
        for (message, slice) in zip(messages, slices) {
            let part = bytes.extracting(slice.range)
            try context.pipeline.proceed(message, visit.passage)
            if session.memory.note(message, part) { context.lasting?.note(session) }
            switch message.envelope.kind {
            case .request: post.send(message, part, to: conversation)
            case .notification: conversation.notify(message, part)
            case .result, .error: answer(message, part, conversation)
            }
        }
        if requests == 0 {
            port.accept()
        } else if port.isOpen {
            visit.onVanish = { post.vanished() }
        }
    }

    /// What a session talks to; it may have ended since the head of the request was read.
    private func conversation(of session: Session) throws(Refusal) -> any Conversation {
        guard !session.hasEnded, let client = session.companion as? LegacyClient else {
            throw Refusal(404, .sessionNotFound, "Session not found")
        }
        session.lastUsed = context.loop.now
        return client.conversation
    }

    /// A server that has died since the last request is followed by another, which has to be told what it was told.
    private func regain(_ session: Session) {
        guard session.hasLostServer else { return }
        (session.companion as? LegacyClient)?.regain()
    }

    private static func mayStandInBatch(_ message: Message) -> Bool {
        message.envelope.defect == nil && message.method != .initialize
            && !message.params.meta.versionValue.isPresent
    }

    private func pass(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ port: any ReplyPort,
        _ visit: Visit,
        in session: Session
    ) throws(Refusal) {
        let conversation = try conversation(of: session)
        if session.memory.note(message, bytes) { context.lasting?.note(session) }
        switch message.envelope.kind {
        case .request:
            regain(session)
            let post = LegacyPost(context, port, session, expecting: 1)
            post.send(message, bytes, to: conversation)
            if port.isOpen { visit.onVanish = { post.vanished() } }
        case .notification:
            conversation.notify(message, bytes)
            port.accept()
        case .result, .error:
            answer(message, bytes, conversation)
            port.accept()
        }
    }

    /// The client's answer to a request of the server.
    ///
    /// Late and made-up ones are dropped.
    private func answer(_ message: Message, _ bytes: Span<UInt8>, _ conversation: any Conversation) {
        let number = bytes.integer(message.envelope.id) ?? -1
        if !conversation.answer(number, message, bytes) {
            context.log.debug("a client answered what nobody asked")
        }
    }

    // MARK: Sessions

    private func initialize(
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ port: any ReplyPort,
        _ visit: Visit
    ) throws(Refusal) {
        let passage = visit.passage
        guard message.envelope.kind == .request else {
            throw Refusal(400, .invalidRequest, "initialize must be a request")
        }
        guard message.params.protocolVersion.isPresent, message.params.capabilities.isPresent else {
            throw Refusal(
                400,
                .invalidParams,
                "initialize needs protocolVersion, a string, and capabilities, an object"
            )
        }
        if let session = passage.session, let result = session.initializeResult {
            // Opened by a GET, as clients of seed 001 do: the server has been greeted already.
            return answerAgain(result, message, bytes, port, session)
        }
        guard let backend = passage.backend else { return }
        guard backend.isKnown else {
            return try context.wait(for: backend, bytes, port) {
                [weak self] message, bytes throws(Refusal) in
                try self?.initialize(message, bytes, port, visit)
            } refuse: { [weak self] refusal, message, bytes in
                self?.refuse(refusal, id: message.id(in: bytes), port)
            }
        }
        try checkRoom(backend, for: passage.principal)
        var edits = Edits()
        let wanted = bytes.string(message.params.protocolVersion).flatMap(Revision.init(bytes:))
        if wanted?.era != .legacy {
            // A revision of the future, or of the other era: the newest that has sessions.
            edits.replace(
                message.params.protocolVersion.quoted,
                with: "\"\(Revision.latestLegacy.rawValue)\""
            )
        }
        let capabilities = try? JSONValue(bytes.extracting(message.params.capabilities.range))
        do throws(Failure) {
            let conversation = try backend.openSession(for: passage.principal)
            let open = context.pipeline.records.open(
                message,
                bytes,
                server: backend.name,
                era: .legacy,
                session: nil,
                head: port.head
            )
            open.trace?.write(message, bytes, &edits)
            let post = InitializePost(
                context,
                passage,
                backend,
                conversation,
                ClientCapabilities(capabilities),
                open,
                answering: port
            )
            if context.lasting != nil { edits.apply(to: bytes, onOneLine: true, into: &post.request) }
            do throws(Failure) {
                _ = try conversation.call(message, bytes, from: post, edits: edits)
            } catch {
                post.refused(error, id: bytes.text(message.envelope.id))
                conversation.end()
                throw error
            }
            if port.isOpen { visit.onVanish = { post.vanished() } }
        } catch {
            throw Refusal(error)
        }
    }

    private func answerAgain(
        _ result: [UInt8],
        _ message: Message,
        _ bytes: Span<UInt8>,
        _ port: any ReplyPort,
        _ session: Session
    ) {
        let id = bytes.text(message.envelope.id)
        port.respond(200, in: session) { output in
            output.append(literal: "{\"jsonrpc\":\"2.0\",\"id\":")
            output.append(id)
            output.append(literal: ",\"result\":")
            output.append(contentsOf: result)
            output.append(literal: "}")
        }
    }

    /// Checks that another session may be opened.
    func checkRoom(_ backend: any Backend, for principal: Principal) throws(Refusal) {
        let sessions = context.pipeline.sessions
        guard sessions.hasRoom else { throw .busy("Too many sessions are open; try again later") }
        if let limit = backend.sessionLimit, sessions.count(server: backend.name) >= limit {
            throw .busy("Too many sessions of this server are open; try again later")
        }
        let limit = backend.principalSessionLimit
        guard sessions.hasRoom(for: principal, server: backend.name, limit: limit) else {
            throw .busy("Too many sessions of yours are open; end one, or try again later")
        }
    }

    /// The session that a request names: 400 if it names none, 404 if there is none of its principal's.
    private func session(_ head: HTTPRequestHead, _ passage: Passage) throws(Refusal) -> Session {
        if let session = passage.session { return session }
        guard head.count(.mcpSessionID) > 0 else {
            throw Refusal(400, .invalidRequest, "Bad Request: the header Mcp-Session-Id is missing")
        }
        throw Refusal(404, .sessionNotFound, "Session not found")
    }

    private func checkVersion(_ head: HTTPRequestHead) throws(Refusal) {
        guard let value = head.value(.mcpProtocolVersion) else { return }
        guard head.count(.mcpProtocolVersion) == 1, Revision(value) != nil else {
            let known = Revision.allCases.map(\.rawValue).joined(separator: ", ")
            throw Refusal(
                400,
                .invalidRequest,
                "Bad Request: unsupported MCP-Protocol-Version; known are \(known)"
            )
        }
    }

    // MARK: GET and DELETE

    func get(_ exchange: HTTPExchange, _ visit: Visit) {
        let passage = visit.passage
        let head = exchange.head
        do {
            if head.method == .get, Negotiation(head).namesEvents, head.count(.mcpSessionID) > 0 {
                try checkVersion(head)
                if let sleeping = context.restorer?.find(head, passage) {
                    return try restore(sleeping, exchange, visit, id: nil) { $0.get(exchange, visit) }
                }
                return try stream(exchange, visit, in: try session(head, passage))
            }
            if head.method == .get, Self.asksForSession(head) { return try openSeedSession(exchange, visit) }
            if Negotiation(head).namesEvents { _ = try session(head, passage) }
            health(exchange, passage)
        } catch {
            refuse(error, id: nil, HTTPReply(exchange: exchange, passage: passage, context: context))
        }
    }

    /// Says that there is an MCP server here, for those who look with a browser.
    private func health(_ exchange: HTTPExchange, _ passage: Passage) {
        guard let backend = passage.backend else { return }
        var members: [JSONValue.Member] = [
            .init("status", .string(backend.problem == nil ? "ok" : "unavailable")),
            .init("server", .string(backend.name)),
            .init("protocolVersions", .array(Revision.allCases.map { .string($0.rawValue) })),
        ]
        if let problem = backend.problem { members.append(.init("problem", .string(problem))) }
        let text = JSONValue.object(members).text()
        exchange.respond(backend.problem == nil ? 200 : 503, Responses.jsonFields(origin: passage.origin)) {
            $0.append(contentsOf: text)
        }
    }

    private static func asksForSession(_ head: HTTPRequestHead) -> Bool {
        head.query?.split(separator: UInt8(ascii: "&")).contains {
            $0.equals("transportType=streamable-http")
        } == true
    }

    /// Opens a session without an `initialize` of the client, as seed 001 did for `?transportType=streamable-http`.
    private func openSeedSession(_ exchange: HTTPExchange, _ visit: Visit) throws(Refusal) {
        let passage = visit.passage
        guard let backend = passage.backend else { return }
        try checkRoom(backend, for: passage.principal)
        if !backend.isKnown {
            do throws(Failure) {
                return try backend.whenKnown { [weak self] failure in
                    guard let self, exchange.isOpen else { return }
                    if let failure { return self.refuseSeedSession(failure, backend, exchange, passage) }
                    do throws(Refusal) {
                        // Others who waited may have taken the room.
                        try self.openSeedSession(exchange, visit)
                    } catch {
                        let port = HTTPReply(exchange: exchange, passage: passage, context: self.context)
                        self.refuse(error, id: nil, port)
                    }
                }
            } catch {
                return refuseSeedSession(error, backend, exchange, passage)
            }
        }
        openSeedSession(exchange, passage, backend, visit)
    }

    private func openSeedSession(
        _ exchange: HTTPExchange,
        _ passage: Passage,
        _ backend: any Backend,
        _ visit: Visit
    ) {
        let message: JSONValue = [
            "jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": [
                "protocolVersion": .string(Revision.v2025_06_18.rawValue), "capabilities": .object([]),
                "clientInfo": GatewayIdentity.implementation,
            ],
        ]
        let bytes = message.text()
        guard let read = try? Message(bytes.span) else { return }
        do throws(Failure) {
            let conversation = try backend.openSession(for: passage.principal)
            let post = InitializePost(
                context,
                passage,
                backend,
                conversation,
                ClientCapabilities(nil),
                context.pipeline.records.open(
                    read,
                    bytes.span,
                    server: backend.name,
                    era: .legacy,
                    session: nil,
                    head: exchange.head
                ),
                opening: HTTPReply(exchange: exchange, passage: passage, context: context)
            )
            post.request = bytes
            do throws(Failure) {
                _ = try conversation.call(read, bytes.span, from: post, edits: Edits())
            } catch {
                post.refused(error, id: "1")
                conversation.end()
                throw error
            }
            if exchange.isOpen { visit.onVanish = { post.vanished() } }
        } catch {
            refuseSeedSession(error, backend, exchange, passage)
        }
    }

    private func refuseSeedSession(
        _ failure: Failure,
        _ backend: any Backend,
        _ exchange: HTTPExchange,
        _ passage: Passage
    ) {
        context.pipeline.records.noteFailure(
            failure,
            server: backend.name,
            method: Method.initialize.rawValue
        )
        exchange.answer(503, #"{"error":"MCP server connection failed"}"#, origin: passage.origin)
    }

    private func stream(_ exchange: HTTPExchange, _ visit: Visit, in session: Session) throws(Refusal) {
        let now = context.loop.now
        session.lastUsed = now
        let found: SessionStream
        var missed: [(EventID, [UInt8])] = []
        let last = exchange.head.value(.lastEventID).flatMap(EventID.init)
        // What a general stream of another run said is gone, but it may begin anew.
        let isResumption = exchange.head.count(.lastEventID) > 0 && last.map(session.isFormerGeneral) != true
        if isResumption {
            guard let last, let (known, messages) = session.missed(after: last, at: now) else {
                throw Refusal(
                    400,
                    .invalidRequest,
                    "Bad Request: Last-Event-ID names no event that is still kept"
                )
            }
            found = known
            missed = messages
        } else {
            guard let opened = session.openStream(general: true) else {
                throw Refusal(429, .invalidRequest, "Too many event streams are open in this session")
            }
            found = opened
        }
        var fields = Responses.eventFields(origin: visit.passage.origin)
        fields.append("Mcp-Session-Id", session.id.text)
        let outlet = EventOutlet(exchange, context, fields: fields)
        visit.onVanish = { [unowned outlet] in found.detach(outlet) }
        guard isResumption else { return found.open(outlet, at: now) }
        for (id, message) in missed { outlet.send(event: id, message.span) }
        found.resume(outlet)
    }

    func delete(_ exchange: HTTPExchange, _ visit: Visit) {
        do {
            try checkVersion(exchange.head)
            let done = {
                if exchange.isOpen {
                    exchange.respond(200, Responses.jsonFields(origin: visit.passage.origin))
                }
            }
            if let restorer = context.restorer, let sleeping = restorer.find(exchange.head, visit.passage) {
                return restorer.delete(sleeping, done)
            }
            let session = try session(exchange.head, visit.passage)
            guard let lasting = context.lasting else {
                context.pipeline.sessions.end(session, .client)
                return done()
            }
            // Told when it is written, so that no restart brings it back.
            lasting.ended(session, done)
            context.pipeline.sessions.end(session, .client)
        } catch {
            refuse(error, id: nil, HTTPReply(exchange: exchange, passage: visit.passage, context: context))
        }
    }

    /// Brings back the session that a request names, and goes on with the request then.
    private func restore(
        _ sleeping: SleepingSession,
        _ exchange: HTTPExchange,
        _ visit: Visit,
        id: String?,
        _ proceed: @escaping (LegacyFrontend) -> Void
    ) throws(Refusal) {
        let passage = visit.passage
        try context.restorer?.restore(
            sleeping,
            hasRoom: { () throws(Refusal) in try checkRoom(sleeping.backend, for: passage.principal) }
        ) { [weak self] result in
            guard let self, exchange.isOpen else { return }
            switch result {
            case .failure(let refusal):
                self.refuse(
                    refusal,
                    id: id,
                    HTTPReply(exchange: exchange, passage: passage, context: self.context)
                )
            case .success(let session):
                passage.adopt(session)
                proceed(self)
            }
        }
    }

    private func refuse(_ refusal: Refusal, id: String?, _ port: any ReplyPort) {
        context.pipeline.records.noteRefusal(refusal.status, refusal.failure.message)
        port.refuse(refusal, id: id)
    }
}
