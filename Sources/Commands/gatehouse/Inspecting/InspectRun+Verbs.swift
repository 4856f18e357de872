// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPClient
import MCPCore

extension InspectRun {
    /// Does what was asked of a server that is connected.
    func perform(_ server: ServerDescription) {
        if command.isVerbose, server.era == .legacy, server.offers("logging") {
            client?.request("logging/setLevel", ["level": "debug"]) { _ in }
        }
        switch command.verb {
        case .overview: overview(server)
        case .list(let listing): list(listing)
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
                return end(0)
            }
            request(method, params) { [style] in ResultText(style: style).json($0) }
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
                self.end(0)
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
            return end(0)
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
        client?.list("tools/list") { [weak self] outcome in
            guard let self else { return }
            switch outcome {
            case .failure(let error): self.fail(error)
            case .success(let result):
                let tools = result["tools"]?.array ?? []
                let tool = tools.first { $0["name"]?.string?.utf8.elementsEqual(name.utf8) == true }
                self.call(name, words, schema: tool?["inputSchema"] ?? .object([]))
            }
        }
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
            end(2)
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
                let needsInput = result["resultType"] == "input_required"
                if self.command.wantsJSON || needsInput {
                    self.show(json: result)
                } else {
                    let text = text(result)
                    if !text.isEmpty { self.output(text) }
                }
                if needsInput { self.talk.failure("the server asks for input, which cannot be given here") }
                let isError = result["isError"]?.bool == true
                if isError { self.talk.failure("the tool reports an error") }
                self.end(isError || needsInput ? 1 : 0)
            }
        }
    }
}
