// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPCore
import TestSupport

/// Judges what a server sends by the official schemas: each message by that of the revision it belongs to.
struct MessageJudge {
    private var session = Revision.latestLegacy
    /// What was asked under an id, oldest first: a test may use one that is still in use.
    private var requests: [String: [Request]] = [:]

    private struct Request {
        var method: Method
        var revision: Revision
    }

    /// Notes what the client sends, to know what is answered.
    mutating func note(sent message: JSONValue) {
        for element in message.array ?? [] { note(sent: element) }
        guard let id = message["id"], let method = message["method"]?.string else { return }
        let version = message["params"]?["_meta"]?["io.modelcontextprotocol/protocolVersion"]
        let request = Request(
            method: Method(Array(method.utf8)),
            revision: version == nil ? session : .modern
        )
        requests[id.line, default: []].append(request)
    }

    /// What is wrong with a message.
    mutating func faults(_ message: JSONValue, _ request: String?) -> [String] {
        if message["method"] != nil {
            let asked = request.flatMap { requests[$0]?.first }
            let revision = asked?.revision ?? session
            guard let type = Self.type(of: message) else { return ["an unknown method"] }
            return type.isEmpty ? [] : SchemaJudge.faults(message, as: type, revision)
        }
        guard let id = message["id"]?.line, requests[id]?.isEmpty == false,
            let asked = message["error"] == nil ? requests[id]?.removeFirst() : requests[id]?.removeLast()
        else {
            // Schemas before 2025-11-25 have no error for what could not be read.
            return SchemaJudge.faults(message, as: "JSONRPCErrorResponse", .modern)
        }
        if message["error"] != nil {
            let type = asked.revision < .v2025_11_25 ? "JSONRPCError" : "JSONRPCErrorResponse"
            return SchemaJudge.faults(message, as: type, asked.revision)
        }
        let result = message["result"] ?? .null
        var revision = asked.revision
        if asked.method == .initialize, let agreed = result["protocolVersion"]?.string {
            session = Revision(rawValue: agreed) ?? session
            revision = session
        }
        if result["resultType"] == "input_required" {
            return SchemaJudge.faults(result, as: "InputRequiredResult", revision)
        }
        guard let type = Self.results[asked.method] else { return ["a result of \(asked.method)"] }
        let isTask = type.isEmpty || result["resultType"] == "task"
        return isTask ? [] : SchemaJudge.faults(result, as: type, revision)
    }

    /// The type of a request or notification of the server; empty if the schema has none, since an extension defines it.
    private static func type(of message: JSONValue) -> String? {
        switch message["method"]?.string {
        case "notifications/progress": "ProgressNotification"
        case "notifications/message": "LoggingMessageNotification"
        case "notifications/cancelled": "CancelledNotification"
        case "notifications/tools/list_changed": "ToolListChangedNotification"
        case "notifications/prompts/list_changed": "PromptListChangedNotification"
        case "notifications/resources/list_changed": "ResourceListChangedNotification"
        case "notifications/resources/updated": "ResourceUpdatedNotification"
        case "notifications/subscriptions/acknowledged": "SubscriptionsAcknowledgedNotification"
        case "notifications/tasks": ""
        case "elicitation/create": "ElicitRequest"
        case "sampling/createMessage": "CreateMessageRequest"
        case "roots/list": "ListRootsRequest"
        default: nil
        }
    }

    /// The types of results; empty as above.
    private static let results: [Method: String] = [
        .initialize: "InitializeResult", .ping: "EmptyResult", .setLevel: "EmptyResult",
        .subscribe: "EmptyResult", .unsubscribe: "EmptyResult", .toolsList: "ListToolsResult",
        .toolsCall: "CallToolResult", .resourcesList: "ListResourcesResult",
        .resourcesTemplatesList: "ListResourceTemplatesResult", .resourcesRead: "ReadResourceResult",
        .promptsList: "ListPromptsResult", .promptsGet: "GetPromptResult", .complete: "CompleteResult",
        .discover: "DiscoverResult", .listen: "SubscriptionsListenResult", .tasksGet: "", .tasksUpdate: "",
        .tasksCancel: "",
    ]
}
