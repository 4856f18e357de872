// Gatehouse. SPDX-License-Identifier: MIT

/// The tables of a database, as the steps that led to them.
///
/// The version of a database is how many of the steps it has taken; it is kept in the file (`user_version`). Opening one
/// that has taken fewer takes the rest, each in a transaction of its own. One that has taken more was written by a newer
/// program and is refused.
package struct StoreSchema: Sendable {
    /// What the file is told apart by from databases of other programs (`application_id`).
    package let application: Int32
    /// The statements of each step.
    ///
    /// Once released, a step does not change any more: another follows it.
    package let steps: [[String]]

    /// Makes a schema.
    package init(application: Int32, steps: [[String]]) {
        self.application = application
        self.steps = steps
    }
}
