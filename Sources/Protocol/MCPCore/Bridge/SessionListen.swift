// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSONRPC

/// The one listen that a legacy session holds at a modern server, for all that its client has subscribed to (2026-07-28,
/// "Subscriptions").
///
/// A listen cannot be changed. So a change opens the next one, awaits its acknowledgement, and only then ends the old one:
/// nothing is missed between. It starts closed; `start` opens the first. When a listen is lost, the next `reopen` opens
/// another.
package struct SessionListen: Sendable {
    /// What is to be done.
    package enum Action: Equatable, Sendable {
        /// Open a listen under this key.
        case open(Int, ListenFilter)
        /// End the listen of this key.
        case close(Int)
        /// Tell the client that its subscription, or the end of one, is in force.
        case confirm(Int)
        /// Tell the client that it is not.
        case refuse(Int, Failure)
    }

    private var wanted = ListenFilter()
    private var current: Int?
    /// The resources that the current listen tells of.
    private var honoured: [String] = []
    private var pending: Int?
    /// Whether the server would not have the last listen, so that the same is not asked again and again.
    private var isRefused = false
    /// The resources that the pending listen asks for.
    private var asked: [String] = []
    private var nextKey = 1
    /// Whether what is wanted has changed since the pending listen was opened.
    private var isStale = false
    /// Requests of the client that the pending listen settles, and those that the one after it does.
    private var waiting: [(request: Int, uri: String?)] = []
    private var later: [(request: Int, uri: String?)] = []

    /// How many requests of a client may wait.
    private static let waitLimit = 128

    /// Starts closed.
    package init() {}

    /// What the client is subscribed to.
    package var uris: [String] { wanted.uris }

    /// Whether something should be listened to and is not.
    package var isLost: Bool { current == nil && pending == nil && !wanted.isEmpty && !isRefused }

    /// Opens the first listen, for changes of these lists.
    package mutating func start(tools: Bool, prompts: Bool, resources: Bool) -> [Action] {
        var changed = wanted
        changed.tools = tools
        changed.prompts = prompts
        changed.resources = resources
        guard changed != wanted else { return [] }
        wanted = changed
        guard pending == nil else {
            isStale = true
            return []
        }
        return open()
    }

    /// Opens a listen in the place of one that was lost.
    package mutating func reopen() -> [Action] {
        isLost ? open() : []
    }

    /// The client subscribes to a resource.
    ///
    /// - Parameters:
    ///   - uri: The resource.
    ///   - request: The client's request, to be confirmed or refused.
    /// - Returns: What is to be done.
    package mutating func subscribe(_ uri: String, request: Int) -> [Action] {
        let isWanted = Self.contains(wanted.uris, uri)
        if isWanted, current != nil, Self.contains(honoured, uri) { return [.confirm(request)] }
        if let failure = crowded { return [.refuse(request, failure)] }
        guard isWanted || wanted.uris.count < ListenFilter.uriLimit else {
            let text = "No more than \(ListenFilter.uriLimit) resources can be subscribed to"
            return [.refuse(request, Failure(.invalidParams, text, source: .client))]
        }
        if !isWanted { wanted.uris.append(uri) }
        if isWanted, pending != nil, Self.contains(asked, uri) {
            waiting.append((request, uri))
            return []
        }
        return change(request, uri)
    }

    /// The client ends a subscription.
    package mutating func unsubscribe(_ uri: String, request: Int) -> [Action] {
        guard let index = wanted.uris.firstIndex(where: { $0.hasSameBytes(as: uri) }) else {
            return [.confirm(request)]
        }
        if let failure = crowded { return [.refuse(request, failure)] }
        wanted.uris.remove(at: index)
        return change(request, nil)
    }

    /// The server has acknowledged a listen, with what it honours.
    package mutating func acknowledged(_ key: Int, _ filter: ListenFilter) -> [Action] {
        guard key == pending else { return [] }
        var actions: [Action] = []
        if let current { actions.append(.close(current)) }
        current = key
        pending = nil
        let offered = Set(filter.uris.map { Array($0.utf8) })
        honoured = asked.filter { offered.contains(Array($0.utf8)) }
        var refused: [String] = []
        for (request, uri) in waiting {
            guard let uri, !Self.contains(honoured, uri) else {
                actions.append(.confirm(request))
                continue
            }
            refused.append(uri)
            actions.append(.refuse(request, Self.notOffered))
        }
        if !refused.isEmpty { wanted.uris.removeAll { Self.contains(refused, $0) } }
        // Who asked for the same in the meantime gets the same answer.
        waiting = later.filter { $0.uri.map { !Self.contains(refused, $0) } ?? true }
        for (request, uri) in later {
            if let uri, Self.contains(refused, uri) { actions.append(.refuse(request, Self.notOffered)) }
        }
        later = []
        guard isStale else { return actions }
        return actions + open()
    }

    /// A listen has ended without our doing: the server ended it, refused it, or died.
    ///
    /// - Parameters:
    ///   - key: The listen.
    ///   - failure: What those are told who wait for it.
    ///   - isRefused: Whether the server would not have it, rather than being gone.
    /// - Returns: What is to be done.
    package mutating func ended(_ key: Int, _ failure: Failure, isRefused: Bool = false) -> [Action] {
        if key == pending { self.isRefused = isRefused }
        if key == current {
            current = nil
            honoured = []
        }
        guard key == pending else { return [] }
        pending = nil
        isStale = false
        let requests = waiting + later
        waiting = []
        later = []
        guard current == nil else {
            // The old listen goes on, as if nothing had been asked.
            wanted.uris = honoured
            return requests.map { .refuse($0.request, failure) }
        }
        wanted.uris.removeAll { uri in requests.contains { $0.uri?.hasSameBytes(as: uri) == true } }
        return requests.map { $0.uri == nil ? .confirm($0.request) : .refuse($0.request, failure) }
    }

    private mutating func change(_ request: Int, _ uri: String?) -> [Action] {
        guard pending == nil else {
            isStale = true
            later.append((request, uri))
            return []
        }
        waiting.append((request, uri))
        return open()
    }

    private mutating func open() -> [Action] {
        isStale = false
        guard !wanted.isEmpty else {
            // Nothing is left to listen to.
            defer {
                current = nil
                honoured = []
                waiting = []
            }
            return (current.map { [.close($0)] } ?? []) + waiting.map { .confirm($0.request) }
        }
        let key = nextKey
        nextKey += 1
        pending = key
        asked = wanted.uris
        return [.open(key, wanted)]
    }

    /// Why no more requests can wait, if that is so.
    private var crowded: Failure? {
        guard waiting.count + later.count >= Self.waitLimit else { return nil }
        return Failure(.internalError, "Too many subscriptions wait", source: .client)
    }

    private static let notOffered = Failure(
        .invalidParams,
        "The server does not offer subscriptions to this resource",
        source: .upstream
    )

    private static func contains(_ uris: [String], _ uri: String) -> Bool {
        uris.contains { $0.hasSameBytes(as: uri) }
    }
}
