// Gatehouse. SPDX-License-Identifier: MIT

package import Configuration
package import JSON
package import JSONRPC
package import MCPCore
package import Sessions

/// Who hears what a server says outside of calls.
///
/// Only servers of the legacy era do.
package protocol ConversationListener: AnyObject {
    /// A notification about the session.
    ///
    /// - Parameters:
    ///   - message: The notification.
    ///   - bytes: Its text.
    ///   - suspect: The call that it most likely belongs to; servers of the legacy era do not say.
    func received(_ message: Message, _ bytes: Span<UInt8>, suspect: SuspectedCall?)
    /// A request to the client, to be answered under this number.
    func asked(_ number: Int, _ message: Message, _ bytes: Span<UInt8>, suspect: SuspectedCall?)
    /// The server takes back its request of this number.
    func withdrew(_ number: Int, _ message: Message, _ bytes: Span<UInt8>)
    /// The server died, and with it what it had asked.
    func interrupted()
    /// The server has forgotten the session, and another one takes its place: what is sent to it from now on comes before
    /// the call that was refused.
    func greetedAgain()
    /// The server died once too often and is not started again: nothing will come of this conversation any more.
    func gaveUp()
}

extension ConversationListener {
    /// Where it makes no difference to what stands behind the conversation, the one is as good as the other.
    package func greetedAgain() { interrupted() }
}

/// The call that something from a legacy server may belong to.
package struct SuspectedCall {
    /// The call.
    package let call: Call
    /// Whether it is the only one that waits, so that nothing else can be meant.
    package let isOnly: Bool
}

/// A conversation with a server, in one era, on behalf of one principal.
///
/// It starts when a backend opens it and may be used at once: what is sent before the server is up waits, up to a limit.
/// It ends with `end`, which fails the calls that wait.
package protocol Conversation: SessionFoundation {
    /// Who hears what is said outside of calls; held weakly.
    var listener: (any ConversationListener)? { get set }
    /// Sends a request.
    ///
    /// - Parameters:
    ///   - message: The request.
    ///   - bytes: Its text.
    ///   - caller: Who is answered.
    ///   - edits: Changes to the text beside those of ids and tokens.
    /// - Returns: Our id for the call.
    /// - Throws: Why it cannot be taken; then the caller hears nothing.
    func call(
        _ message: Message,
        _ bytes: Span<UInt8>,
        from caller: any Caller,
        edits: Edits
    ) throws(Failure) -> Int
    /// Sends a notification of the client, whose ids and tokens are put into this hop's.
    func notify(_ message: Message, _ bytes: Span<UInt8>)
    /// Sends the client's answer to a request of the server; false if nothing waits under this number.
    func answer(_ number: Int, _ message: Message, _ bytes: Span<UInt8>) -> Bool
    /// Answers a request of the server with an error.
    func refuse(_ number: Int, _ failure: Failure)
    /// Ends the conversation after some milliseconds, when no call waits and nothing keeps it.
    ///
    /// Said again before, the new time counts.
    func end(after milliseconds: UInt64)
    /// Keeps it for so many milliseconds from `end(after:)`: something lives on in its server, such as a task.
    func keep(for milliseconds: UInt64)
    /// Whether it tells the server by itself what the session told the one before.
    var remembersSession: Bool { get }
    /// Gives a call up: tells the server, and drops its answer.
    func cancel(_ id: Int, reason: String)
    /// Whether nobody would miss it: no call, parked or not, no subscription and no task needs it.
    var isIdle: Bool { get }
}

extension Conversation {
    /// Where nothing outlives a call, nothing is kept.
    package func keep(for milliseconds: UInt64) {}
    /// What passes through is not remembered.
    package var remembersSession: Bool { false }
}

/// What answers calls for a configured server.
package protocol Backend: AnyObject {
    /// The server's name.
    var name: String { get }
    /// What it offers to whom, in words for people.
    var summary: String? { get }
    /// Why it cannot serve, if it cannot.
    var problem: String? { get }
    /// How long a session may be idle, in milliseconds, if the server says so itself.
    var sessionTimeout: UInt64? { get }
    /// How many sessions it may have, if the server says so itself.
    var sessionLimit: Int? { get }
    /// What its sessions are told when another process has taken the place of the one that knew their state.
    var stateLost: StateLoss { get }
    /// How many sessions one principal may have, if the server says so itself.
    var principalSessionLimit: Int? { get }
    /// Whether a call waits at it.
    var isBusy: Bool { get }
    /// How many processes stand behind it now.
    var processCount: Int { get }
    /// What its processes are at.
    var statistics: BackendStatistics { get }
    /// Whether it is known which eras the server speaks, so that conversations may be opened.
    var isKnown: Bool { get }
    /// Calls back once that is known, or with why it cannot be found out.
    ///
    /// What was only guessed holds until the callback returns.
    func whenKnown(_ body: @escaping (Failure?) -> Void) throws(Failure)
    /// Opens a conversation for a legacy session, which has it to itself.
    func openSession(for principal: Principal) throws(Failure) -> any Conversation
    /// Finds or opens the conversation for a modern call.
    ///
    /// - Parameters:
    ///   - principal: Who calls.
    ///   - instance: The conversation that an earlier round went through; it is used if it is still there.
    ///   - declared: Reads what the caller declared that it can be asked; only needed for some servers.
    /// - Returns: The conversation.
    /// - Throws: Why there is none.
    func modern(
        for principal: Principal,
        instance: UInt64?,
        declared: () -> JSONValue
    ) throws(Failure) -> ModernConversation
    /// Which arguments of a tool are mirrored in headers; its name, which is read if needed, may mean another tool to
    /// somebody else.
    func headerParameters(
        ofTool name: @autoclosure () -> [UInt8]?,
        for principal: Principal
    ) -> HeaderParameters?
    /// Takes note of tools that the server has just listed; `tools` is the array of them.
    func learnTools(_ tools: Span<UInt8>)
    /// Tells callers that still wait so; `slot` of `slots` is served, the others another time.
    func heartbeat(slot: Int, of slots: Int)
    /// Ends what has waited or been idle for too long; to be called about every second.
    func sweep(now: UInt64)
    /// Tells callers that the gateway is stopping, so that what would last for ever ends.
    func beginStopping()
    /// Ends everything; calls back when nothing is left.
    func end(_ completion: @escaping () -> Void)
}

extension Backend {
    /// No more than the gateway says.
    package var principalSessionLimit: Int? { nil }
}

extension Backend {
    /// Where there are no processes, there is nothing to tell of them.
    package var statistics: BackendStatistics { BackendStatistics() }

    /// Their clients are told that lists may have changed.
    package var stateLost: StateLoss { .notify }
}

/// A conversation for one modern call.
package struct ModernConversation {
    /// The conversation.
    package let conversation: any Conversation
    /// Its number, which a later round of the call names to reach it again.
    package let instance: UInt64
    /// Whether it was opened for this call alone, and ends with it.
    package let isForOneCall: Bool

    /// Names a conversation.
    package init(_ conversation: any Conversation, instance: UInt64, isForOneCall: Bool) {
        self.conversation = conversation
        self.instance = instance
        self.isForOneCall = isForOneCall
    }
}
