// Gatehouse. SPDX-License-Identifier: MIT

import Sessions

/// The conversations of one server that modern callers use, who have no sessions: who uses which again, and which nobody
/// needs any more.
final class ModernConversations {
    /// Whose conversation with the server it is, and what they declared that they can be asked where the server must be told
    /// at the beginning.
    struct Owner: Hashable {
        let principal: Principal
        var capabilities: [UInt8]
    }

    /// By reference: each call touches one, and a value that is changed inside a dictionary costs three allocations.
    private final class Entry {
        let conversation: any Conversation
        let owner: Owner?
        /// When it was last used, in milliseconds of the loop's clock.
        var lastUse: UInt64

        init(_ conversation: any Conversation, _ owner: Owner?, at now: UInt64) {
            self.conversation = conversation
            self.owner = owner
            lastUse = now
        }
    }

    private var entries: [UInt64: Entry] = [:]
    private var byOwner: [Owner: UInt64] = [:]

    /// Adds a conversation under its number; without an owner it is for one call.
    func add(_ conversation: any Conversation, _ instance: UInt64, owner: Owner?, at now: UInt64) {
        entries[instance] = Entry(conversation, owner, at: now)
        if let owner { byOwner[owner] = instance }
    }

    /// The conversation of a number, for another round of its call.
    func use(_ instance: UInt64, at now: UInt64) -> (any Conversation)? {
        guard let entry = entries[instance] else { return nil }
        entry.lastUse = now
        return entry.conversation
    }

    /// The conversation that an owner has.
    func use(_ owner: Owner, at now: UInt64) -> (instance: UInt64, any Conversation)? {
        guard let instance = byOwner[owner], let conversation = use(instance, at: now) else { return nil }
        return (instance, conversation)
    }

    /// One has ended; false if it is none of these.
    func remove(_ instance: UInt64) -> Bool {
        guard let entry = entries.removeValue(forKey: instance) else { return false }
        if let owner = entry.owner, byOwner[owner] == instance { byOwner[owner] = nil }
        return true
    }

    /// Those that nobody needs and nobody has used for so many milliseconds.
    func unused(since now: UInt64, for limit: UInt64) -> [any Conversation] {
        entries.values.filter { $0.conversation.isIdle && now > $0.lastUse &+ limit }.map(\.conversation)
    }

    /// The one with a process that nobody needs and that was used before all others of these.
    func leastUsed(where hasProcess: (UInt64) -> Bool) -> ChildPopulation.Idle? {
        let idle = entries.filter { $0.value.conversation.isIdle && hasProcess($0.key) }
        guard let found = idle.min(by: { $0.value.lastUse < $1.value.lastUse })?.value else { return nil }
        return ChildPopulation.Idle(lastUse: found.lastUse) { found.conversation.end() }
    }
}
