// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import JSON

@testable import MCPServer

/// The engine's side of a context, with answers that were laid out.
final class TestServices: RequestServices, Sendable {
    private struct State {
        var answers: [String: JSONValue] = [:]
        var asked: [InputRequest] = []
        var said: [String] = []
    }

    private let state = Locked(State())

    var client: ClientDescription {
        ClientDescription(info: nil, capabilities: .object([]), revision: "2026-07-28")
    }

    /// What was asked.
    var asked: [InputRequest] { state.withLock { $0.asked } }
    /// Progress and log messages, a line each.
    var said: [String] { state.withLock { $0.said } }

    /// Lays out the answer to a question.
    func answer(_ key: String, _ value: JSONValue) { state.withLock { $0.answers[key] = value } }

    func reportProgress(_ progress: Double, _ total: Double?, _ message: String?) {
        state.withLock { $0.said.append("\(progress) of \(total ?? -1): \(message ?? "")") }
    }

    func log(_ level: LogLevel, _ data: JSONValue, _ logger: String?) {
        state.withLock { $0.said.append("\(level): \(text(data))") }
    }

    func ask(_ questions: [InputRequest]) async throws -> [String: JSONValue] {
        state.withLock { state in
            state.asked += questions
            return state.answers
        }
    }

    func becomeTask() -> Bool { false }
}
