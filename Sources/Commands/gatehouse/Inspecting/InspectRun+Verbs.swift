// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPClient
import MCPCore

extension InspectRun {
    /// Begins what was asked of a server that is connected; `finish` or `fail` follow.
    func begin(_ verb: InspectCommand.Verb, _ server: ServerDescription) {
        switch verb {
        case .unspecified, .shell, .overview: overview(server)
        case .list(let listing): list(listing)
        case .tool(let name): tool(name)
        case .call(let name, let words): call(name, words, server)
        case .read(let uri):
            request("resources/read", ["uri": .string(uri)]) { [style] in
                ResultText(style: style).contents($0)
            }
        case .prompt(let name, let words):
            guard let arguments = arguments(words, schema: nil) else { return }
            request("prompts/get", ["name": .string(name), "arguments": arguments]) { [style] in
                ResultText(style: style).messages($0)
            }
        case .method(let method, let words):
            guard let params = arguments(words, schema: .object([])) else { return }
            guard !method.hasPrefix("notifications/") else {
                client?.notify(method, params)
                return finish(0)
            }
            request(method, params) { [style] in ResultText(style: style).json($0) }
        case .subscribe(let words): subscribe(words, server)
        }
    }

    // MARK: Lists

    private func list(_ listing: Listing) {
        client?.list(listing.method) { [weak self] outcome in
            guard let self else { return }
            switch outcome {
            case .failure(let error): self.fail(error)
            case .success(let result):
                if self.command.wantsJSON {
                    self.show(json: result)
                } else {
                    let elements = result[listing.member]?.array ?? []
                    self.output(Overview(style: self.style).section(listing, elements))
                }
                self.finish(0)
            }
        }
    }

    /// One tool, with the schemas as they are.
    private func tool(_ name: String) {
        find(name) { [weak self] tool in
            guard let self else { return }
            guard let tool else {
                self.talk.failure("the server has no tool \"\(name)\"")
                return self.finish(1)
            }
            if self.command.wantsJSON {
                self.show(json: tool)
            } else {
                self.output(Overview(style: self.style).whole(tool))
            }
            self.finish(0)
        }
    }

    private func find(_ name: String, _ found: @escaping (JSONValue?) -> Void) {
        client?.list("tools/list") { [weak self] outcome in
            switch outcome {
            case .failure(let error): self?.fail(error)
            case .success(let result):
                let tools = result["tools"]?.array ?? []
                found(tools.first { $0["name"]?.string?.utf8.elementsEqual(name.utf8) == true })
            }
        }
    }

    /// Everything, list by list.
    private func overview(_ server: ServerDescription) {
        let offered = Listing.allCases.filter { server.offers($0.capability) }
        if !command.wantsJSON { output(Overview(style: style).header(server)) }
        let description: JSONValue = [
            "era": .string(server.era.rawValue), "protocolVersion": .string(server.revision.rawValue),
            "serverInfo": server.info, "capabilities": server.capabilities,
            "instructions": server.instructions.map { .string($0) } ?? .null,
        ]
        overview(offered[...], [.init("server", description)])
    }

    private func overview(_ left: ArraySlice<Listing>, _ gathered: [JSONValue.Member]) {
        guard let listing = left.first else {
            if command.wantsJSON { show(json: .object(gathered)) }
            return finish(0)
        }
        client?.list(listing.method) { [weak self] outcome in
            guard let self else { return }
            switch outcome {
            // Servers that have resources but no templates may not know the method.
            case .failure(.refused(let failure, _))
            where listing == .templates && failure.code == .methodNotFound:
                self.overview(left.dropFirst(), gathered)
            case .failure(let error): self.fail(error)
            case .success(let result):
                let elements = result[listing.member]?.array ?? []
                if !self.command.wantsJSON, !elements.isEmpty {
                    self.output("\n" + Overview(style: self.style).section(listing, elements))
                }
                self.overview(left.dropFirst(), gathered + [.init(listing.member, .array(elements))])
            }
        }
    }

    // MARK: Requests

    /// Calls a tool, after a look at its schema, which tells what the words mean and which headers go with them.
    private func call(_ name: String, _ words: [String], _ server: ServerDescription) {
        guard server.offers("tools") else { return call(name, words, schema: .object([])) }
        find(name) { [weak self] in self?.call(name, words, schema: $0?["inputSchema"] ?? .object([])) }
    }

    private func call(_ name: String, _ words: [String], schema: JSONValue) {
        guard let arguments = arguments(words, schema: schema) else { return }
        request("tools/call", ["name": .string(name), "arguments": arguments]) { [style] in
            ResultText(style: style).call($0)
        }
    }

    private func arguments(_ words: [String], schema: JSONValue?) -> JSONValue? {
        do throws(ToolArguments.Misuse) {
            return try ToolArguments.parse(words, schema: schema)
        } catch {
            talk.failure("\(error.message); see gatehouse inspect --help")
            finish(2)
            return nil
        }
    }

    private func request(_ method: String, _ params: JSONValue, _ text: @escaping (JSONValue) -> String) {
        client?.request(method, params, onProgress: { [talk] in talk.progress($0) }) { [weak self] outcome in
            guard let self else { return }
            self.talk.endProgress()
            switch outcome {
            case .failure(let error): self.fail(error)
            case .success(let result):
                if self.command.wantsJSON {
                    self.show(json: result)
                } else {
                    let text = text(result)
                    if !text.isEmpty { self.output(text) }
                }
                let isError = result["isError"]?.bool == true
                if isError { self.talk.failure("the tool reports an error") }
                self.finish(isError ? 1 : 0)
            }
        }
    }

    // MARK: Subscriptions

    /// What words such as `tools file:///x` mean; without any, the lists that the server offers to watch.
    static func filter(_ words: [String], _ server: ServerDescription) -> SubscriptionFilter {
        var filter = SubscriptionFilter()
        for word in words {
            switch word {
            case "tools": filter.tools = true
            case "prompts": filter.prompts = true
            case "resources": filter.resources = true
            default: filter.uris.append(word)
            }
        }
        guard words.isEmpty else { return filter }
        filter.tools = server.notifies("tools")
        filter.prompts = server.notifies("prompts")
        filter.resources = server.notifies("resources")
        return filter
    }

    /// Shows changes until the user, or the server, ends it.
    private func subscribe(_ words: [String], _ server: ServerDescription) {
        let filter = Self.filter(words, server)
        guard !filter.isEmpty else {
            talk.failure("the server does not tell when its lists change; name a resource by its URI")
            return finish(1)
        }
        subscription = client?.subscribe(filter) { [weak self] event in
            guard let self else { return }
            self.show(event)
            guard case .ended(let error) = event else { return }
            self.subscription = nil
            if let error { self.fail(error) } else { self.finish(0) }
        }
    }

    /// Shows what became of a subscription: changes as data, the rest as talk.
    func show(_ event: MCPSubscription.Event) {
        switch event {
        case .began(let filter):
            var watched = [
                filter.tools ? "tools" : nil, filter.prompts ? "prompts" : nil,
                filter.resources ? "resources" : nil,
            ].compactMap(\.self)
            watched += filter.uris
            talk.note("watching " + (watched.isEmpty ? "nothing" : watched.joined(separator: ", ")))
        case .notice(let method, let params):
            if command.wantsJSON {
                show(json: ["method": .string(method), "params": params])
            } else {
                let uri = params["uri"]?.string.map { " " + Style.safe($0) } ?? ""
                output(Style.safe(method.replacing("notifications/", with: "")) + uri)
            }
        case .interrupted(let error): talk.note("the stream broke off and is opened again: \(error)")
        case .ended(nil): talk.note("the server has ended the subscription")
        case .ended: break
        }
    }
}
