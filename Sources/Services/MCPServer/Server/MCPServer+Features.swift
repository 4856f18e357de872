// Gatehouse. SPDX-License-Identifier: MIT

public import JSON
import URITemplate

// MARK: Tools

extension MCPServer {
    /// Adds a tool whose schemas are written by hand.
    ///
    /// A tool of the same name is replaced, in its place. What the body throws becomes a result that says so, except
    /// `MCPError`, which becomes an error of the protocol.
    ///
    /// - Parameters:
    ///   - name: Its name: up to 64 of the characters `A-Z a-z 0-9 _ - .`.
    ///   - title: Its name, for people.
    ///   - description: What it does, for the model.
    ///   - inputSchema: The JSON Schema of its arguments, an object of type `object`.
    ///   - outputSchema: The JSON Schema of its structured result.
    ///   - annotations: Hints about what it does, an object (2026-07-28, `ToolAnnotations`).
    ///   - icons: Its icons.
    ///   - taskSupport: Whether its calls become tasks.
    ///   - body: Calls it with its arguments, an object that is not checked against the schema.
    public func addTool(
        named name: String,
        title: String? = nil,
        description: String? = nil,
        inputSchema: JSONValue = ["type": "object"],
        outputSchema: JSONValue? = nil,
        annotations: JSONValue? = nil,
        icons: [Icon] = [],
        taskSupport: TaskSupport = .never,
        _ body: @escaping @Sendable (JSONValue, RequestContext) async throws -> ToolResult
    ) {
        let definition = JSONValue.of([
            "name": .string(name), "title": title.map { .string($0) },
            "description": description.map { .string($0) }, "inputSchema": inputSchema,
            "outputSchema": outputSchema, "annotations": annotations, "icons": icons.wire,
        ])
        add(RegisteredTool(name: name, definition: definition, taskSupport: taskSupport, call: body))
    }

    /// Adds a tool, or replaces the one of its name.
    func add(_ tool: RegisteredTool) {
        change(.toolsChanged) { registry in
            registry.note(.tools)
            if tool.taskSupport != .never { registry.note(.tasks) }
            registry.tools[tool.name] = tool
        }
    }

    /// Takes a tool away; calls of it that run go on.
    public func removeTool(named name: String) {
        guard registry.tools[name] != nil else { return }
        change(.toolsChanged) { $0.tools[name] = nil }
    }
}

// MARK: Resources

extension MCPServer {
    /// Adds a resource, or replaces the one of its URI.
    ///
    /// - Parameters:
    ///   - resource: How it is listed.
    ///   - read: Reads it: one part, or several.
    public func addResource(
        _ resource: ResourceDescription,
        _ read: @escaping @Sendable (RequestContext) async throws -> [ResourceContents]
    ) {
        change(.resourcesChanged) { registry in
            registry.note(.resources)
            registry.resources[resource.uri] = RegisteredResource(definition: resource.wire, read: read)
        }
    }

    /// Takes a resource away.
    public func removeResource(uri: String) {
        guard registry.resources[uri] != nil else { return }
        change(.resourcesChanged) { $0.resources[uri] = nil }
    }

    /// Adds a family of resources, or replaces the one of its template.
    ///
    /// A URI is read by the first family that it belongs to, unless it is a resource of its own.
    ///
    /// - Parameters:
    ///   - template: How it is listed.
    ///   - completers: What finds values for its variables, by the variable's name.
    ///   - read: Reads the resource of a URI, which gave the variables these values; it throws
    ///     `MCPError.resourceNotFound` where there is none.
    /// - Throws: What is wrong with the template.
    public func addTemplate(
        _ template: ResourceTemplate,
        completers: [String: Completer] = [:],
        _ read:
            @escaping @Sendable (
                _ uri: String, _ variables: [String: String], _ context: RequestContext
            ) async throws -> [ResourceContents]
    ) throws {
        let registered = RegisteredTemplate(
            template: try URITemplate(template.uriTemplate),
            definition: template.wire,
            completers: completers,
            read: read
        )
        change(.resourcesChanged) { registry in
            registry.note(.resources)
            if !completers.isEmpty { registry.note(.completions) }
            registry.templates[template.uriTemplate] = registered
        }
    }

    /// Takes a family of resources away.
    public func removeTemplate(_ uriTemplate: String) {
        guard registry.templates[uriTemplate] != nil else { return }
        change(.resourcesChanged) { $0.templates[uriTemplate] = nil }
    }

    /// Tells those who subscribed to a resource that it holds something else now.
    public func resourceChanged(_ uri: String) {
        announce(.resourceUpdated(uri))
    }
}

// MARK: Prompts

extension MCPServer {
    /// Adds a prompt, or replaces the one of its name.
    ///
    /// - Parameters:
    ///   - prompt: How it is listed.
    ///   - completers: What finds values for its arguments, by the argument's name.
    ///   - get: Makes the messages from the arguments; those that are required are there.
    public func addPrompt(
        _ prompt: PromptDescription,
        completers: [String: Completer] = [:],
        _ get:
            @escaping @Sendable (_ arguments: [String: String], _ context: RequestContext) async throws ->
            PromptResult
    ) {
        change(.promptsChanged) { registry in
            registry.note(.prompts)
            if !completers.isEmpty { registry.note(.completions) }
            registry.prompts[prompt.name] =
                RegisteredPrompt(description: prompt, completers: completers, get: get)
        }
    }

    /// Takes a prompt away.
    public func removePrompt(named name: String) {
        guard registry.prompts[name] != nil else { return }
        change(.promptsChanged) { $0.prompts[name] = nil }
    }
}
