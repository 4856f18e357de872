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
    private static let openQuestions = 64

    /// Asks the client; `answer` tells the asker, at once if the client cannot be asked.
    mutating func ask(_ id: Int, _ number: Int, _ requests: [InputRequest], now: Int) {
        guard !isClosed, var job = jobs[id] else { return fail(number, CancellationError()) }
        guard !requests.isEmpty else { return actions.append(.answer(number, .success([:]))) }
        if let error = refusal(of: requests, in: job) { return fail(number, error) }
        var ask = Ask(number: number, open: [])
        for request in requests {
            let key = makeKey(request.key, for: job)
            if let task = job.task { tasks[task]?.keys.insert(key) }
            var question = Ask.Question(request: request, key: key)
            if job.speaker.revision.era == .legacy {
                question.id = makeQuestionNumber()
                if let number = question.id { questions[number] = LegacyQuestion(job: id, ask: ask.number) }
            }
            ask.open.append(question)
            // Each key is taken from here on.
            job.asks.removeAll { $0.number == number }
            job.asks.append(ask)
        }
        jobs[id] = job
        asks[number] = id
        if job.speaker.revision.era == .legacy {
            for question in ask.open { send(question, of: job) }
            if deadlines[id] == nil { deadlines[id] = now &+ options.questionTTL }
        } else if let task = job.task {
            taskChanged(task)
        } else if job.request != nil {
            park(id, now: now)
        }
        arm()
    }

    /// Why the client cannot be asked.
    private func refusal(of requests: [InputRequest], in job: Job) -> AskError? {
        guard Set(requests.map(\.key)).count == requests.count else {
            return .malformed("two questions have the same key")
        }
        var missing = JSONValue.object([])
        for request in requests {
            guard let needed = Needs.capability(for: request) else {
                return .malformed("\(request.method) is not a question that a client can be asked")
            }
            if !Needs.has(needed, job.speaker) { missing = missing.merging(needed) }
        }
        if missing != .object([]) { return .missingCapability(missing) }
        let open = job.asks.reduce(0) { $0 + $1.open.count }
        let waits =
            deadlines.count < options.limits.parkedCalls || job.asks.isEmpty == false || job.task != nil
        guard waits, open + requests.count <= Self.openQuestions else {
            return .refused(code: ErrorCode.internalError.value, message: "Too many questions are open")
        }
        return nil
    }

    private func makeKey(_ key: String, for job: Job) -> String {
        var taken = job.task.flatMap { tasks[$0]?.keys } ?? []
        for ask in job.asks { taken.formUnion(ask.open.map(\.key)) }
        guard taken.contains(key) else { return key }
        var number = 2
        while taken.contains("\(key)-\(number)") { number += 1 }
        return "\(key)-\(number)"
    }

    private mutating func send(_ question: Ask.Question, of job: Job) {
        guard let id = question.id else { return }
        let params = LegacyForm.params(
            question.request,
            key: question.key,
            id: options.environment.secret(),
            for: job.speaker.revision
        )
        let message = JSONValue.of([
            "jsonrpc": "2.0", "id": .number(String(id)), "method": .string(question.request.method),
            "params": params,
        ])
        actions.append(.send(message.text(), request: job.request?.text))
    }

    private mutating func fail(_ number: Int, _ error: any Error) {
        actions.append(.answer(number, .failure(error)))
    }

    // MARK: Answers

    /// Takes answers by the keys that the client saw; each fits its question.
    ///
    /// What is asked for nowhere is ignored.
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

    /// Why answers do not fit the questions of a job.
    func defect(of answers: [JSONValue.Member], for job: Job) -> Failure? {
        for ask in job.asks {
            for question in ask.open {
                guard let answer = answers.first(where: { $0.name == question.key }),
                    let defect = Needs.defect(of: answer.value, to: question.request.method)
                else { continue }
                return .invalidParams("inputResponses.\(question.key): \(defect)")
            }
        }
        return nil
    }

    /// Takes a legacy client's answer to one of our requests; others answer nothing and are ignored.
    mutating func receiveAnswer(_ message: Message, _ bytes: Span<UInt8>) {
        guard let id = bytes.integer(message.envelope.id), let question = questions.removeValue(forKey: id),
            let job = jobs[question.job],
            let ask = job.asks.first(where: { $0.number == question.ask }),
            let open = ask.open.first(where: { $0.id == id })
        else { return }
        let slice = message.envelope.result.isPresent ? message.envelope.result : message.envelope.error
        let value = slice.isPresent ? (try? JSONValue(bytes.extracting(slice.range))) ?? .null : .null
        if message.envelope.defect != nil {
            fail(ask, of: question.job, .malformed("the client sent no proper response"))
        } else if message.envelope.kind == .error {
            let code = value["code"]?.integer ?? ErrorCode.internalError.value
            fail(ask, of: question.job, .refused(code: code, message: value["message"]?.string ?? ""))
        } else if let defect = Needs.defect(of: value, to: open.request.method) {
            fail(ask, of: question.job, .malformed(defect))
        } else {
            take([.init(open.key, value)], for: question.job)
        }
        if jobs[question.job]?.asks.isEmpty ?? true { deadlines[question.job] = nil }
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
