// Gatehouse. SPDX-License-Identifier: MIT

/// How many listens of modern callers want each resource, so that a legacy server is told when the first comes and when
/// the last is gone (2025-11-25, "Resources", "Subscriptions").
package struct SubscriptionCounts: Sendable {
    private var listens: [Int: ListenFilter] = [:]
    /// By the bytes of the URI: Unicode holds more strings to be equal than a server does.
    private var counts: [[UInt8]: Int] = [:]

    /// How many listens may be open.
    package let capacity: Int

    /// Starts without listens.
    package init(capacity: Int = 1000) {
        self.capacity = capacity
    }

    /// The open listens, oldest first.
    package var keys: [Int] { listens.keys.sorted() }
    /// The resources that somebody wants.
    package var uris: [String] { counts.keys.map { String(decoding: $0, as: UTF8.self) }.sorted() }

    /// A listen begins.
    ///
    /// - Returns: The resources that the server must be asked for now; nil if too many listens are open.
    package mutating func add(_ key: Int, _ filter: ListenFilter) -> [String]? {
        guard listens[key] == nil, listens.count < capacity else { return nil }
        listens[key] = filter
        var new: [String] = []
        for uri in filter.uris {
            let count = counts[Array(uri.utf8), default: 0]
            counts[Array(uri.utf8)] = count + 1
            if count == 0 { new.append(uri) }
        }
        return new
    }

    /// A listen ends; the resources that nobody wants any more.
    package mutating func remove(_ key: Int) -> [String] {
        guard let filter = listens.removeValue(forKey: key) else { return [] }
        return release(filter.uris)
    }

    /// The server honours less of a listen than it asked for.
    ///
    /// - Returns: The resources that nobody wants any more.
    package mutating func narrow(_ key: Int, to honoured: ListenFilter) -> [String] {
        guard let filter = listens[key] else { return [] }
        listens[key] = honoured
        let left = Set(honoured.uris.map { Array($0.utf8) })
        return release(filter.uris.filter { !left.contains(Array($0.utf8)) })
    }

    private mutating func release(_ uris: [String]) -> [String] {
        var gone: [String] = []
        for uri in uris {
            guard let count = counts[Array(uri.utf8)] else { continue }
            counts[Array(uri.utf8)] = count > 1 ? count - 1 : nil
            if count == 1 { gone.append(uri) }
        }
        return gone
    }

    /// The listens that a notification goes to, oldest first.
    package func listeners(of method: Method, uri: String?) -> [Int] {
        listens.filter { $0.value.covers(method, uri: uri) }.keys.sorted()
    }
}
