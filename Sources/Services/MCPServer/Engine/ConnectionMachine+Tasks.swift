// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore

/// A task (2026-07-28, extension `io.modelcontextprotocol/tasks`): a call whose outcome is kept to be fetched.
///
/// It begins `working`; while questions are open it is `input_required`. `completed`, `failed` and `cancelled` are final.
/// It is forgotten when its time is over.
struct TaskRecord {
    /// The name of the extension.
    static let identifier = "io.modelcontextprotocol/tasks"

    /// What a client is told that must know the extension.
    static let missingExtension = Failure(
        .missingClientCapability,
        "This needs the extension \(identifier)",
        data: ["requiredCapabilities": ["extensions": .of([identifier: .object([])])]],
        source: .client
    )

    /// The job, while it runs.
    var job: Int?
    let created: String
    var updated: String
    let expiry: Int
    /// How it ended; nil with no job is cancelled.
    var outcome: Outcome?
    /// The keys of all its questions.
    var keys: Set<String> = []
}

extension ConnectionMachine {
    /// Makes a job a task and answers its request with that; a parked job becomes one with the next request.
    ///
    /// - Returns: Whether it is or will be one; otherwise it stays what it is.
    mutating func becomeTask(_ id: Int, now: Int) -> Bool {
        guard var job = jobs[id], job.method == .toolsCall, job.taskSupport != .never else { return false }
        guard job.task == nil else { return true }
        guard job.speaker.knowsTasks, tasks.count < options.limits.tasks else { return false }
        guard let request = job.request else {
            job.wantsTask = true
            jobs[id] = job
            return true
        }
        let task = options.environment.secret()
        let date = options.environment.date()
        tasks[task] = TaskRecord(
            job: id,
            created: date,
            updated: date,
            expiry: now &+ options.taskTTL,
            keys: Set(job.asks.flatMap(\.open).map(\.key))
        )
        requests[request] = nil
        job.task = task
        job.request = nil
        jobs[id] = job
        let result = JSONValue.object([.init("resultType", "task")] + describe(task))
        respond(request, result, of: .toolsCall, for: .modern)
        arm()
        return true
    }

    /// Keeps the outcome of a task.
    mutating func finish(task: String, _ outcome: Outcome) {
        tasks[task]?.job = nil
        tasks[task]?.outcome = outcome
        taskChanged(task)
    }

    mutating func receiveTaskRequest(_ request: Incoming, _ registry: Registry, _ speaker: Speaker) {
        guard registry.has(.tasks) else {
            return refuse(request.id, Failure(.methodNotFound, "This server has no tasks", source: .client))
        }
        guard speaker.knowsTasks else { return refuse(request.id, TaskRecord.missingExtension) }
        guard let id = request.params["taskId"]?.string, let task = tasks[id] else {
            return refuse(request.id, .invalidParams("taskId is not that of a task"))
        }
        switch request.method {
        case .tasksUpdate:
            guard let given = request.params["inputResponses"]?.members else {
                return refuse(request.id, .invalidParams("inputResponses must be an object"))
            }
            do throws(Failure) {
                try update(id, task, given)
            } catch {
                return refuse(request.id, error)
            }
            respond(request.id, .object([]), of: request.method, for: .modern)
        case .tasksCancel:
            if let job = task.job {
                cancel(job: job)
                tasks[id]?.job = nil
                taskChanged(id)
            }
            respond(request.id, .object([]), of: request.method, for: .modern)
        default:
            respond(request.id, .object(describe(id)), of: request.method, for: .modern)
        }
    }

    private mutating func update(
        _ id: String,
        _ task: TaskRecord,
        _ given: [JSONValue.Member]
    ) throws(Failure) {
        guard let number = task.job, let job = jobs[number] else { return }
        let answers = try answers(given, for: job)
        guard !answers.isEmpty else { return }
        take(answers, for: number)
        taskChanged(id)
    }

    /// Notes that a task is another one than before, and tells those who listen for it.
    mutating func taskChanged(_ id: String) {
        guard tasks[id] != nil else { return }
        tasks[id]?.updated = options.environment.date()
        let listeners = listens.filter { $0.value.tasks.contains(id) }.keys
        guard !listeners.isEmpty else { return }
        let description = JSONValue.object(describe(id))
        for listener in listeners { notify(.tasksNotice, description, on: listener) }
    }

    /// A task as it is told: what it is and, where there is something, its questions or its end.
    private func describe(_ id: String) -> [JSONValue.Member] {
        guard let task = tasks[id] else { return [] }
        let job = task.job.flatMap { jobs[$0] }
        var status = "cancelled"
        var more: [JSONValue.Member] = []
        switch task.outcome {
        case .result(let result):
            status = "completed"
            more = [.init("result", .object([.init("resultType", "complete")] + (result.members ?? [])))]
        case .failure(let failure):
            status = "failed"
            let error = JSONValue.of([
                "code": .number(String(failure.code.value)), "message": .string(failure.message),
                "data": failure.data,
            ])
            more = [.init("error", error)]
        case nil:
            if let job {
                status = job.asks.isEmpty ? "working" : "input_required"
                if !job.asks.isEmpty { more = [.init("inputRequests", job.inputRequests)] }
            }
        }
        return [
            .init("taskId", .string(id)), .init("status", .string(status)),
            .init("createdAt", .string(task.created)), .init("lastUpdatedAt", .string(task.updated)),
            .init("ttlMs", .number(String(options.taskTTL))),
            .init("pollIntervalMs", .number(String(options.taskPollInterval))),
        ] + more
    }
}
