// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Bytes
import Foundation
import JSON
import MCPCore

/// The demo server's answers; it reads and writes nothing itself.
///
/// A request with a version in `_meta` is of the modern era and stands for itself. Everything else is of the legacy era
/// and must come after `initialize`.
struct DemoServer {
    private struct Refusal: Error {
        var code: Int
        var message: String
        var data: JSONValue?
    }

    private static let info: JSONValue = [
        "name": "gatehouse-demo", "title": "Gatehouse demo", "version": .string(GatewayIdentity.version),
    ]
    private static let capabilities: JSONValue = ["tools": [:], "resources": [:]]
    private static let instructions: JSONValue = "Tools to try a gateway with: echo, add and now."
    private var isInitialized = false

    /// The answer to a line that is no JSON; its id is unknown, so that none is given.
    static let unreadable = error(nil, Refusal(code: -32700, message: "Parse error"))

    /// Takes a message; gives the answer, if it is one that is answered.
    mutating func receive(_ bytes: Span<UInt8>) -> JSONValue? {
        guard let message = try? JSONValue(bytes) else { return Self.unreadable }
        let id = message["id"]
        guard message["jsonrpc"]?.string == "2.0", id == nil || id?.string != nil || id?.integer != nil else {
            return Self.error(nil, Refusal(code: -32600, message: "Invalid request"))
        }
        guard let method = message["method"]?.string else {
            // Responses are nobody's here: this server asks nothing.
            guard message["result"] == nil, message["error"] == nil else { return nil }
            return Self.error(id, Refusal(code: -32600, message: "Invalid request: method is missing"))
        }
        guard let id else { return nil }
        do throws(Refusal) {
            let params = message["params"] ?? [:]
            return ["jsonrpc": "2.0", "id": id, "result": try answer(method, params)]
        } catch {
            return Self.error(id, error)
        }
    }

    private static func error(_ id: JSONValue?, _ refusal: Refusal) -> JSONValue {
        var error: [JSONValue.Member] = [
            .init("code", .number(String(refusal.code))), .init("message", .string(refusal.message)),
        ]
        if let data = refusal.data { error.append(.init("data", data)) }
        let members = [JSONValue.Member("jsonrpc", "2.0")] + (id.map { [.init("id", $0)] } ?? [])
        return .object(members + [.init("error", .object(error))])
    }

    private mutating func answer(_ method: String, _ params: JSONValue) throws(Refusal) -> JSONValue {
        guard params.members != nil else { throw Refusal(code: -32602, message: "params must be an object") }
        let meta = params["_meta"]
        guard let version = meta?["\(MetaKey.protocolVersion)"] else {
            return try legacy(method, params)
        }
        guard let version = version.string, meta?["\(MetaKey.clientCapabilities)"]?.members != nil else {
            throw Refusal(
                code: -32602,
                message: "_meta must have the version and the capabilities of the client"
            )
        }
        guard version == Revision.modern.rawValue else {
            let supported: JSONValue = [.string(Revision.modern.rawValue)]
            let data: JSONValue = ["supported": supported, "requested": .string(version)]
            throw Refusal(code: -32022, message: "Unsupported protocol version", data: data)
        }
        return try modern(method, params)
    }

    // MARK: Eras

    private mutating func legacy(_ method: String, _ params: JSONValue) throws(Refusal) -> JSONValue {
        switch method {
        case "ping": return [:]
        case "initialize":
            guard let text = params["protocolVersion"]?.string else {
                throw Refusal(code: -32602, message: "protocolVersion must be a string")
            }
            isInitialized = true
            let wanted = Revision(bytes: text.utf8)
            let revision = wanted?.era == .legacy ? wanted ?? .latestLegacy : .latestLegacy
            return [
                "protocolVersion": .string(revision.rawValue), "capabilities": Self.capabilities,
                "serverInfo": Self.info, "instructions": Self.instructions,
            ]
        default:
            guard isInitialized else {
                throw Refusal(
                    code: -32602,
                    message: "initialize must come first, or _meta must name the version"
                )
            }
            return try feature(method, params, notFound: -32002)
        }
    }

    private func modern(_ method: String, _ params: JSONValue) throws(Refusal) -> JSONValue {
        let discovery: JSONValue = [
            "supportedVersions": [.string(Revision.modern.rawValue)], "capabilities": Self.capabilities,
            "instructions": Self.instructions,
        ]
        let result = method == "server/discover" ? discovery : try feature(method, params, notFound: -32602)
        var members = result.members ?? []
        members.append(.init("resultType", "complete"))
        if method != "tools/call" {
            // Nothing changes while the program is the same.
            members += [.init("ttlMs", 3_600_000), .init("cacheScope", "public")]
        }
        members.append(.init("_meta", .object([.init("\(MetaKey.serverInfo)", Self.info)])))
        return .object(members)
    }

    // MARK: Features, the same in both

    private func feature(_ method: String, _ params: JSONValue, notFound: Int) throws(Refusal) -> JSONValue {
        switch method {
        case "tools/list": return ["tools": Self.tools]
        case "tools/call": return try call(params["name"]?.string, params["arguments"] ?? [:])
        case "resources/list": return ["resources": [Self.about]]
        case "resources/templates/list": return ["resourceTemplates": []]
        case "resources/read":
            guard let uri = params["uri"]?.string else {
                throw Refusal(code: -32602, message: "uri must be a string")
            }
            guard uri == "demo://about" else {
                throw Refusal(code: notFound, message: "Resource not found", data: ["uri": .string(uri)])
            }
            let text: JSONValue = "A small MCP server that comes with Gatehouse. It needs no network.\n"
            return ["contents": [["uri": .string(uri), "mimeType": "text/plain", "text": text]]]
        default: throw Refusal(code: -32601, message: "Method not found")
        }
    }

    private static let about: JSONValue = [
        "uri": "demo://about", "name": "about", "title": "About this server", "mimeType": "text/plain",
    ]

    private static let tools: JSONValue = [echo, add, now]

    private static let echo: JSONValue = [
        "name": "echo", "description": "Gives a text back.",
        "inputSchema": ["type": "object", "properties": ["text": ["type": "string"]], "required": ["text"]],
    ]

    private static let add: JSONValue = [
        "name": "add", "description": "Adds two numbers.",
        "inputSchema": [
            "type": "object", "properties": ["a": ["type": "number"], "b": ["type": "number"]],
            "required": ["a", "b"],
        ],
        "outputSchema": ["type": "object", "properties": ["sum": ["type": "number"]], "required": ["sum"]],
    ]

    private static let now: JSONValue = [
        "name": "now", "description": "Tells the time in UTC.", "inputSchema": ["type": "object"],
        "outputSchema": ["type": "object", "properties": ["time": ["type": "string"]], "required": ["time"]],
    ]

    private func call(_ name: String?, _ arguments: JSONValue) throws(Refusal) -> JSONValue {
        switch name {
        case "echo":
            guard let text = arguments["text"]?.string else { return Self.failure("text must be a string") }
            return ["content": [["type": "text", "text": .string(text)]]]
        case "add":
            guard case .number(let first)? = arguments["a"], case .number(let second)? = arguments["b"] else {
                return Self.failure("a and b must be numbers")
            }
            guard let sum = Self.sum(first, second) else { return Self.failure("the sum is too large") }
            return Self.structured("sum", .number(sum), sum)
        case "now":
            let time = Date().formatted(.iso8601)
            return Self.structured("time", .string(time), time)
        default: throw Refusal(code: -32602, message: "Unknown tool")
        }
    }

    private static func sum(_ first: String, _ second: String) -> String? {
        if let a = Int(first), let b = Int(second) {
            let (sum, overflow) = a.addingReportingOverflow(b)
            if !overflow { return String(sum) }
        }
        guard let a = Double(first), let b = Double(second), (a + b).isFinite else { return nil }
        return "\(a + b)"
    }

    private static func structured(_ name: String, _ value: JSONValue, _ text: String) -> JSONValue {
        [
            "content": [["type": "text", "text": .string(text)]],
            "structuredContent": .object([.init(name, value)]),
        ]
    }

    private static func failure(_ text: String) -> JSONValue {
        ["content": [["type": "text", "text": .string(text)]], "isError": true]
    }
}
