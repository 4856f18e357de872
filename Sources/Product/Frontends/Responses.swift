// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Gateway
import HTTPServer
import HTTPWire
import JSONRPC

/// Fields and small bodies that many answers have.
enum Responses {
    private static let jsonFields = fields(ofType: "application/json")

    /// The fields of a response that nobody is to keep.
    static func fields(ofType type: String) -> HTTPResponseFields {
        [("Content-Type", Array(type.utf8)), ("Cache-Control", Array("no-store".utf8))]
    }

    /// The fields of a JSON answer to a request from this origin.
    static func jsonFields(origin: ArraySlice<UInt8>?) -> HTTPResponseFields {
        guard let origin else { return jsonFields }
        return jsonFields + crossOrigin(origin)
    }

    /// The fields of an event stream.
    static func eventFields(origin: ArraySlice<UInt8>?) -> HTTPResponseFields {
        var fields = fields(ofType: "text/event-stream")
        // Proxies such as nginx hold a stream back otherwise.
        fields.append("X-Accel-Buffering", Array("no".utf8))
        if let origin { fields += crossOrigin(origin) }
        return fields
    }

    /// Lets a page of an allow-listed origin read the answer (Fetch Standard, "CORS protocol").
    static func crossOrigin(_ origin: ArraySlice<UInt8>) -> HTTPResponseFields {
        [
            ("Access-Control-Allow-Origin", Array(origin)), ("Vary", Array("Origin".utf8)),
            ("Access-Control-Expose-Headers", Array("Mcp-Session-Id, WWW-Authenticate".utf8)),
        ]
    }

    /// The answer to a preflight.
    ///
    /// - Parameters:
    ///   - origin: The origin that asks.
    ///   - requested: The headers that it wants to send; those that mirror arguments are named by the tools.
    /// - Returns: The fields.
    static func preflight(_ origin: ArraySlice<UInt8>, requested: ArraySlice<UInt8>?) -> HTTPResponseFields {
        let mirrored = (requested ?? []).split(separator: UInt8(ascii: ",")).map { $0.filter { $0 != 0x20 } }
            .filter { $0.starts(with: "mcp-param-".utf8) && $0.allSatisfy(ASCII.isToken) }
        return crossOrigin(origin) + [
            ("Access-Control-Allow-Methods", Array("GET, POST, DELETE, OPTIONS".utf8)),
            (
                "Access-Control-Allow-Headers",
                Array(
                    "Content-Type, Accept, Authorization, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID"
                        .utf8
                ) + mirrored.flatMap { Array(", ".utf8) + $0 }
            ),
            ("Access-Control-Max-Age", Array("86400".utf8)),
        ]
    }
}

extension HTTPExchange {
    /// Answers with a JSON-RPC error.
    func refuse(_ refusal: Refusal, id: String?, origin: ArraySlice<UInt8>?) {
        var fields = Responses.jsonFields(origin: origin)
        for (name, value) in refusal.fields { fields.append(name, Array(value.utf8)) }
        respond(refusal.status, fields) { refusal.failure.append(id: id, to: &$0) }
    }

    /// Answers with a small JSON text of ours.
    func answer(_ status: Int, _ text: String, origin: ArraySlice<UInt8>?) {
        respond(status, Responses.jsonFields(origin: origin)) { $0.append(text) }
    }
}
