// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import URITemplate

/// What a server offers, as a value: a request is answered by what is offered when it comes.
struct Registry: Sendable {
    var tools = OrderedTable<RegisteredTool>()
    var resources = OrderedTable<RegisteredResource>()
    var templates = OrderedTable<RegisteredTemplate>()
    var prompts = OrderedTable<RegisteredPrompt>()
    /// What was ever offered: a capability that was declared stays, with an empty list.
    private(set) var features: Set<Feature> = []

    enum Feature: Sendable {
        case tools, resources, prompts, completions, tasks
    }

    mutating func note(_ feature: Feature) { features.insert(feature) }

    func has(_ feature: Feature) -> Bool { features.contains(feature) }
}

struct RegisteredResource: Sendable {
    var definition: JSONValue
    var read: @Sendable (RequestContext) async throws -> [ResourceContents]
}

struct RegisteredTemplate: Sendable {
    var template: URITemplate
    var definition: JSONValue
    var completers: [String: Completer]
    var read: @Sendable (String, [String: String], RequestContext) async throws -> [ResourceContents]
}

struct RegisteredPrompt: Sendable {
    var description: PromptDescription
    var completers: [String: Completer]
    var get: @Sendable ([String: String], RequestContext) async throws -> PromptResult
}

/// What becomes of a request for something that the server offers.
enum Plan: Sendable {
    /// The result, in the form of revision 2026-07-28.
    case answer(JSONValue)
    /// Code that must run.
    case work(Work)
}

/// Code that answers a request, with a result in the form of revision 2026-07-28.
struct Work: Sendable {
    var taskSupport = TaskSupport.never
    var run: @Sendable (RequestContext) async throws -> JSONValue
}

// MARK: Requests

extension Registry {
    /// Plans a request of a feature.
    ///
    /// - Throws: Why it is refused, in the codes of revision 2026-07-28.
    func plan(_ method: Method, _ params: JSONValue, pageSize: Int) throws(Failure) -> Plan {
        switch method {
        case .toolsList:
            try require(.tools, method)
            return .answer(try page(tools, "tools", params, pageSize) { $0.definition })
        case .toolsCall:
            try require(.tools, method)
            return .work(try call(params))
        case .resourcesList:
            try require(.resources, method)
            return .answer(try page(resources, "resources", params, pageSize) { $0.definition })
        case .resourcesTemplatesList:
            try require(.resources, method)
            return .answer(try page(templates, "resourceTemplates", params, pageSize) { $0.definition })
        case .resourcesRead:
            try require(.resources, method)
            return .work(try read(params))
        case .promptsList:
            try require(.prompts, method)
            return .answer(try page(prompts, "prompts", params, pageSize) { $0.description.wire })
        case .promptsGet:
            try require(.prompts, method)
            return .work(try get(params))
        case .complete:
            try require(.completions, method)
            return .work(try complete(params))
        default:
            throw Failure(.methodNotFound, "Method not found", source: .client)
        }
    }

    private func require(_ feature: Feature, _ method: Method) throws(Failure) {
        guard has(feature) else {
            throw Failure(.methodNotFound, "This server has no \(method.rawValue)", source: .client)
        }
    }

    private func page<Value>(
        _ table: OrderedTable<Value>,
        _ name: String,
        _ params: JSONValue,
        _ size: Int,
        _ wire: (Value) -> JSONValue
    ) throws(Failure) -> JSONValue {
        var start = 0
        if let cursor = params["cursor"] {
            guard let text = cursor.string, let number = Cursor.number(text, name) else {
                throw .invalidParams("cursor is not one that this list gave")
            }
            start = number
        }
        let page = table.page(after: start, size: size)
        return .of([
            name: .array(page.values.map(wire)), "nextCursor": page.last.map { Cursor.text(name, after: $0) },
        ])
    }

    private func call(_ params: JSONValue) throws(Failure) -> Work {
        guard let name = params["name"]?.string else { throw .invalidParams("name must be a string") }
        guard let tool = tools[name] else { throw .invalidParams("Unknown tool: \(name)") }
        let arguments = params["arguments"] ?? .object([])
        guard arguments.members != nil else { throw .invalidParams("arguments must be an object") }
        return Work(taskSupport: tool.taskSupport) { context in
            do {
                return try await tool.call(arguments, context).wire
            } catch let error as MCPError {
                throw error
            } catch AskError.missingCapability(let capabilities) {
                throw AskError.missingCapability(capabilities)
            } catch {
                return ToolResult.failure("\(error)").wire
            }
        }
    }

    private func read(_ params: JSONValue) throws(Failure) -> Work {
        guard let uri = params["uri"]?.string else { throw .invalidParams("uri must be a string") }
        if let resource = resources[uri] {
            return Work { context in Self.contents(try await resource.read(context)) }
        }
        for template in templates.values {
            guard let variables = template.template.match(uri) else { continue }
            return Work { context in Self.contents(try await template.read(uri, variables, context)) }
        }
        throw MCPError.resourceNotFound(uri).failure
    }

    private static func contents(_ contents: [ResourceContents]) -> JSONValue {
        ["contents": .array(contents.map(\.wire))]
    }

    private func get(_ params: JSONValue) throws(Failure) -> Work {
        guard let name = params["name"]?.string else { throw .invalidParams("name must be a string") }
        guard let prompt = prompts[name] else { throw .invalidParams("Unknown prompt: \(name)") }
        let arguments = try Self.strings(params["arguments"], "arguments")
        for argument in prompt.description.arguments
        where argument.isRequired && arguments[argument.name] == nil {
            throw .invalidParams("Missing argument: \(argument.name)")
        }
        return Work { context in try await prompt.get(arguments, context).wire }
    }

    private func complete(_ params: JSONValue) throws(Failure) -> Work {
        guard let argument = params["argument"], let name = argument["name"]?.string,
            let value = argument["value"]?.string
        else { throw .invalidParams("argument must have name and value, strings") }
        let settled = try Self.strings(params["context"]?["arguments"], "context.arguments")
        let completer = try completer(of: params["ref"] ?? .null, name)
        return Work { _ in
            let request = CompletionRequest(value: value, settled: settled)
            return Completion.wire(try await completer?(request) ?? [])
        }
    }

    /// The completer of an argument; nil if there is nothing to propose.
    private func completer(of reference: JSONValue, _ argument: String) throws(Failure) -> Completer? {
        switch reference["type"]?.string {
        case "ref/prompt":
            guard let name = reference["name"]?.string, let prompt = prompts[name] else {
                throw .invalidParams("Unknown prompt in ref")
            }
            guard prompt.description.arguments.contains(where: { $0.name == argument }) else {
                throw .invalidParams("Unknown argument: \(argument)")
            }
            return prompt.completers[argument]
        case "ref/resource":
            guard let uri = reference["uri"]?.string else { throw .invalidParams("ref must have a uri") }
            if let template = templates[uri] {
                guard template.template.variables.contains(argument) else {
                    throw .invalidParams("Unknown argument: \(argument)")
                }
                return template.completers[argument]
            }
            guard resources[uri] != nil else { throw .invalidParams("Unknown resource in ref") }
            return nil
        default:
            throw .invalidParams("ref must be of type ref/prompt or ref/resource")
        }
    }

    /// The strings of an object by name.
    private static func strings(_ value: JSONValue?, _ name: String) throws(Failure) -> [String: String] {
        guard let value else { return [:] }
        guard let members = value.members else { throw .invalidParams("\(name) must be an object") }
        var strings: [String: String] = [:]
        for member in members {
            guard let text = member.value.string else {
                throw .invalidParams("\(name).\(member.name) must be a string")
            }
            strings[member.name] = text
        }
        return strings
    }
}

extension Failure {
    static func invalidParams(_ message: String) -> Failure {
        Failure(.invalidParams, message, source: .client)
    }
}
