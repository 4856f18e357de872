// Gatehouse. SPDX-License-Identifier: MIT

/// Why a text is not JSON5, and where.
package struct JSON5Error: Error, Sendable, Equatable, CustomStringConvertible {
    /// The first character that does not fit.
    package var position: JSON5Position
    /// What is wrong there, in words.
    package var message: String

    /// `line:column: message`.
    package var description: String { "\(position): \(message)" }
}
