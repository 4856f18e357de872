// Gatehouse. SPDX-License-Identifier: MIT

/// Why the database cannot be opened or written.
package struct StoreFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it is.
    package enum Kind: Sendable, Equatable {
        /// It is not used: not ours, damaged, of a newer version, open to others, or not to be reached.
        case refused
        /// Another process has it.
        case taken
        /// There is no space for more.
        case full
        /// The disk failed, or does not let us write.
        case unwritable
        /// The statement is wrong, which is a mistake of ours.
        case rejected
        /// More waits to be written than may; the change was not taken.
        case overloaded
        /// It has been closed; the change was not taken.
        case closed
    }

    /// The kind.
    package let kind: Kind
    /// One line for the operator.
    package let description: String

    /// Makes a failure.
    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
