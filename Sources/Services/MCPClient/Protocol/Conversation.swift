// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON
package import JSONRPC
package import MCPCore

/// Who the client says it is, and what it can do.
package struct ClientIdentity: Sendable {
    /// Its name and version, as MCP's `Implementation`.
    package var info: JSONValue
    /// Its capabilities.
    package var capabilities: JSONValue = .object([])
    /// From which level on it wants log messages with its requests (modern era); nil for none.
    package var logLevel: String?

    /// Makes an identity without capabilities.
    package init(name: String, version: String) {
        info = ["name": .string(name), "version": .string(version)]
    }

    /// Whether the server may ask this: its kind, and for an elicitation its mode, must have been declared.
    package func offers(_ method: String, _ params: JSONValue) -> Bool {
        switch Method(method.utf8) {
        case .createMessage: return capabilities["sampling"]?.members != nil
        case .rootsList: return capabilities["roots"]?.members != nil
        case .elicit:
            guard let modes = capabilities["elicitation"]?.members else { return false }
            // Without a word about modes it is forms (2025-11-25, elicitation, "Capabilities").
            let mode = params["mode"]?.string ?? "form"
            return modes.contains { $0.name.hasSameBytes(as: mode) } || mode == "form" && modes.isEmpty
        default: return false
        }
    }

    /// Whether it declared the extension.
    package func declares(extension name: String) -> Bool {
        capabilities["extensions"]?[name]?.members != nil
    }
}

/// A message that is ready to be sent.
package struct OutgoingMessage: Sendable, Equatable {
    /// Its JSON text, on one line.
    package var text: [UInt8]
    /// The id of a request.
    package var id: Int?
    /// The method; nil for an answer.
    package var method: String?
    /// The HTTP headers that belong to it.
    package var fields: [HTTPHeader]
    /// Whether the stream that answers it may break off and be resumed, as the legacy era has it.
    package var isResumable = false

    /// Makes a message of its text and of what its transport must know about it.
    package init(
        text: [UInt8],
        id: Int? = nil,
        method: String? = nil,
        fields: [HTTPHeader] = [],
        isResumable: Bool = false
    ) {
        self.text = text
        self.id = id
        self.method = method
        self.fields = fields
        self.isResumable = isResumable
    }

    /// A header's name and value.
    package struct HTTPHeader: Sendable, Equatable {
        /// The name, in lower case.
        package var name: String
        /// The value, as it is sent.
        package var value: String

        /// Makes a header.
        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }
}

/// A request of the server.
package struct ServerRequest: Sendable, Equatable {
    /// The id as the server wrote it; empty for a question of a round.
    package var id: String
    /// The key under which it is answered, where it has one.
    ///
    /// A question of a round has one. One of the legacy era has it where its server names it in `_meta`.
    package var key: String?
    /// The method.
    package var method: String
    /// The parameters; null if there are none.
    package var params: JSONValue

    /// Makes a request.
    package init(id: String, key: String?, method: String, params: JSONValue) {
        self.id = id
        self.key = key
        self.method = method
        self.params = params
    }

    /// The name in `_meta` of a legacy question that tells its key.
    package static let keyName = "io.github.gatehouse/inputKey"
}

/// One hop to a server, from the client's side: who waits for which answer, how messages are put together in the
/// revision that is spoken, and what the server's messages mean.
///
/// It starts with nothing pending, and has no end. The server is not trusted: what answers nothing that was asked is
/// ignored.
package struct Conversation<Caller> {
    /// What a message from the server means.
    package enum Input {
        /// The end of a request, which waits no longer.
        case reply(Caller, Result<JSONValue, MCPClientError>)
        /// How far a request has come: the parameters of the notification.
        case progress(Caller, JSONValue)
        /// Something about a subscription: the method and the parameters of the notification.
        case notice(Caller, String, JSONValue)
        /// Something else that the server tells.
        case notification(String, JSONValue)
        /// The server does not want the answer to its request with this id any more.
        case withdrawn(String)
        /// A request that must be answered.
        case request(ServerRequest)
        /// An answer that must be sent.
        case answer(OutgoingMessage)
        /// Nothing, for this reason.
        case ignored(String)
    }

    /// The revision that is spoken, or tried.
    package var revision: Revision
    /// Whether the server has agreed to it.
    package var isSettled = false
    /// Who the client is.
    package private(set) var identity: ClientIdentity
    private var waiting: [Int: Caller] = [:]
    private var nextID = 1

    /// Starts with nothing pending.
    package init(_ revision: Revision, identity: ClientIdentity) {
        self.revision = revision
        self.identity = identity
    }

    /// From now on, requests of the modern era ask for log messages from this level on.
    package mutating func setLogLevel(_ level: String?) { identity.logLevel = level }

    /// Whether a request waits for its answer.
    package func awaits(_ id: Int) -> Bool { waiting[id] != nil }

    /// How many requests wait.
    package var count: Int { waiting.count }

    /// The header that tells the revision, where one must be sent.
    package var versionField: [OutgoingMessage.HTTPHeader] {
        let isNeeded = revision.era == .modern || isSettled && revision >= .v2025_06_18
        return isNeeded ? [.init(name: "mcp-protocol-version", value: revision.rawValue)] : []
    }

    // MARK: To the server

    /// Puts a request together and remembers who asked.
    ///
    /// - Parameters:
    ///   - method: The method.
    ///   - params: The parameters, an object, or null for none.
    ///   - wantsProgress: Whether the server should tell how far it is.
    ///   - mirrored: The annotations of the tool that is called.
    ///   - caller: Who asked.
    /// - Returns: The request, ready to be sent.
    package mutating func ask(
        _ method: String,
        _ params: JSONValue,
        wantsProgress: Bool,
        mirrored: HeaderParameters? = nil,
        caller: Caller
    ) -> OutgoingMessage {
        let id = nextID
        nextID += 1
        waiting[id] = caller
        var members: [JSONValue.Member] = [
            .init("jsonrpc", "2.0"), .init("id", .number(String(id))), .init("method", .string(method)),
        ]
        let token: JSONValue? = wantsProgress ? .number(String(id)) : nil
        let params = complete(params, token: token, wantsLog: method != Method.listen.rawValue)
        if params != .null { members.append(.init("params", params)) }
        var fields = versionField
        if revision.era == .modern { fields += Self.routing(method, params, mirrored) }
        return OutgoingMessage(
            text: JSONValue.object(members).text(),
            id: id,
            method: method,
            fields: fields,
            isResumable: revision.era == .legacy
        )
    }

    /// The parameters of `initialize` for the revision.
    package var initializeParams: JSONValue {
        // Extensions came with the modern era.
        let capabilities = identity.capabilities.members?.filter { !$0.name.utf8.equals("extensions") } ?? []
        return [
            "protocolVersion": .string(revision.rawValue), "capabilities": .object(capabilities),
            "clientInfo": identity.info,
        ]
    }

    /// Puts a notification together.
    package func notification(_ method: String, _ params: JSONValue = .null) -> OutgoingMessage {
        var members: [JSONValue.Member] = [.init("jsonrpc", "2.0"), .init("method", .string(method))]
        if params != .null { members.append(.init("params", params)) }
        return OutgoingMessage(text: JSONValue.object(members).text(), method: method, fields: versionField)
    }

    /// Puts the answer to a request of the server together.
    package func answer(_ id: String, _ outcome: Result<JSONValue, Failure>) -> OutgoingMessage {
        var text: [UInt8] = []
        switch outcome {
        case .success(let result):
            text.append(literal: "{\"jsonrpc\":\"2.0\",\"id\":")
            text.append(id)
            text.append(literal: ",\"result\":")
            text.append(contentsOf: result.text())
            text.append(UInt8(ascii: "}"))
        case .failure(let failure): failure.append(id: id, to: &text)
        }
        return OutgoingMessage(text: text, fields: versionField)
    }

    /// Ends a request without waiting for its answer, which is ignored should it come.
    package mutating func remove(_ id: Int) -> Caller? {
        waiting.removeValue(forKey: id)
    }

    /// Ends everything.
    package mutating func removeAll() -> [Caller] {
        defer { waiting.removeAll() }
        return waiting.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Adds what every request of the revision carries in `_meta`; log messages do not belong on a subscription's stream.
    private func complete(_ params: JSONValue, token: JSONValue?, wantsLog: Bool) -> JSONValue {
        var own: [JSONValue.Member] = []
        if revision.era == .modern {
            own.append(.init("\(MetaKey.protocolVersion)", .string(revision.rawValue)))
            own.append(.init("\(MetaKey.clientInfo)", identity.info))
            own.append(.init("\(MetaKey.clientCapabilities)", identity.capabilities))
            if wantsLog, let level = identity.logLevel {
                own.append(.init("\(MetaKey.logLevel)", .string(level)))
            }
        }
        if let token { own.append(.init("progressToken", token)) }
        guard !own.isEmpty else { return params }
        var members = params.members ?? []
        let given = params["_meta"]?.members ?? []
        members.removeAll { $0.name.utf8.equals("_meta") }
        let kept = given.filter { member in !own.contains { $0.name.utf8.elementsEqual(member.name.utf8) } }
        members.append(.init("_meta", .object(own + kept)))
        return .object(members)
    }

    private static func routing(
        _ method: String,
        _ params: JSONValue,
        _ mirrored: HeaderParameters?
    ) -> [OutgoingMessage.HTTPHeader] {
        var fields = [OutgoingMessage.HTTPHeader(name: "mcp-method", value: RoutingHeaders.encode(method))]
        if let name = RoutingHeaders.name(of: Method(method.utf8), params) {
            fields.append(.init(name: "mcp-name", value: RoutingHeaders.encode(name)))
        }
        for field in mirrored?.fields(for: params["arguments"]) ?? [] {
            fields.append(.init(name: field.name, value: field.value))
        }
        return fields
    }
}

// MARK: - From the server

extension Conversation {
    /// Says what a message from the server means.
    package mutating func receive(_ bytes: Span<UInt8>) -> Input {
        let message: Message
        do {
            message = try Message(bytes)
        } catch {
            return .ignored("the server sent something that is not JSON")
        }
        if let defect = message.envelope.defect {
            return .ignored("the server sent no message: \(defect.description)")
        }
        switch message.envelope.kind {
        case .result, .error: return reply(message, bytes)
        case .notification: return notification(message, bytes)
        case .request: return request(message, bytes)
        }
    }

    private mutating func reply(_ message: Message, _ bytes: Span<UInt8>) -> Input {
        guard let id = bytes.integer(message.envelope.id), let caller = waiting.removeValue(forKey: id) else {
            return .ignored("the server answered something that was not asked")
        }
        if message.envelope.kind == .error {
            guard let error = bytes.value(message.envelope.error), let failure = Failure(upstream: error)
            else {
                return .reply(
                    caller,
                    .failure(.malformed("the server answered with an error that has no code"))
                )
            }
            return .reply(caller, .failure(.refused(failure, status: nil)))
        }
        guard let result = bytes.value(message.envelope.result) else {
            return .reply(caller, .failure(.malformed("the server's answer has text that is not Unicode")))
        }
        // Absent counts as complete; what no specification defines has no meaning (2026-07-28, basic, "resultType").
        if revision.era == .modern, let type = result["resultType"], !isKnown(type) {
            return .reply(caller, .failure(.malformed("the server's answer has an unknown resultType")))
        }
        return .reply(caller, .success(result))
    }

    private func isKnown(_ resultType: JSONValue) -> Bool {
        resultType == "complete" || resultType == "input_required"
            || resultType == "task" && identity.declares(extension: TaskWatch.extension)
    }

    private func notification(_ message: Message, _ bytes: Span<UInt8>) -> Input {
        let params = bytes.value(message.envelope.params) ?? .null
        if message.method == .progress {
            guard let id = bytes.integer(message.params.progressToken), let caller = waiting[id] else {
                return .ignored("the server told the progress of something that was not asked")
            }
            return .progress(caller, params)
        }
        if message.params.meta.subscriptionID.isPresent, revision.era == .modern {
            guard let id = bytes.integer(message.params.meta.subscriptionID), let caller = waiting[id] else {
                return .ignored("the server told something of a subscription that does not exist")
            }
            return .notice(caller, Self.method(message, bytes), params)
        }
        if message.method == .cancelled, revision.era == .legacy, message.params.requestID.isPresent {
            return .withdrawn(bytes.text(message.params.requestID))
        }
        return .notification(Self.method(message, bytes), params)
    }

    private func request(_ message: Message, _ bytes: Span<UInt8>) -> Input {
        guard revision.era == .legacy else {
            return .ignored("the server sent a request, which its revision does not allow")
        }
        let id = bytes.text(message.envelope.id)
        if message.method == .ping { return .answer(answer(id, .success(.object([])))) }
        let params = bytes.value(message.envelope.params) ?? .null
        let key = params["_meta"]?[ServerRequest.keyName]?.string
        return .request(ServerRequest(id: id, key: key, method: Self.method(message, bytes), params: params))
    }

    private static func method(_ message: Message, _ bytes: Span<UInt8>) -> String {
        String(decoding: bytes.string(message.envelope.method) ?? [], as: UTF8.self)
    }
}

extension Span<UInt8> {
    /// The decoded value of a slice; nil if it is absent or has text that is not Unicode.
    fileprivate func value(_ slice: JSONSlice) -> JSONValue? {
        slice.isPresent ? try? JSONValue(extracting(slice.range)) : nil
    }
}

extension Failure {
    /// An error as a server sent it; nil if it has no code.
    init?(upstream error: JSONValue) {
        guard let code = error["code"]?.integer else { return nil }
        self.init(ErrorCode(code), error["message"]?.string ?? "", data: error["data"], source: .upstream)
    }
}
