// Gatehouse. SPDX-License-Identifier: MIT

/// Something that a line of the log is about, so that it can be searched for.
package struct LogField: Sendable {
    /// What it is.
    package let name: StaticString
    /// Its value; escaped and cut when it is written.
    package let value: String

    /// Makes one.
    package init(_ name: StaticString, _ value: String) {
        self.name = name
        self.value = value
    }

    /// The most characters of a value that are written.
    static let limit = 256
}
