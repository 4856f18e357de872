// Gatehouse. SPDX-License-Identifier: MIT

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

    private let limit: Int
    /// How many run or are being started.
    package private(set) var count = 0
    private var searches: [() -> Idle?] = []
    /// Who waits for the place of a child that is ending.
    private var waiting: [() -> Void] = []

    /// Starts with none.
    package init(limit: Int) {
        self.limit = limit
    }

    /// Whether a place is free.
    var hasRoom: Bool { count < limit }

    /// Takes a place; false if none is free.
    func enter() -> Bool {
        guard count < limit else { return false }
        count += 1
        return true
    }

    /// Gives a place back; `wake` follows, once all places that go with it are given back too.
    func leave() {
        count -= 1
    }

    /// Lets one who waits for a place try again.
    func wake() {
        if !waiting.isEmpty { waiting.removeFirst()() }
    }

    /// Adds a way to find the least recently used child that nobody needs.
    func search(_ find: @escaping () -> Idle?) {
        searches.append(find)
    }

    /// Ends a child that nobody needs, and calls back when its place is free; false if there is none.
    func makeRoom(_ retry: @escaping () -> Void) -> Bool {
        guard waiting.count < limit,
            let idle = searches.compactMap({ $0() }).min(by: { $0.lastUse < $1.lastUse })
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
