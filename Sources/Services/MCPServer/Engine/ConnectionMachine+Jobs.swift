// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore

/// One run of a handler, from the request that began it to its outcome.
///
/// A request waits for it; or it is parked (`state`), and the next request that brings the state waits; or it is a task.
struct Job {
    let method: Method
    /// Who called; a retry says it anew.
    var speaker: Speaker
    /// What it was called with, until it is parked.
    var params: JSONValue
    /// What a retry must have in common with the request, once it was parked.
    var digest: [UInt8]?
    let taskSupport: TaskSupport
    /// The request that waits.
    var request: RequestID?
    /// The token for progress of that request.
    var progressToken: JSONValue?
    /// From which level on that request gets log messages (modern era).
    var logLevel: LogLevel?
    var lastProgress = -Double.infinity
    /// The questions that are not answered.
    var asks: [Ask] = []
    /// What a retry must bring, while it is parked.
    var state: String?
    /// What the handler came to while it was parked.
    var held: Outcome?
    /// The task that it is.
    var task: String?
    /// Whether it becomes a task with the next request.
    var wantsTask = false
}

extension ConnectionMachine {
    /// Answers a request for something that the server offers, or begins to.
    mutating func carryOut(
        _ request: Incoming,
        _ registry: Registry,
        _ speaker: Speaker,
        logLevel: LogLevel?
    ) {
        do throws(Failure) {
            switch try registry.plan(request.method, request.params, pageSize: options.pageSize) {
            case .answer(let result): respond(request.id, result, of: request.method, for: speaker.revision)
            case .work(let work): try begin(work, request, speaker, logLevel)
            }
        } catch {
            refuse(request.id, error, of: request.method, for: speaker.revision)
        }
    }

    private mutating func begin(
        _ work: Work,
        _ request: Incoming,
        _ speaker: Speaker,
        _ logLevel: LogLevel?
    ) throws(Failure) {
        guard requests.count < options.limits.runningCalls else { throw .tooMany("calls at once") }
        if work.taskSupport == .required, speaker.revision.era == .modern {
            guard speaker.knowsTasks else { throw TaskRecord.missingExtension }
            guard tasks.count < options.limits.tasks else { throw .tooMany("tasks") }
        }
        let id = makeJobNumber()
        jobs[id] = Job(
            method: request.method,
            speaker: speaker,
            params: request.params,
            taskSupport: work.taskSupport,
            request: request.id,
            progressToken: request.progressToken,
            logLevel: logLevel
        )
        requests[request.id] = id
        if work.taskSupport == .required || work.taskSupport == .optional {
            _ = becomeTask(id, now: request.now)
        }
        actions.append(.start(id, work, speaker.description))
    }

    /// Notes that a handler is done.
    mutating func finished(_ id: Int, _ outcome: Outcome) {
        guard var job = jobs[id] else { return }
        withdraw(job.asks, of: job)
        job.asks = []
        if job.state != nil {
            job.held = outcome
            jobs[id] = job
        } else {
            end(id, job, outcome)
        }
        arm()
    }

    /// Hands the outcome of a job to whom it belongs.
    mutating func end(_ id: Int, _ job: Job, _ outcome: Outcome) {
        jobs[id] = nil
        deadlines[id] = nil
        if let task = job.task { return finish(task: task, outcome) }
        guard let request = job.request else { return }
        requests[request] = nil
        // What depends on answers must not be kept (2026-07-28, "Multi Round-Trip Requests").
        respond(request, outcome, of: job.method, for: job.speaker.revision, mayBeKept: job.digest == nil)
    }

    /// Ends a job without an outcome: nothing more is sent for it, except that its questions are withdrawn.
    mutating func cancel(job id: Int) {
        guard let job = jobs.removeValue(forKey: id) else { return }
        deadlines[id] = nil
        if let request = job.request { requests[request] = nil }
        if let state = job.state { parked[state] = nil }
        withdraw(job.asks, of: job)
        actions.append(.cancel(id))
    }

    /// Tells how far a job is.
    mutating func progress(_ id: Int, _ progress: Double, _ total: Double?, _ message: String?) {
        guard var job = jobs[id], progress.isFinite, progress > job.lastProgress else { return }
        job.lastProgress = progress
        jobs[id] = job
        guard let request = job.request, let token = job.progressToken else { return }
        let hasMessages = job.speaker.revision >= .v2025_03_26
        let params = JSONValue.of([
            "progressToken": token, "progress": .number(of: progress), "total": .number(of: total),
            "message": hasMessages ? message.map { .string($0) } : nil,
        ])
        actions.append(.sendIfPossible(Self.notification(.progress, params), request: request.text))
    }

    /// Writes a log message of a job.
    mutating func log(_ id: Int, _ level: LogLevel, _ data: JSONValue, _ logger: String?) {
        guard let job = jobs[id], let request = job.request else { return }
        let threshold = job.speaker.revision.era == .modern ? job.logLevel : session?.logLevel
        guard let threshold, level >= threshold else { return }
        let params = JSONValue.of([
            "level": .string(level.rawValue), "logger": logger.map { .string($0) }, "data": data,
        ])
        actions.append(.sendIfPossible(Self.notification(.logMessage, params), request: request.text))
    }
}
