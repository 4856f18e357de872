// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore

/// What a handler asked at once, and waits for.
struct Ask {
    /// Its number, by which the shell knows who waits.
    let number: Int
    /// The questions that are not answered yet.
    var open: [Question]
    /// The answers by the handler's keys.
    var answers: [String: JSONValue] = [:]

    struct Question {
        let request: InputRequest
        /// The parameters, as the client gets them.
        let params: JSONValue
        /// The key that the client sees: the handler's, unless that is taken.
        let key: String
        /// The id of the request that asks a legacy client.
        var id: Int?
    }
}

/// A request to a legacy client.
struct LegacyQuestion {
    let job: Int
    let ask: Int
}

extension ConnectionMachine {
    /// How many questions of a call may be open.
    static let openQuestions = 64

    /// Asks the client; `answer` tells the asker, at once if the client cannot be asked.
    mutating func ask(_ id: Int, _ number: Int, _ requests: [InputRequest], now: Int) {
        guard !isClosed, var job = jobs[id] else { return fail(number, CancellationError()) }
        guard !requests.isEmpty else { return actions.append(.answer(number, .success([:]))) }
        var ask = Ask(number: number, open: [])
        do throws(AskError) {
            ask.open = try phrase(requests, for: job)
        } catch {
            return fail(number, error)
        }
        job.asks.append(ask)
        jobs[id] = job
        asks[number] = id
        if job.speaker.revision.era == .legacy {
            for question in ask.open { send(question, of: number, of: id) }
            if deadlines[id] == nil { deadlines[id] = now &+ options.questionTTL }
        } else if let task = job.task {
            tasks[task]?.keys.formUnion(ask.open.map(\.key))
            taskChanged(task)
        } else if job.request != nil {
            park(id, now: now)
        }
        arm()
    }

    /// The questions as this client gets them.
    private mutating func phrase(
        _ requests: [InputRequest],
        for job: Job
    ) throws(AskError) -> [Ask.Question] {
        guard Set(requests.map(\.key)).count == requests.count else {
            throw .malformed("two questions have the same key")
        }
        let open = job.asks.reduce(0) { $0 + $1.open.count }
        let isWaiting = !job.asks.isEmpty || job.task != nil
        guard isWaiting || deadlines.count < options.limits.parkedCalls,
            open + requests.count <= Self.openQuestions
        else {
            throw .refused(code: ErrorCode.internalError.value, message: "Too many questions are open")
        }
        var taken = job.task.flatMap { tasks[$0]?.keys } ?? []
        for ask in job.asks { taken.formUnion(ask.open.map(\.key)) }
        var missing: JSONValue?
        var questions: [Ask.Question] = []
        for request in requests {
            do throws(AskError) {
                let secret = options.environment.secret
                let params = try QuestionForm.params(of: request, for: job.speaker, id: secret)
                let key = Self.key(request.key, taken)
                taken.insert(key)
                let isRequest = job.speaker.revision.era == .legacy
                let id = isRequest ? makeQuestionNumber() : nil
                questions.append(Ask.Question(request: request, params: params, key: key, id: id))
            } catch .missingCapability(let capability) {
                missing = missing?.merging(capability) ?? capability
            } catch {
                throw error
            }
        }
        if let missing { throw .missingCapability(missing) }
        return questions
    }

    private static func key(_ key: String, _ taken: Set<String>) -> String {
        guard taken.contains(key) else { return key }
        var number = 2
        while taken.contains("\(key)-\(number)") { number += 1 }
        return "\(key)-\(number)"
    }

    private mutating func send(_ question: Ask.Question, of ask: Int, of job: Int) {
        guard let id = question.id else { return }
        questions[id] = LegacyQuestion(job: job, ask: ask)
        let message = JSONValue.of([
            "jsonrpc": "2.0", "id": .number(String(id)), "method": .string(question.request.method),
            "params": question.params.settingMeta(Translation.inputKeyName, .string(question.key)),
        ])
        actions.append(.send(message.text(), request: jobs[job]?.request?.text))
    }

    private mutating func fail(_ number: Int, _ error: any Error) {
        actions.append(.answer(number, .failure(error)))
    }

    // MARK: Answers

    /// The answers among those that a client gave that a job waits for, each fit for its question.
    ///
    /// - Throws: Why one of them is no answer; the others are none of ours and are left out.
    func answers(_ given: [JSONValue.Member], for job: Job) throws(Failure) -> [JSONValue.Member] {
        var answers: [JSONValue.Member] = []
        for question in job.asks.flatMap(\.open) {
            guard let value = given.first(where: { $0.name == question.key })?.value else { continue }
            guard let answer = QuestionForm.answer(value, to: question.request) else {
                throw .invalidParams(
                    "inputResponses.\(question.key) is no answer to \(question.request.method)"
                )
            }
            answers.append(JSONValue.Member(question.key, answer))
        }
        return answers
    }

    /// Takes answers, by the keys that the client saw, and lets those go on who have all of theirs.
    mutating func take(_ answers: [JSONValue.Member], for id: Int) {
        guard var job = jobs[id] else { return }
        for index in job.asks.indices {
            for answer in answers {
                guard let place = job.asks[index].open.firstIndex(where: { $0.key == answer.name }) else {
                    continue
                }
                let question = job.asks[index].open.remove(at: place)
                job.asks[index].answers[question.request.key] = answer.value
            }
        }
        for ask in job.asks where ask.open.isEmpty {
            asks[ask.number] = nil
            actions.append(.answer(ask.number, .success(ask.answers)))
        }
        job.asks.removeAll { $0.open.isEmpty }
        jobs[id] = job
    }

    /// Takes a legacy client's answer to one of our requests; others answer nothing and are ignored.
    mutating func receiveAnswer(_ message: Message, _ bytes: Span<UInt8>) {
        guard let id = bytes.integer(message.envelope.id), let asked = questions.removeValue(forKey: id),
            let ask = jobs[asked.job]?.asks.first(where: { $0.number == asked.ask }),
            let question = ask.open.first(where: { $0.id == id })
        else { return }
        let slice = message.envelope.result.isPresent ? message.envelope.result : message.envelope.error
        let value = slice.isPresent ? (try? JSONValue(bytes.extracting(slice.range))) ?? .null : .null
        if message.envelope.defect == nil, message.envelope.kind == .error {
            let code = value["code"]?.integer ?? ErrorCode.internalError.value
            fail(ask, of: asked.job, .refused(code: code, message: value["message"]?.string ?? ""))
        } else if message.envelope.defect == nil,
            let answer = QuestionForm.answer(value, to: question.request)
        {
            take([JSONValue.Member(question.key, answer)], for: asked.job)
        } else {
            fail(ask, of: asked.job, .malformed("it does not fit \(question.request.method)"))
        }
        if jobs[asked.job]?.asks.isEmpty ?? true { deadlines[asked.job] = nil }
    }

    /// Ends what a handler asked at once, because one answer is an error.
    private mutating func fail(_ ask: Ask, of id: Int, _ error: AskError) {
        guard var job = jobs[id] else { return }
        withdraw([ask], of: job, error)
        job.asks.removeAll { $0.number == ask.number }
        jobs[id] = job
    }

    // MARK: The end of questions

    /// Takes back what a handler asked, for the handler.
    mutating func withdraw(ask number: Int) {
        guard let id = asks[number], var job = jobs[id] else { return }
        withdraw(job.asks.filter { $0.number == number }, of: job)
        job.asks.removeAll { $0.number == number }
        jobs[id] = job
        if job.asks.isEmpty, job.state == nil { deadlines[id] = nil }
        if let task = job.task { taskChanged(task) }
    }

    /// Ends questions of a job; a legacy client is told that they need no answer.
    mutating func withdraw(_ ended: [Ask], of job: Job, _ error: any Error = CancellationError()) {
        for ask in ended {
            asks[ask.number] = nil
            for question in ask.open {
                guard let id = question.id, questions.removeValue(forKey: id) != nil else { continue }
                let params: JSONValue = ["requestId": .number(String(id)), "reason": "no longer needed"]
                notify(.cancelled, params, request: job.request?.text)
            }
            fail(ask.number, error)
        }
    }
}
