// Gatehouse. SPDX-License-Identifier: MIT

import Sessions

/// How many children run, of one server or of all together.
///
/// Where no place is free, one that nobody needs now gives way: the least recently used.
package final class ChildPopulation {
    /// A child that may be ended, since nothing in it would be missed but what it remembers.
    struct Idle {
        /// When it was last used, in milliseconds of the loop's clock.
        let lastUse: UInt64
        /// Ends it.
        let end: () -> Void
    }

    private var limit: Int
    private var principalLimit: Int
    /// How many run or are being started.
    package private(set) var count = 0
    private var counts: [Principal: Int] = [:]
    private var searches: [Search] = []
    /// Who waits for the place of a child that is ending.
    private var waiting: [() -> Void] = []

    /// Starts with none.
    ///
    /// - Parameters:
    ///   - limit: How many may run.
    ///   - principalLimit: How many of them for one principal.
    package init(limit: Int, principalLimit: Int = .max) {
        self.limit = limit
        self.principalLimit = principalLimit
    }

    /// Takes other bounds; who is in stays in.
    package func change(limit: Int, principalLimit: Int) {
        self.limit = limit
        self.principalLimit = principalLimit
    }

    /// Whether a place is free: for a principal, or for one that is kept ready.
    func hasRoom(for principal: Principal?) -> Bool {
        count < limit && mayTake(principal)
    }

    /// Whether a principal has not as many as it may.
    func mayTake(_ principal: Principal?) -> Bool {
        principal.map { counts[$0, default: 0] < principalLimit } ?? true
    }

    /// Takes a place.
    func enter(_ principal: Principal?) {
        count += 1
        if let principal { counts[principal, default: 0] += 1 }
    }

    /// Gives a place back; `wake` follows, once all places that go with it are given back too.
    func leave(_ principal: Principal?) {
        count -= 1
        guard let principal, let own = counts[principal] else { return }
        counts[principal] = own > 1 ? own - 1 : nil
    }

    /// Lets one who waits for a place try again, and the next ones while it is free: some may not need it any more, or must not
    /// have it.
    func wake() {
        for _ in 0..<waiting.count {
            guard !waiting.isEmpty else { return }
            waiting.removeFirst()()
            guard hasRoom(for: nil) else { return }
        }
    }

    /// A way to find a child that may give way, as long as somebody is there to find it.
    private struct Search {
        weak var owner: AnyObject?
        let find: (Principal?) -> Idle?
    }

    /// Adds a way to find the least recently used child that nobody needs, of a principal or of all.
    ///
    /// - Parameters:
    ///   - owner: Who finds it; the way goes with it.
    ///   - find: Finds it.
    func search(for owner: AnyObject, _ find: @escaping (Principal?) -> Idle?) {
        searches.removeAll { $0.owner == nil }
        searches.append(Search(owner: owner, find: find))
    }

    /// Ends a child that nobody needs, and calls back when its place is free; false if there is none.
    ///
    /// Where the principal has as many as it may, it is one of its own.
    func makeRoom(for principal: Principal?, _ retry: @escaping () -> Void) -> Bool {
        let whose = mayTake(principal) ? nil : principal
        guard waiting.count < limit,
            let idle = searches.compactMap({ $0.find(whose) }).min(by: { $0.lastUse < $1.lastUse })
        else { return false }
        waiting.append(retry)
        idle.end()
        return true
    }

    /// Nobody waits any more.
    func giveUp() {
        waiting = []
    }
}

/// A place among the processes that may run: of one server, and of all.
///
/// It is taken before a process is started and given back once it is gone.
final class ChildPlace {
    private let own: ChildPopulation
    private let all: ChildPopulation
    /// Whose it is; nil while the process is kept ready for anybody.
    private(set) var principal: Principal?
    private var isTaken = true

    /// Takes a place; nil if none is free.
    init?(_ own: ChildPopulation, _ all: ChildPopulation, for principal: Principal?) {
        guard own.hasRoom(for: principal), all.hasRoom(for: principal) else { return nil }
        self.own = own
        self.all = all
        self.principal = principal
        own.enter(principal)
        all.enter(principal)
    }

    /// Hands a place that was nobody's to a principal; false if it has as many as it may.
    func give(to principal: Principal) -> Bool {
        guard isTaken, self.principal == nil, own.mayTake(principal), all.mayTake(principal) else {
            return false
        }
        for population in [own, all] {
            population.leave(nil)
            population.enter(principal)
        }
        self.principal = principal
        return true
    }

    /// Gives the place back, and lets those try who wait for one.
    func leave() {
        guard isTaken else { return }
        isTaken = false
        own.leave(principal)
        all.leave(principal)
        own.wake()
        all.wake()
    }
}
