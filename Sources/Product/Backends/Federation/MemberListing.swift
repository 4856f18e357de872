// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import JSON
import JSONRPC
import MCPCore

/// A list of one server that is being gathered, page by page.
///
/// It starts with `begin` and ends with the last page, an error, or `abandon`. Who waits for it hears of the end; who waited
/// too long has gone on, and the conversation tells its client when it comes after all.
final class MemberListing: Caller {
    private weak var member: FederationMember?
    private weak var conversation: FederatedConversation?
    let kind: FederatedKind
    private let meta: JSONValue?
    private var list: FederatedList
    private var target: ModernConversation?
    private var innerID: Int?
    private var waiters: [() -> Void] = []
    private var isOver = false
    /// Whether somebody has waited for it in vain.
    var isOverdue = false
    /// Whether the server has said since that the list has changed.
    var isOutdated = false

    /// Prepares a list.
    ///
    /// - Parameters:
    ///   - kind: What is listed.
    ///   - member: By which server.
    ///   - conversation: For whom.
    ///   - meta: `_meta` of the requests, in the modern era.
    init(
        _ kind: FederatedKind,
        of member: FederationMember,
        for conversation: FederatedConversation,
        _ meta: JSONValue?
    ) {
        self.kind = kind
        self.member = member
        self.conversation = conversation
        self.meta = meta
        list = FederatedList(kind)
    }

    /// Calls back when it is over.
    func whenOver(_ body: @escaping () -> Void) {
        if isOver { body() } else { waiters.append(body) }
    }

    /// Asks for the first page.
    func begin() {
        member?.whenReady { [self] failure in
            guard !isOver else { return }
            if let failure { return finish(failure) }
            ask(nil)
        }
    }

    private func ask(_ cursor: [UInt8]?) {
        guard let member else { return }
        var params: [JSONValue.Member] = []
        if let meta { params.append(.init("_meta", meta)) }
        if let cursor { params.append(.init("cursor", .string(String(decoding: cursor, as: UTF8.self)))) }
        let text = Bridging.request(kind.method, .object(params))
        do throws(Failure) {
            let message = try Bridging.read(text)
            // All pages come from the same process.
            if target == nil { target = try member.target(nil) { FederatedConversation.declared(meta) } }
            innerID = try target?.conversation.call(message, text.span, from: self, edits: Edits())
        } catch {
            finish(error)
        }
    }

    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call) {
        innerID = nil
        guard !isOver else { return }
        guard message.envelope.kind == .result else {
            if message.errorCode == ErrorCode.methodNotFound.value {
                member?.lacks.insert(kind)
                list = FederatedList(kind)
                return finish(nil)
            }
            let error = try? JSONValue(bytes.extracting(message.envelope.error.range))
            let text = error?["message"]?.string ?? "no reason was given"
            return finish(Failure(.internalError, "The server does not list: \(text)", source: .upstream))
        }
        if kind == .tools, message.result.tools.isPresent {
            member?.backend.learnTools(bytes.extracting(message.result.tools.range))
        }
        guard let cursor = list.add(message, bytes) else { return finish(nil) }
        ask(cursor)
    }

    func failed(_ failure: Failure, _ call: Call) {
        innerID = nil
        finish(failure)
    }

    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call) {}
    func cancelled(_ call: Call) {}
    func stopping(_ call: Call) {}
    func stillWaiting(_ call: Call, now: UInt64) {}

    /// Nobody wants it any more: its server is told, and who waits goes on without.
    func abandon() {
        guard !isOver else { return }
        isOver = true
        if let innerID { target?.conversation.cancel(innerID, reason: "Nobody waits for the list any more") }
        end()
    }

    private func finish(_ failure: Failure?) {
        guard !isOver else { return }
        isOver = true
        if let member { conversation?.listed(kind, by: member, self, failure == nil ? list : nil, failure) }
        end()
    }

    private func end() {
        if let target = target.take(), target.isForOneCall { target.conversation.end(after: 0) }
        let waiting = waiters
        waiters = []
        for body in waiting { body() }
    }
}
