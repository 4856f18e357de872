// Gatehouse. SPDX-License-Identifier: MIT

/// Writing: several changes in one transaction.
extension Database {
    /// Carries out writes, each as a whole, in one transaction.
    ///
    /// A write that is wrong in itself fails alone. When the disk fails or is full, all of them fail, and none is carried
    /// out. What the disk did when it failed to commit is not known: the changes must be such that they may be
    /// written again.
    ///
    /// - Parameter writes: The changes of each.
    /// - Returns: Why each failed; nil for those that are durable now.
    package func apply(_ writes: [[StoreChange]]) -> [StoreFailure?] {
        var results = [StoreFailure?](repeating: nil, count: writes.count)
        do throws(StoreFailure) {
            try run("BEGIN IMMEDIATE")
            for (index, write) in writes.enumerated() { results[index] = try apply(write) }
            try run("COMMIT")
            return results
        } catch {
            if isInTransaction { try? run("ROLLBACK") }
            return results.map { $0 ?? error }
        }
    }

    /// Carries out one write.
    ///
    /// - Returns: Why it was taken back, while the others go on.
    /// - Throws: Why the transaction is over.
    private func apply(_ write: [StoreChange]) throws(StoreFailure) -> StoreFailure? {
        try run("SAVEPOINT one")
        do throws(StoreFailure) {
            for change in write { try run(change.sql, change.values) }
        } catch {
            guard error.kind == .rejected, isInTransaction else { throw error }
            try run("ROLLBACK TO one")
            try run("RELEASE one")
            return error
        }
        try run("RELEASE one")
        return nil
    }
}
