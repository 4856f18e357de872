// Gatehouse. SPDX-License-Identifier: MIT

import Crypto
import JSON
import JSONRPC
import MCPCore

// Multi round-trip requests (2026-07-28, basic, "Multi Round-Trip Requests"): a call that asks is answered with what it
// asks for and waits, parked, for the request that brings the answers. Nothing is run twice.
//
// A state is good for one retry, of the same method with the same parameters, until it expires. A retry that is refused
// leaves the call as it was: the one who may wake it can still come.

extension ConnectionMachine {
    /// Answers the request of a job with its questions, and lets the job wait for the next request.
    mutating func park(_ id: Int, now: Int) {
        guard var job = jobs[id], let request = job.request else { return }
        let state = options.environment.secret()
        parked[state] = id
        deadlines[id] = now &+ options.questionTTL
        requests[request] = nil
        if job.digest == nil {
            job.digest = Self.digest(job.params)
            job.params = .null
        }
        job.state = state
        job.request = nil
        job.progressToken = nil
        job.logLevel = nil
        jobs[id] = job
        let result: JSONValue = [
            "resultType": "input_required", "inputRequests": job.inputRequests,
            "requestState": .string(state),
        ]
        respond(request, result, of: job.method, for: .modern)
    }

    /// Takes a request that brings a state.
    mutating func retry(_ request: Incoming, _ speaker: Speaker, logLevel: LogLevel?) {
        guard let state = request.params["requestState"]?.string, let id = parked[state], var job = jobs[id],
            job.method == request.method,
            Self.digest(request.params) == job.digest
        else {
            return refuse(
                request.id,
                .invalidParams("requestState is unknown, used up, or belongs to another request")
            )
        }
        guard requests.count < options.limits.runningCalls else {
            return refuse(request.id, .tooMany("calls at once"))
        }
        let answers: [JSONValue.Member]
        do throws(Failure) {
            answers = try self.answers(request.params["inputResponses"]?.members ?? [], for: job)
        } catch {
            return refuse(request.id, error)
        }
        parked[state] = nil
        deadlines[id] = nil
        requests[request.id] = id
        job.state = nil
        job.request = request.id
        job.speaker = speaker
        job.progressToken = request.progressToken
        job.logLevel = logLevel
        jobs[id] = job
        take(answers, for: id)
        if let held = job.held {
            end(id, job, held)
        } else if job.wantsTask, becomeTask(id, now: request.now) {
            return
        } else if let job = jobs[id], !job.asks.isEmpty {
            park(id, now: request.now)
        }
    }

    /// What a retry must have in common with the request that it repeats.
    private static func digest(_ params: JSONValue) -> [UInt8] {
        SHA256.hash(params.removing(["_meta", "inputResponses", "requestState"]).text(.canonical))
    }

    /// Gives up on answers that did not come in time, and on tasks that are too old.
    mutating func expire(_ now: Int) {
        guard !deadlines.isEmpty || !tasks.isEmpty else { return }
        for id in deadlines.filter({ $0.value <= now }).keys.sorted() {
            deadlines[id] = nil
            guard var job = jobs[id] else { continue }
            let ended = job.asks
            withdraw(ended, of: job, AskError.expired)
            job.asks = []
            jobs[id] = job
            // Nobody would hear how a parked call ends; in a legacy session the request still waits.
            if job.state != nil { cancel(job: id) }
        }
        for (id, task) in tasks where task.expiry <= now {
            if let job = task.job { cancel(job: job) }
            tasks[id] = nil
        }
    }
}

extension Job {
    /// What it asks, by key, as results carry it.
    var inputRequests: JSONValue {
        .object(
            asks.flatMap(\.open).map { question in
                JSONValue.Member(
                    question.key,
                    ["method": .string(question.request.method), "params": question.params]
                )
            }
        )
    }
}
