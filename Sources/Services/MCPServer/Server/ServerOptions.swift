// Gatehouse. SPDX-License-Identifier: MIT

/// How a server behaves, apart from what it offers.
public struct ServerOptions: Sendable {
    /// Which eras of MCP a server speaks.
    public enum Eras: Sendable {
        /// Both, on one connection even.
        case dual
        /// Revisions 2024-11-05 to 2025-11-25 only.
        case legacy
        /// Revision 2026-07-28 only.
        case modern
    }

    /// Who may keep a result (2026-07-28, "Caching").
    public enum CacheScope: String, Sendable {
        /// Anybody: the same for all clients.
        case `public`
        /// Only who asked.
        case `private`
    }

    /// Which eras it speaks.
    public var eras = Eras.dual
    /// How many entries a page of a list has, at least one.
    public var pageSize = 100
    /// For how long a client may keep lists and resources, in milliseconds.
    public var cacheTTL = 0
    /// Who may keep them.
    public var cacheScope = CacheScope.private
    /// How long a call waits for the answers to its questions, in milliseconds.
    ///
    /// Then the question throws `AskError.expired` and the call is cancelled. Legacy clients are waited for as long.
    public var questionTTL = 300_000
    /// How long a task is kept from its creation on, in milliseconds; one that still works then is cancelled.
    public var taskTTL = 3_600_000
    /// How often a client should look after a task, in milliseconds.
    public var taskPollInterval = 500
    /// How long calls may run on after the client has closed standard input, in milliseconds.
    public var shutdownGrace = 2000
    /// What a connection may hold.
    public var limits = ServerLimits()
    /// What the time is, and how ids are made.
    package var environment = ServerEnvironment()

    /// Makes options that fit most servers.
    public init() {}
}

/// How much a connection may hold; what goes beyond is refused with an error, never queued.
public struct ServerLimits: Sendable {
    /// Calls that run while the client waits.
    public var runningCalls = 256
    /// Calls that are parked behind a question, and questions that wait in legacy sessions.
    public var parkedCalls = 256
    /// Tasks that are kept, running or done.
    public var tasks = 256
    /// Open subscription requests.
    public var listens = 64
    /// Resources that are subscribed to, by session or by subscription request.
    public var subscriptions = 1024
    /// Bytes of a message on standard input.
    public var messageSize = 16 << 20
    /// Bytes that wait to be read by the other side of standard output; more ends the connection.
    public var pendingOutput = 64 << 20
    /// Messages that wait to be handed on; beyond it progress and log messages are dropped.
    public var pendingMessages = 4096

    /// Makes limits that fit most servers.
    public init() {}
}
