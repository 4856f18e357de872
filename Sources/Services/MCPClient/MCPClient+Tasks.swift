// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import JSON
import JSONRPC
import MCPCore

extension MCPClient {
    /// How often in a row a look at a task may fail before its call does.
    private static let missLimit = 5
    /// Milliseconds for a server to hear that a task is not wanted any more.
    private static let farewell: UInt64 = 2000

    /// Stays with a call that the server has made a task of (extension `io.modelcontextprotocol/tasks`).
    func watch(_ call: MCPCall, _ created: JSONValue) {
        guard call.method == Method.toolsCall.rawValue, let task = TaskWatch(created) else {
            return call.finish(.failure(.malformed("the server's task has no id, or no status")))
        }
        call.task = task
        tell(task)
        look(at: call, after: TaskWatch.interval(of: created))
    }

    private func look(at call: MCPCall, after milliseconds: UInt64) {
        guard call.isOpen else { return }
        call.stopTimer()
        call.timer = LoopTimer(loop) { [weak self, weak call] in
            guard let self, let call, call.isOpen, let task = call.task else { return }
            guard self.left(call) > 0 else { return self.abandon(call, .timedOut) }
            self.request(Method.tasksGet.rawValue, task.params) { [weak self, weak call] in
                guard let self, let call, call.isOpen else { return }
                self.looked(at: call, $0)
            }
        }
        call.timer?.schedule(after: milliseconds)
    }

    private func looked(at call: MCPCall, _ outcome: Result<JSONValue, MCPClientError>) {
        guard var task = call.task else { return }
        switch outcome {
        case .success(let state):
            call.misses = 0
            let before = task.status
            let step = task.take(state)
            call.task = task
            if task.status != before || task.message != nil { tell(task) }
            switch step {
            case .done(let outcome): call.finish(outcome)
            case .poll(let pause, let questions):
                for question in questions { ask(question, of: call, task) }
                look(at: call, after: pause)
            }
        case .failure(.refused(let failure, let status)):
            // The server knows nothing of the task: it will not come back.
            call.finish(.failure(.refused(failure, status: status)))
        case .failure(let error):
            call.misses += 1
            guard call.misses < Self.missLimit, transport != nil else { return call.finish(.failure(error)) }
            look(at: call, after: TaskWatch.interval)
        }
    }

    /// Asks what a task wants to know; each answer is sent by itself.
    private func ask(_ question: Rounds.Question, of call: MCPCall, _ task: TaskWatch) {
        guard canAsk(question) else {
            return abandon(call, .unanswered("this client does not offer \(question.method)"))
        }
        ask(question, of: call) { [weak self, weak call] outcome in
            guard let self, let call else { return }
            let answer: JSONValue
            switch outcome {
            case .success(let value): answer = value
            case .failure where question.method == Method.elicit.rawValue: answer = ["action": "cancel"]
            case .failure(let failure): return self.abandon(call, .unanswered(failure.message))
            }
            self.request(Method.tasksUpdate.rawValue, task.update(question.key, answer)) {
                [weak self, weak call] in
                if case .failure(let error) = $0, let self, let call { self.abandon(call, error) }
            }
        }
    }

    /// Ends a call whose task nobody waits for any more, once the server knows, or has had time to.
    func cancel(_ task: TaskWatch, of call: MCPCall, _ reason: MCPClientError) {
        call.stopTimer()
        guard transport != nil else { return call.finish(.failure(reason)) }
        let word = MCPCall(Method.tasksCancel.rawValue, task.params, nil) { _ in
            call.finish(.failure(reason))
        }
        word.timeout = Self.farewell
        start(word)
    }

    private func tell(_ task: TaskWatch) {
        onEvent(.task(id: task.id, status: task.status, message: task.message))
    }
}
