// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Bytes
import Configuration
import Gateway
package import HTTPServer
import HTTPWire
import JSON
import JSONRPC
import MCPCore
import Sessions

/// The first to see a request: sends it through the pipeline's first stations, and to the frontend that speaks its era.
package final class GatewayHandler: HTTPHandler {
    private let context: FrontendContext
    private let modern: ModernFrontend
    private let legacy: LegacyFrontend
    private let events: EventStreamFrontend

    /// Makes the handler of a gateway.
    package init(_ context: FrontendContext) {
        self.context = context
        modern = ModernFrontend(context)
        legacy = LegacyFrontend(context)
        events = EventStreamFrontend(context, legacy)
    }

    package func begin(_ exchange: HTTPExchange) -> BodyDecision {
        let passage: Passage
        do throws(Refusal) {
            passage = try context.pipeline.enter(exchange.head, from: exchange.peerAddress)
            if exchange.isScarce, !passage.resource.isVital {
                throw Refusal.busy("The gateway has no descriptors left; try again later")
            }
            try check(exchange.head, passage)
        } catch {
            context.pipeline.records.noteRefusal(error.status, error.failure.message)
            exchange.refuse(error, id: nil, origin: nil)
            return .refused
        }
        exchange.context = Visit(passage)
        let hasMessage = exchange.head.method == .post && passage.backend != nil
        return .collect(limit: hasMessage ? context.limits.body : 0)
    }

    /// Refuses what no resource takes.
    private func check(_ head: HTTPRequestHead, _ passage: Passage) throws(Refusal) {
        let allowed: [HTTPMethod]
        switch passage.resource {
        case .unknown: throw Refusal(404, .invalidRequest, "There is nothing at this path")
        case .server: allowed = [.get, .head, .post, .delete, .options]
        case .events: allowed = [.get, .options]
        case .messages: allowed = [.post, .options]
        case .metrics, .sessionMetrics:
            guard context.showsMetrics else {
                throw Refusal(404, .invalidRequest, "There is nothing at this path")
            }
            allowed = [.get, .head, .options]
        case .health, .readiness: allowed = [.get, .head, .options]
        }
        guard allowed.contains(head.method) else {
            let names = allowed.map { "\($0)".uppercased() }.joined(separator: ", ")
            throw Refusal(405, .invalidRequest, "Method Not Allowed", fields: [("Allow", names)])
        }
        // Of two values a proxy may have judged the other one.
        for name in [HTTPFieldName.mcpSessionID, .lastEventID, .authorization] where head.count(name) > 1 {
            throw Refusal(400, .invalidRequest, "Bad Request: a header that decides stands more than once")
        }
        switch passage.resource {
        case .server where head.method == .post: try Negotiation.checkPost(head)
        case .events, .messages: try EventStreamFrontend.check(head, passage)
        default: return
        }
        if context.isDraining { throw .busy("The gateway is stopping") }
    }

    package func received(_ body: Span<UInt8>, _ exchange: HTTPExchange) {
        guard let visit = exchange.context as? Visit else { return }
        let passage = visit.passage
        if exchange.head.method == .options {
            let methods: HTTPResponseFields = [("Allow", Array("GET, POST, DELETE, OPTIONS".utf8))]
            return exchange.respond(
                204,
                passage.origin.map { origin in
                    Responses.preflight(origin, requested: exchange.head.value(.accessControlRequestHeaders))
                } ?? methods
            )
        }
        switch passage.resource {
        case .server: serve(body, exchange, visit)
        case .events: events.open(exchange, visit)
        case .messages: events.post(body, exchange, visit)
        case .health: exchange.answer(200, #"{"status":"ok"}"#, origin: passage.origin)
        case .readiness:
            exchange.answer(
                context.isDraining ? 503 : 200,
                context.isDraining ? #"{"status":"stopping"}"# : #"{"status":"ready"}"#,
                origin: passage.origin
            )
        case .metrics: context.answerMetrics(exchange, passage)
        case .sessionMetrics: context.answerSessionMetrics(exchange, passage)
        case .unknown: break
        }
    }

    package func vanished(_ exchange: HTTPExchange) {
        (exchange.context as? Visit)?.onVanish?()
    }

    package func refused(_ refusal: HTTPRefusal) {
        context.pipeline.records.noteRefusal(refusal.status, refusal.reason)
    }

    private func serve(_ body: Span<UInt8>, _ exchange: HTTPExchange, _ visit: Visit) {
        switch exchange.head.method {
        case .post: post(body, exchange, visit)
        case .delete: legacy.delete(exchange, visit)
        default: legacy.get(exchange, visit)
        }
    }

    private func post(_ body: Span<UInt8>, _ exchange: HTTPExchange, _ visit: Visit) {
        let origin = visit.passage.origin
        var index = 0
        while index < body.count, body[index] <= 0x20 { index += 1 }
        guard index < body.count else {
            return refuse(Refusal(400, .parse, "Parse error: Empty request body"), exchange, origin)
        }
        if body[index] == UInt8(ascii: "[") { return legacy.batch(body, exchange, visit) }
        let message: Message
        do {
            message = try Message(body)
        } catch {
            let code: ErrorCode = error.kind == .duplicateName ? .invalidRequest : .parse
            let title = code == .parse ? "Parse error" : "Invalid request"
            return refuse(Refusal(400, code, "\(title): \(error.description)"), exchange, origin)
        }
        switch Era.of(message, header: exchange.head.value(.mcpProtocolVersion)) {
        case .modern:
            let port = HTTPReply(exchange: exchange, passage: visit.passage, context: context)
            modern.post(message, body, head: exchange.head, port, visit)
        case .legacy: legacy.post(message, body, exchange, visit)
        }
    }

    private func refuse(_ refusal: Refusal, _ exchange: HTTPExchange, _ origin: ArraySlice<UInt8>?) {
        context.pipeline.records.noteRefusal(refusal.status, refusal.failure.message)
        exchange.refuse(refusal, id: nil, origin: origin)
    }
}
