// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Gateway
import HTTPServer
import JSONRPC

/// Fields and small bodies that many answers have.
enum Responses {
    static let json: HTTPResponseField = ("Content-Type", Array("application/json".utf8))
    static let noStore: HTTPResponseField = ("Cache-Control", Array("no-store".utf8))
    private static let jsonFields = [json, noStore]

    /// The fields of a JSON answer to a request from this origin.
    static func jsonFields(origin: ArraySlice<UInt8>?) -> [HTTPResponseField] {
        guard let origin else { return jsonFields }
        return jsonFields + crossOrigin(origin)
    }

    /// The fields of an event stream.
    static func eventFields(origin: ArraySlice<UInt8>?) -> [HTTPResponseField] {
        var fields: [HTTPResponseField] = [
            ("Content-Type", Array("text/event-stream".utf8)), noStore,
            // Proxies such as nginx hold a stream back otherwise.
            ("X-Accel-Buffering", Array("no".utf8)),
        ]
        if let origin { fields += crossOrigin(origin) }
        return fields
    }

    /// Lets a page of an allow-listed origin read the answer (Fetch Standard, "CORS protocol").
    static func crossOrigin(_ origin: ArraySlice<UInt8>) -> [HTTPResponseField] {
        [
            ("Access-Control-Allow-Origin", Array(origin)), ("Vary", Array("Origin".utf8)),
            ("Access-Control-Expose-Headers", Array("Mcp-Session-Id, WWW-Authenticate".utf8)),
        ]
    }

    /// The answer to a preflight.
    static func preflight(_ origin: ArraySlice<UInt8>) -> [HTTPResponseField] {
        crossOrigin(origin) + [
            ("Access-Control-Allow-Methods", Array("GET, POST, DELETE, OPTIONS".utf8)),
            (
                "Access-Control-Allow-Headers",
                Array(
                    "Content-Type, Accept, Authorization, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID"
                        .utf8
                )
            ),
            ("Access-Control-Max-Age", Array("86400".utf8)),
        ]
    }
}

extension HTTPExchange {
    /// Answers with a JSON-RPC error.
    func refuse(_ refusal: Refusal, id: String?, origin: ArraySlice<UInt8>?) {
        var fields = Responses.jsonFields(origin: origin)
        for (name, value) in refusal.fields { fields.append((name, Array(value.utf8))) }
        respond(refusal.status, fields) { refusal.failure.append(id: id, to: &$0) }
    }

    /// Answers with a small JSON text of ours.
    func answer(_ status: Int, _ text: String, origin: ArraySlice<UInt8>?) {
        respond(status, Responses.jsonFields(origin: origin)) { $0.append(text) }
    }
}
