// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON
import JSONRPC

/// The calls of modern callers at one server of the legacy era: whose turn it is, whose question a question is, and which
/// calls are parked behind one (2026-07-28, "Multi Round-Trip Requests").
///
/// A question of a legacy server names no call. So where the server may ask, one call at a time is with it, and the others
/// wait for their turn. When the server has been silent for a moment after a question, all that it asked is given to the
/// caller as one round, and the call is parked: it no longer takes up the turn, and a retry with its state wakes it. A state
/// is good once. A call that is given up keeps the turn until the server is known to have read that: what it asks until then
/// is asked of nobody.
///
/// It starts empty, is told what happens, and returns what is to be done, in order. Calls go by keys that its owner chooses.
package struct ParkedCalls: Sendable {
    private enum Phase: Equatable {
        case queued
        case running
        case parked
        /// Its caller is back with answers and waits for the turn.
        case returning([Answer])
        /// The server has answered; the caller has not come back yet.
        case settled
        /// It waits for the turn to be given up, by doing this.
        case departing([Action])
        /// It was given up, and the server may not have read so yet.
        case leaving

        /// Whether the server works on it.
        var isWithServer: Bool { self != .queued && self != .settled }
    }

    private struct Answer: Equatable {
        let number: Int
        let value: JSONValue
    }

    private struct Entry {
        var phase: Phase
        /// Whether its result may be a round of questions.
        let mayAsk: Bool
        var questions: [Question] = []
        /// What a retry must name, while it is parked or settled.
        var state = 0
        /// Whether it has asked since it was given up, and how often it was waited for.
        var asksOn = false
        var waits = 0
        /// Until when more questions are gathered, while it is running; until when its caller may come back, else.
        var deadline: UInt64?

        /// The questions that the server still waits for, with those whose answers wait for the turn.
        var unanswered: [Int] {
            guard case .returning(let answers) = phase else { return questions.map(\.number) }
            return answers.map(\.number) + questions.map(\.number)
        }
    }

    /// Whether one call at a time is with the server, since it may ask.
    package let isExclusive: Bool
    private let limits: Limits
    private var entries: [Int: Entry] = [:]
    /// The call whose turn it is, where only one may be with the server.
    private var active: Int?
    private var queue: [Int] = []
    private var nextState = 1

    /// Starts without calls.
    ///
    /// - Parameters:
    ///   - mayAsk: Whether the server was told that it may ask, so that one call at a time is with it.
    ///   - limits: Bounds and times.
    package init(mayAsk: Bool, limits: Limits = Limits()) {
        isExclusive = mayAsk
        self.limits = limits
    }

    /// How many calls are known.
    package var count: Int { entries.count }
    /// Whether a call waits for its caller.
    package var hasParked: Bool { entries.values.contains { $0.phase == .parked || $0.phase == .settled } }
    /// Whether the caller of a call waits for its answer.
    package var isBusy: Bool { entries.values.contains { $0.phase != .parked && $0.phase != .settled } }
    /// When `tick` has something to do.
    package var nextDeadline: UInt64? {
        // Asked for with each call: where the server may not ask, nothing is ever waited for.
        isExclusive ? entries.values.lazy.compactMap(\.deadline).min() : nil
    }

    /// The call that a message of the server most likely belongs to: the only one that is with it, if its caller is there.
    package var onlyRunning: Int? {
        var found: Int?
        for (key, entry) in entries where entry.phase.isWithServer {
            if found != nil { return nil }
            found = key
        }
        return found.flatMap { entries[$0]?.phase == .running ? $0 : nil }
    }

    // MARK: From callers

    /// Takes a new call; nil if too many wait.
    ///
    /// A call whose caller could not be asked needs no turn: no question is taken for its own.
    ///
    /// - Parameters:
    ///   - key: The call.
    ///   - mayAsk: Whether its result may be a round of questions.
    /// - Returns: What is to be done.
    package mutating func add(_ key: Int, mayAsk: Bool) -> [Action]? {
        guard isExclusive, mayAsk, active != nil else {
            if isExclusive, mayAsk { active = key }
            entries[key] = Entry(phase: .running, mayAsk: mayAsk)
            return [.start(key)]
        }
        guard queue.count < limits.queued else { return nil }
        entries[key] = Entry(phase: .queued, mayAsk: mayAsk)
        queue.append(key)
        return []
    }

    /// Takes a retry of a parked call.
    ///
    /// Answers that are missing are asked for again; those that nobody asked for are ignored.
    ///
    /// - Parameters:
    ///   - state: What the caller was given with the questions.
    ///   - responses: The caller's answers by key.
    ///   - now: The time in milliseconds.
    /// - Returns: The call, and what is to be done.
    package mutating func retry(_ state: Int, _ responses: [JSONValue.Member], at now: UInt64) -> Retry {
        guard let (key, entry) = entries.first(where: { $0.value.state == state && state > 0 }) else {
            let text =
                "requestState names no call that waits: it was used, it is too old, or the server has ended"
            return .refused(Failure(.invalidParams, text, source: .client))
        }
        if entry.phase == .settled {
            entries[key] = nil
            return .taken(key, [.deliver(key)])
        }
        var answers: [Answer] = []
        var open: [Question] = []
        for question in entry.questions {
            guard let given = responses.first(where: { $0.name.hasSameBytes(as: question.key) }) else {
                open.append(question)
                continue
            }
            guard let answer = Translation.answer(fromInputResponse: given.value, method: question.method)
            else {
                let text = "inputResponses has no valid answer to \(question.key)"
                return .refused(Failure(.invalidParams, text, source: .client))
            }
            answers.append(Answer(number: question.number, value: answer))
        }
        if answers.isEmpty, !open.isEmpty {
            return .taken(key, park(key, open, at: now))
        }
        entries[key]?.questions = open
        entries[key]?.state = 0
        entries[key]?.deadline = nil
        guard isExclusive, active != nil else { return .taken(key, wake(key, answers, at: now)) }
        // It was let in before, so that the bound on those that wait does not hold it back.
        entries[key]?.phase = .returning(answers)
        queue.append(key)
        return .taken(key, [])
    }

    /// The caller of a call that it waits for is gone.
    package mutating func cancel(_ key: Int) -> [Action] {
        guard let entry = entries[key] else { return [] }
        switch entry.phase {
        case .parked, .settled, .departing, .leaving: return []
        case .queued: return [.forget(key)] + leave(key)
        case .running, .returning:
            return giveUp(key, Self.refuse(entry.unanswered, "The call was taken back") + [.cancel(key)])
        }
    }

    /// The server has read all that it was sent before the sign of life that was asked for.
    ///
    /// What it has asked meanwhile was refused, and it may ask on until it has read that.
    package mutating func drained(_ key: Int) -> [Action] {
        guard let entry = entries[key], entry.phase == .leaving else { return [] }
        guard entry.asksOn else { return leave(key) }
        guard entry.waits < limits.patienceWithAskers else { return [.replace] + leave(key) }
        entries[key]?.asksOn = false
        entries[key]?.waits += 1
        return [.drain(key)]
    }

    // MARK: From the server

    /// The server asks something.
    ///
    /// - Parameters:
    ///   - number: Our number for the question.
    ///   - method: What it asks.
    ///   - params: The parameters.
    ///   - declared: What the callers of this server declared that they can answer.
    ///   - now: The time in milliseconds.
    /// - Returns: What is to be done.
    package mutating func asked(
        _ number: Int,
        _ method: Method,
        _ params: JSONValue,
        declared: JSONValue,
        at now: UInt64
    ) -> [Action] {
        if let active, entries[active]?.phase == .leaving { entries[active]?.asksOn = true }
        let question = Translation.inputRequest(fromQuestion: method, params: params, declared: declared)
        if case .failure(let failure) = question, failure.code == .missingClientCapability {
            return undeclared(number, failure)
        }
        guard let key = asking, var entry = entries[key] else {
            let text = "No call is being answered that the question could belong to"
            return [.refuse(number, Failure(.internalError, text, source: .upstream))]
        }
        switch question {
        case .failure(let failure):
            return [.refuse(number, failure)]
        case .success(let request):
            guard entry.questions.count < limits.questions else {
                let text = "Too many questions wait for an answer"
                return [.refuse(number, Failure(.internalError, text, source: .upstream))]
            }
            var name = Translation.inputKey(of: params, method: method, number: number)
            while entry.questions.contains(where: { $0.key.hasSameBytes(as: name) }) { name += "-\(number)" }
            entry.questions.append(Question(number: number, method: method, key: name, request: request))
            // What a parked call asks is given to its caller with the next round.
            if entry.phase == .running { entry.deadline = now &+ limits.silence }
            entries[key] = entry
            return []
        }
    }

    /// The server asks what its callers did not declare: it is told so, and so is the caller whose call needs it.
    private mutating func undeclared(_ number: Int, _ failure: Failure) -> [Action] {
        let text = "The client did not declare that it can answer this"
        let refusal = Action.refuse(number, Failure(.methodNotFound, text, source: .client))
        guard let key = isExclusive ? asking : onlyRunning, let entry = entries[key], entry.mayAsk,
            entry.phase == .running
        else { return [refusal] }
        let refusals = Self.refuse(entry.unanswered, "The call has ended")
        return refusals + [refusal, .fail(key, failure)] + giveUp(key, [.cancel(key)])
    }

    /// The server takes a question back.
    package mutating func withdrew(_ number: Int) {
        for (key, entry) in entries {
            if case .returning(let answers) = entry.phase, answers.contains(where: { $0.number == number }) {
                entries[key]?.phase = .returning(answers.filter { $0.number != number })
                return
            }
            if case .departing(let farewell) = entry.phase {
                entries[key]?.phase = .departing(farewell.filter { !$0.isAnswer(to: number) })
            }
            guard let index = entry.questions.firstIndex(where: { $0.number == number }) else { continue }
            entries[key]?.questions.remove(at: index)
            if entry.phase == .running, entry.questions.count == 1 { entries[key]?.deadline = nil }
            return
        }
    }

    /// The server has answered a call, or will not: there is something to give to the caller.
    package mutating func settled(_ key: Int) -> [Action] {
        guard let entry = entries[key], entry.phase != .settled, entry.phase != .leaving else { return [] }
        if case .departing(let farewell) = entry.phase {
            return farewell.filter { $0 != .cancel(key) } + [.forget(key)] + leave(key)
        }
        let refusals = Self.refuse(entry.unanswered, "The call has ended")
        guard entry.phase == .parked else { return refusals + [.deliver(key)] + leave(key) }
        entries[key]?.phase = .settled
        entries[key]?.questions = []
        return refusals + [.keep(key)]
    }

    /// Does what time brings: rounds that are complete, and callers that did not come back.
    package mutating func tick(at now: UInt64) -> [Action] {
        var actions: [Action] = []
        for key in entries.keys.sorted() {
            guard let entry = entries[key], let deadline = entry.deadline, deadline <= now else { continue }
            switch entry.phase {
            case .running: actions += park(key, entry.questions, at: now)
            case .parked: actions += giveUp(key, Self.close(entry.questions) + [.cancel(key)])
            case .settled: actions += [.forget(key)] + leave(key)
            case .queued, .returning, .departing, .leaving: entries[key]?.deadline = nil
            }
        }
        return actions
    }

    /// Ends everything: what is parked as if its time were over, the rest by taking it back.
    package mutating func end() -> [Action] {
        var actions: [Action] = []
        queue = []
        for (key, entry) in entries.sorted(by: { $0.key < $1.key }) {
            switch entry.phase {
            case .parked: actions += Self.close(entry.questions) + [.cancel(key)]
            case .running, .returning:
                actions += Self.refuse(entry.unanswered, "The call has ended") + [.cancel(key)]
            case .departing(let farewell): actions += farewell
            case .queued, .settled, .leaving: break
            }
        }
        entries = [:]
        active = nil
        return actions
    }

    // MARK: Turns

    /// The call that a question belongs to: the one that is with the server, else the only parked one.
    private var asking: Int? {
        guard isExclusive else { return nil }
        if let active { return entries[active]?.phase == .running ? active : nil }
        let parked = entries.filter { $0.value.phase == .parked }
        return parked.count == 1 ? parked.first?.key : nil
    }

    private mutating func park(_ key: Int, _ questions: [Question], at now: UInt64) -> [Action] {
        let parked = entries.values.count { $0.phase == .parked || $0.phase == .settled }
        guard entries[key]?.phase == .parked || parked < limits.parked else {
            entries[key]?.questions = []
            entries[key]?.deadline = nil
            return Self.refuse(questions.map(\.number), "Too many calls wait for input")
        }
        entries[key]?.phase = .parked
        entries[key]?.questions = questions
        entries[key]?.state = nextState
        entries[key]?.deadline = now &+ limits.patience
        nextState += 1
        return [.ask(key, questions, state: nextState - 1)] + passTurn(of: key)
    }

    /// Gives a call that was parked its turn, with what its caller answered.
    private mutating func wake(_ key: Int, _ answers: [Answer], at now: UInt64?) -> [Action] {
        if isExclusive { active = key }
        entries[key]?.phase = .running
        if entries[key]?.questions.isEmpty == false {
            entries[key]?.deadline = now.map { $0 &+ limits.silence } ?? 0
        }
        return [.resume(key)] + answers.map { .answer($0.number, $0.value) }
    }

    /// Gives a call up at the server, when it has the turn.
    private mutating func giveUp(_ key: Int, _ farewell: [Action]) -> [Action] {
        guard isExclusive, entries[key]?.mayAsk == true else { return farewell + leave(key) }
        if active == nil || active == key {
            active = key
            queue.removeAll { $0 == key }
            entries[key] = Entry(phase: .leaving, mayAsk: true)
            return farewell + [.drain(key)]
        }
        entries[key] = Entry(phase: .departing(farewell), mayAsk: true)
        if !queue.contains(key) { queue.append(key) }
        return []
    }

    private mutating func leave(_ key: Int) -> [Action] {
        entries[key] = nil
        queue.removeAll { $0 == key }
        return passTurn(of: key)
    }

    private mutating func passTurn(of key: Int) -> [Action] {
        guard active == key else { return [] }
        active = nil
        guard !queue.isEmpty else { return [] }
        let next = queue.removeFirst()
        guard let entry = entries[next] else { return [] }
        if case .returning(let answers) = entry.phase { return wake(next, answers, at: nil) }
        if case .departing(let farewell) = entry.phase { return giveUp(next, farewell) }
        active = next
        entries[next]?.phase = .running
        return [.start(next)]
    }

    private static func refuse(_ numbers: [Int], _ text: String) -> [Action] {
        numbers.map { .refuse($0, Failure(.internalError, text, source: .client)) }
    }

    /// What the server is told when nobody answers: a form was closed; anything else failed.
    private static func close(_ questions: [Question]) -> [Action] {
        questions.map { question in
            guard question.method == .elicit else {
                let failure = Failure(.internalError, "The client did not answer in time", source: .client)
                return .refuse(question.number, failure)
            }
            return .answer(question.number, ["action": "cancel"])
        }
    }
}
