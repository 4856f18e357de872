// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON
import JSONRPC
import MCPCore

/// A call of a modern caller at a legacy server; its caller changes with each round.
final class BridgedCall: Caller {
    let key: Int
    private unowned let bridge: LegacyServerBridge
    /// The request that waits for an answer now; nil while the caller is away.
    var outer: Call?
    /// The request as the server gets it, until it was sent.
    var text: [UInt8] = []
    /// The call's id at the child, once it was sent.
    var innerID: Int?
    /// The resource that it reads, if it reads one.
    var uri: String?
    /// The level from which its caller wants log messages.
    var level: LogSeverity?
    /// What it listens to, if it is a listen.
    var filter: ListenFilter?
    /// What came of it, until it is delivered.
    var outcome: Result<[UInt8], Failure>?
    /// When its caller last came, in milliseconds of the loop's clock.
    var since: UInt64 = 0
    private let method: Method

    /// Bytes of a result that are kept for a caller who is away.
    private static let keptLimit = 1 << 20

    init(_ bridge: LegacyServerBridge, key: Int, _ outer: Call) {
        self.bridge = bridge
        self.key = key
        self.outer = outer
        method = outer.method
    }

    // MARK: From the server

    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call) {
        innerID = nil
        if var outer, isPassedOn(message) {
            self.outer = nil
            outer.resultStart = bridge.resultStart
            outer.caller.reply(message, bytes, to: outer)
        } else {
            outcome = .success(translated(message, bytes))
        }
        bridge.perform(bridge.machine.settled(key))
    }

    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call) {
        // While it is parked, nobody is there to hear.
        guard let outer, outer.progressToken != nil else { return }
        outer.caller.notice(message, bytes, for: outer)
    }

    func failed(_ failure: Failure, _ call: Call) {
        outcome = .failure(failure)
        innerID = nil
        bridge.perform(bridge.machine.settled(key))
    }

    func cancelled(_ call: Call) {}

    func stopping(_ call: Call) {
        if let outer { outer.caller.stopping(outer) }
    }

    func stillWaiting(_ call: Call, now: UInt64) {
        if let outer { outer.caller.stillWaiting(outer, now: now) }
    }

    // MARK: To the caller

    /// Asks the caller a round of questions.
    func ask(_ questions: [ParkedCalls.Question], state: Int) {
        if let innerID { bridge.child.hold(innerID) }
        let requests = questions.map { JSONValue.Member($0.key, $0.request) }
        needInput(requests, state: String(state))
    }

    private func needInput(_ requests: [JSONValue.Member], state: String) {
        deliver([
            "resultType": "input_required", "inputRequests": .object(requests),
            "requestState": .string(state),
        ])
        outer = nil
    }

    func deliver(_ result: JSONValue) {
        give(Bridging.response(result))
    }

    func fail(_ failure: Failure) {
        guard let outer else { return }
        self.outer = nil
        outer.caller.failed(failure, outer)
    }

    func deliverOutcome() {
        switch outcome {
        case .success(let text): give(text)
        case .failure(let failure): fail(failure)
        case nil: break
        }
        outcome = nil
    }

    /// Keeps what came for the retry, unless it is very large.
    func keepOutcome() {
        guard case .success(let text) = outcome, text.count > Self.keptLimit else { return }
        let message = "The answer came while the client was away, and was too large to keep"
        outcome = .failure(Failure(.internalError, message, source: .gateway))
    }

    private func give(_ text: [UInt8]) {
        guard let outer, let message = try? Message(text.span) else { return }
        outer.caller.reply(message, text.span, to: outer)
    }

    // MARK: Words of the modern era

    /// Whether a result needs no more than something put before its members.
    private func isPassedOn(_ message: Message) -> Bool {
        let result = message.result
        guard message.envelope.kind == .result, !result.hasType, !result.hasMeta,
            !result.requestStateValue.isPresent
        else { return false }
        switch method {
        case .toolsCall, .promptsGet, .complete, .other: return true
        default: return false
        }
    }

    private func translated(_ message: Message, _ bytes: Span<UInt8>) -> [UInt8] {
        guard message.envelope.kind == .result else { return error(message, bytes) }
        if message.result.hasType, bytes.string(message.result.type)?.elementsEqual("complete".utf8) != true {
            let failure = Failure(
                .internalError,
                "The server's result is of an unknown type",
                source: .upstream
            )
            return Bridging.response(failure)
        }
        switch method {
        case .toolsCall, .promptsGet, .complete, .other:
            return Rewriting.result(
                message,
                bytes,
                first: Array(#""resultType":"complete""#.utf8),
                meta: bridge.serverMeta,
                dropping: ["resultType", "inputRequests", "requestState"]
            )
        default:
            guard let result = try? JSONValue(bytes.extracting(message.envelope.result.range)) else {
                let failure = Failure(.internalError, "The server's result cannot be read", source: .upstream)
                return Bridging.response(failure)
            }
            var info: JSONValue?
            if case .done(let greeting) = bridge.greeting { info = greeting["serverInfo"] }
            if method == .resourcesRead, result["contents"]?.array?.isEmpty == true {
                // So some servers of the legacy era say that it does not exist; the modern era forbids that.
                return Bridging.response(Translation.notFound("The resource does not exist", uri: uri))
            }
            return Bridging.response(Translation.modernResult(result, of: method, serverInfo: info))
        }
    }

    private func error(_ message: Message, _ bytes: Span<UInt8>) -> [UInt8] {
        let error = try? JSONValue(bytes.extracting(message.envelope.error.range))
        let text = error?["message"]?.string ?? ""
        if method == .resourcesRead, message.errorCode == ErrorCode.resourceNotFound.value {
            return Bridging.response(Translation.notFound(text, uri: uri, data: error?["data"]))
        }
        let outcome = Translation.modernOutcome(
            code: message.errorCode ?? ErrorCode.internalError.value,
            message: text,
            data: error?["data"],
            method: method,
            declared: bridge.capabilities
        )
        switch outcome {
        case .failure(let failure): return Bridging.response(failure)
        case .askURLs(let requests):
            // The retry is a call of its own, and comes back to this conversation.
            bridge.child.keep(for: bridge.child.context.patience)
            let entries = requests.map { request in
                JSONValue.Member(request.key, ["method": "elicitation/create", "params": request.params])
            }
            return Bridging.response([
                "resultType": "input_required", "inputRequests": .object(entries),
                "requestState": .string(String(decoding: LegacyServerBridge.anew, as: UTF8.self)),
            ])
        }
    }
}
