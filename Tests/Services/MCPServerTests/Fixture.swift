// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import JSON
import MCPServer

/// A server with tools of every behaviour.
func makeServer(_ options: ServerOptions = TestWorld().options()) -> MCPServer {
    let server = MCPServer(
        name: "test",
        version: "1.0",
        title: "Test",
        instructions: "Use it.",
        options: options
    )
    server.addTool(named: "echo", description: "Says it again.") { arguments, _ in
        ToolResult([.text(arguments["text"]?.string ?? "")])
    }
    server.addTool(named: "work") { _, context in
        context.reportProgress(0, of: 100)
        context.reportProgress(50, of: 100, message: "half")
        context.reportProgress(50, of: 100)
        context.reportProgress(.nan)
        context.reportProgress(.infinity)
        context.log(.debug, "small")
        context.log(.error, ["what": "big"], logger: "work")
        context.reportProgress(100, of: 100)
        return ToolResult([.text("done")])
    }
    server.addTool(named: "name") { _, context in
        let answer = try await context.elicit("Who?", schema: nameSchema, key: "user_name")
        guard case .accept(let content) = answer else { return ToolResult([.text("nobody: \(answer)")]) }
        return ToolResult([.text("Hello, \(content["name"]?.string ?? "?")!")])
    }
    server.addTool(named: "several") { _, context in
        let answers = try await context.ask([
            .form("Who?", schema: nameSchema, key: "user_name"),
            .sampling(SamplingRequest([.user("Greet")], maxTokens: 10), key: "greeting"),
            .roots(key: "roots"),
        ])
        let name = try ElicitationAnswer(answers["user_name"] ?? .null).content?["name"]?.string ?? "?"
        let greeting = try SamplingAnswer(answers["greeting"] ?? .null).text
        let roots = try Root.list(answers["roots"] ?? .null).map(\.uri).joined(separator: ",")
        return ToolResult([.text("\(greeting), \(name)! \(roots)")])
    }
    server.addTool(named: "steps") { _, context in
        let first = try await context.elicit("One?", schema: nameSchema, key: "step1")
        context.reportProgress(1)
        context.log(.info, "between")
        let second = try await context.elicit("Two?", schema: nameSchema, key: "step2")
        let names = [first, second].map { $0.content?["name"]?.string ?? "?" }
        return ToolResult([.text(names.joined(separator: " and "))])
    }
    server.addTool(named: "fail") { _, _ in throw Trouble() }
    server.addTool(named: "refuse") { _, _ in
        throw MCPError(code: 7, message: "no", data: ["why": "because"])
    }
    return server
}

struct Trouble: Error, CustomStringConvertible {
    var description: String { "it broke" }
}

let nameSchema: JSONValue = [
    "type": "object", "properties": ["name": ["type": "string"]], "required": ["name"],
]

/// A door that handlers wait at until a test opens it, and that tells when one has come.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var arrived = 0
        var handlers: [Int: CheckedContinuation<Void, Never>] = [:]
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var cancelled = 0
        var next = 0
    }

    private let state = Locked(State())

    /// How many handlers were cancelled at the door.
    var cancelled: Int { state.withLock { $0.cancelled } }

    /// Waits until it opens, or the task is cancelled.
    func wait() async throws {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let opens = state.withLock { state in
                    let opens = state.isOpen || Task.isCancelled
                    if !opens { state.handlers[number] = continuation }
                    return opens
                }
                note { $0.arrived += 1 }
                if opens { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.handlers.removeValue(forKey: number) }?.resume()
        }
        if Task.isCancelled {
            note { $0.cancelled += 1 }
            throw CancellationError()
        }
    }

    /// Waits until so many have come, or were cancelled.
    func arrivals(_ count: Int) async {
        await withCheckedContinuation { continuation in
            state.withLock { $0.watchers.append((count, continuation)) }
            note { _ in }
        }
    }

    func open() {
        let handlers = state.withLock { state in
            state.isOpen = true
            defer { state.handlers = [:] }
            return state.handlers.values.map { $0 }
        }
        for handler in handlers { handler.resume() }
    }

    private func note(_ change: (inout State) -> Void) {
        let ready = state.withLock { state in
            change(&state)
            let events = state.arrived + state.cancelled
            defer { state.watchers.removeAll { $0.count <= events } }
            return state.watchers.filter { $0.count <= events }.map(\.continuation)
        }
        for watcher in ready { watcher.resume() }
    }
}
