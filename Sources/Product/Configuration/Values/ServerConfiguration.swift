// Gatehouse. SPDX-License-Identifier: MIT

/// One MCP server of the configuration: what to start, and within which bounds.
///
/// A mistake in it stops neither the gateway nor the other servers: `problem` then says what is wrong, and the server
/// answers with that instead of starting.
package struct ServerConfiguration: Sendable, Equatable {
    /// The name in the path `/mcp/{name}`: letters, digits, `_` and `-`, at most 64, and not a word that has another
    /// meaning there.
    package var name: String

    /// The program, as written: a name to find in PATH, or a path.
    ///
    /// Empty only if there is a `problem`.
    package var command = ""

    /// The program as it stands in the file, with its variables unread: what may be told to others.
    package var writtenCommand = ""

    /// Its arguments, passed as they are: no shell reads them.
    package var arguments: [String] = []

    /// Variables for the child, over those it inherits (`ChildEnvironment`).
    package var environment: [String: String] = [:]

    /// Where the child runs; nil is the directory of the gateway.
    ///
    /// A relative path starts from there too.
    package var workingDirectory: String?

    /// How long the child may take until it has answered for the first time.
    ///
    /// Past it, it is stopped and the waiting calls get an error.
    package var startTimeout = Duration.seconds(30)

    /// How long a call may wait for its answer.
    ///
    /// Past it, the call is cancelled at the child and the caller gets an error.
    package var requestTimeout = Duration.seconds(300)

    /// How long a call may wait in all, if its progress extends it.
    ///
    /// Each progress notification gives a call its whole time again, up to this.
    package var requestTimeoutCeiling = Duration.seconds(3600)

    /// How long calls of single tools may wait, by the tool's name.
    package var toolTimeouts: [String: Duration] = [:]

    /// Whether a child that died is started again for the session's next call.
    ///
    /// Without it the session ends.
    package var restartsOnFailure = true

    /// How often in a row that is done; 0 is never.
    ///
    /// Past it the session ends.
    package var maxRestarts = 3

    /// What people are told about the server.
    package var summary: String?

    /// Whether it is served at all.
    ///
    /// One that is not answers 404, as if it were not written.
    package var isEnabled = true

    /// Who shares a child among modern clients; nil leaves it to the address (principal or call).
    ///
    /// A legacy session has a child of its own in any case.
    package var isolation: Isolation?

    /// How messages are told apart on the child's pipes.
    package var framing = FramingChoice.auto

    /// Which revisions of the protocol the child speaks.
    package var era = EraChoice.auto

    /// Bounds of this server alone, within those of the gateway.
    package var limits = ServerLimits()

    /// How long a session of this server may be idle; nil takes the gateway's `timeouts.session`.
    package var sessionTimeout: Duration?

    /// Processes that are kept ready for sessions to come.
    package var warm = 0

    /// How its processes are confined.
    package var sandbox = SandboxConfiguration()

    /// What a session is told when it outlived the process that knew its state.
    package var stateLost = StateLoss.notify

    /// Where it is, if it is reached over HTTP; then there is no command.
    package var remote: RemoteEndpoint?

    /// Why this server cannot be started, in words for the caller; nil if nothing is known to be wrong.
    ///
    /// Never holds a value of a variable.
    package var problem: String?

    /// A server with everything at its default.
    package init(name: String, command: String = "", arguments: [String] = []) {
        self.name = name
        self.command = command
        writtenCommand = command
        self.arguments = arguments
    }
}

/// Who shares a child process.
package enum Isolation: String, Sendable, CaseIterable {
    /// Each session has its own; modern clients, which have none, share as with `principal`.
    case session
    /// All calls of one principal have one.
    case principal
    /// Each call has its own.
    case call
    /// Everyone has the same one.
    case shared
}

/// What a session is told when the process behind it is another one than before.
package enum StateLoss: String, Sendable, CaseIterable {
    /// It goes on after the handshake was replayed, and is told that every list may have changed.
    case notify
    /// It ends: the client gets 404 and starts another.
    case end
}

/// How messages are told apart on a child's pipes.
package enum FramingChoice: String, Sendable, CaseIterable {
    /// Found out by asking a throw-away child, once for each command.
    case auto
    /// One message a line, as MCP says.
    case newline
    /// A `Content-Length` header before each message, as some old servers do.
    case contentLength = "content-length"
}

/// Which revisions of the protocol a child speaks.
package enum EraChoice: String, Sendable, CaseIterable {
    /// Found out by asking a throw-away child, once for each command.
    case auto
    /// Those with a handshake: 2024-11-05 to 2025-11-25.
    case legacy
    /// The stateless ones: 2026-07-28.
    case modern
    /// Both.
    case dual
}

/// Bounds of one server.
///
/// Nil leaves only the gateway's bound.
package struct ServerLimits: Sendable, Equatable {
    /// Open sessions.
    ///
    /// The next `initialize` is refused with status 503 and `Retry-After`.
    package var sessions: Int?
    /// Running children.
    ///
    /// A session or call that needs another is refused with status 503 and `Retry-After`.
    package var children: Int?
    /// Unanswered calls of one session.
    ///
    /// The next is refused with a JSON-RPC error.
    package var inFlight: Int?
    /// Open sessions of one principal.
    ///
    /// The next `initialize` is refused with status 503 and `Retry-After`.
    package var sessionsPerPrincipal: Int?
    /// Running children of one principal.
    ///
    /// What needs another is refused with status 503 and `Retry-After`.
    package var childrenPerPrincipal: Int?

    /// No bound but the gateway's.
    package init() {}
}
