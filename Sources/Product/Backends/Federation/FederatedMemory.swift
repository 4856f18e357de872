// Gatehouse. SPDX-License-Identifier: MIT

import MCPCore
import Sessions

/// What the servers of a federation listed to each principal, for when they do not answer.
///
/// Bounded as a whole, in bytes and in principals; past a bound the one that was remembered before all others is
/// forgotten. Of what one principal was listed, the largest lists are left out until the rest is a quarter of the whole, so
/// that nobody takes the place of all others.
struct FederatedMemory {
    /// The lists of each server, in the order of the servers.
    typealias Lists = [[FederatedKind: FederatedList]]

    private struct Entry {
        let principal: Principal
        let era: Era
        let lists: Lists
        let bytes: Int
    }

    private let limit: Int
    private let byteLimit: Int
    private var entries: [Entry] = []
    /// Bytes of all lists.
    private(set) var bytes = 0

    /// Starts empty.
    ///
    /// - Parameters:
    ///   - limit: How many principals are remembered.
    ///   - byteLimit: Bytes of all lists together.
    init(limit: Int = 64, byteLimit: Int = 16 << 20) {
        self.limit = limit
        self.byteLimit = byteLimit
    }

    /// How many principals are remembered.
    var count: Int { entries.count }

    /// What a principal was listed.
    func lists(of principal: Principal, _ era: Era) -> Lists? {
        entries.first { $0.principal == principal && $0.era == era }?.lists
    }

    /// Takes what a principal is listed now in the place of what it was before.
    mutating func remember(_ lists: Lists, of principal: Principal, _ era: Era) {
        if let index = entries.firstIndex(where: { $0.principal == principal && $0.era == era }) {
            forget(at: index)
        }
        let (kept, size) = Self.fitting(lists, into: byteLimit / 4)
        entries.append(Entry(principal: principal, era: era, lists: kept, bytes: size))
        bytes += size
        while entries.count > limit || bytes > byteLimit { forget(at: 0) }
    }

    private mutating func forget(at index: Int) {
        bytes -= entries[index].bytes
        entries.remove(at: index)
    }

    /// The lists without the largest of them, so that they fit.
    private static func fitting(_ lists: Lists, into limit: Int) -> (Lists, size: Int) {
        var kept = lists
        var size = lists.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.size } }
        let order = lists.enumerated()
            .flatMap { index, own in own.map { (index: index, kind: $0.key, size: $0.value.size) } }
            .sorted { $0.size > $1.size }
        for list in order {
            guard size > limit else { break }
            kept[list.index][list.kind] = nil
            size -= list.size
        }
        return (kept, size)
    }
}
