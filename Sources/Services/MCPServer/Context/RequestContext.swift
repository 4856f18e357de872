// Gatehouse. SPDX-License-Identifier: MIT

public import JSON

/// What code that answers a request may do besides answering it: tell how far it is, log, and ask the client.
///
/// It is good until the request is answered; afterwards what it is told goes nowhere and asking throws
/// `CancellationError`. A request that the client takes back cancels the task that answers it.
public struct RequestContext: Sendable {
    let services: any RequestServices

    init(_ services: any RequestServices) {
        self.services = services
    }

    /// What the client says about itself.
    public var client: ClientDescription { services.client }

    /// Tells how far the work is; each value must be larger than the one before, others are dropped.
    public func reportProgress(_ progress: Double, of total: Double? = nil, message: String? = nil) {
        services.reportProgress(progress, total, message)
    }

    /// Writes a log message for the client, which gets it if it asked for that level.
    public func log(_ level: LogLevel, _ data: JSONValue, logger: String? = nil) {
        services.log(level, data, logger)
    }

    /// Asks the client several things at once and waits for all answers, in one spelling for both eras.
    ///
    /// - Parameter questions: What is asked, each under a key of its own.
    /// - Returns: The answers by key, each the result that the client gave.
    /// - Throws: `AskError` if the client did not declare that it can answer, or answered with an error;
    ///   `CancellationError` if the request is over.
    public func ask(_ questions: [InputRequest]) async throws -> [String: JSONValue] {
        try await services.ask(questions)
    }

    /// Makes the call of a tool a task from here on, if the client knows tasks and the tool supports them.
    ///
    /// Questions that come before are asked while the client waits; those that come after are asked by the task.
    ///
    /// - Returns: Whether it is a task; otherwise the call goes on as it was.
    @discardableResult
    public func becomeTask() -> Bool {
        services.becomeTask()
    }
}

/// What the engine does for a context.
protocol RequestServices: Sendable {
    var client: ClientDescription { get }
    func reportProgress(_ progress: Double, _ total: Double?, _ message: String?)
    func log(_ level: LogLevel, _ data: JSONValue, _ logger: String?)
    func ask(_ questions: [InputRequest]) async throws -> [String: JSONValue]
    func becomeTask() -> Bool
}

/// A question to the client: `elicitation/create`, `sampling/createMessage` or `roots/list`.
public struct InputRequest: Sendable, Equatable {
    /// Its name among the questions of the request, which a client sees.
    public var key: String
    /// The method.
    public var method: String
    /// The parameters, an object.
    public var params: JSONValue

    /// Makes a question.
    public init(key: String, method: String, params: JSONValue) {
        self.key = key
        self.method = method
        self.params = params
    }
}

/// Why a question was not answered.
public enum AskError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The client did not declare that it can answer this; the capabilities that it would need, as an object.
    case missingCapability(JSONValue)
    /// The client answered with an error.
    case refused(code: Int, message: String)
    /// The answer is not what was asked for.
    case malformed(String)
    /// No answer came in time.
    case expired

    /// A sentence for people and models.
    public var description: String {
        switch self {
        case .missingCapability(let capabilities):
            let names = (capabilities.members ?? []).map(\.name).joined(separator: ", ")
            return "The client cannot be asked: it did not declare \(names)."
        case .refused(let code, let message): return "The client did not answer (\(code)): \(message)"
        case .malformed(let reason): return "The client's answer is none: \(reason)"
        case .expired: return "The client did not answer in time."
        }
    }
}

/// What a client says about itself; for display and to see what it can do, never for decisions about trust.
public struct ClientDescription: Sendable, Equatable {
    /// Its name and version, as `Implementation`; nil if it did not say.
    public var info: JSONValue?
    /// The capabilities that it declared, an object.
    public var capabilities: JSONValue
    /// The revision that it speaks, as a date.
    public var revision: String

    /// Makes a description.
    public init(info: JSONValue?, capabilities: JSONValue, revision: String) {
        self.info = info
        self.capabilities = capabilities
        self.revision = revision
    }
}

/// How much a log message matters (RFC 5424, least first).
public enum LogLevel: String, Sendable, CaseIterable, Comparable {
    /// For those who look for a fault.
    case debug
    /// What happens.
    case info
    /// Ordinary, but worth a look.
    case notice
    /// Something may be wrong.
    case warning
    /// Something failed.
    case error
    /// A part does not work.
    case critical
    /// Somebody must act now.
    case alert
    /// Nothing works.
    case emergency

    /// Less important first.
    public static func < (left: LogLevel, right: LogLevel) -> Bool {
        let all = allCases
        return all.firstIndex(of: left) ?? 0 < all.firstIndex(of: right) ?? 0
    }
}
