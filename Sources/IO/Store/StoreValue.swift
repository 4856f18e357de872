// Gatehouse. SPDX-License-Identifier: MIT

/// What stands in a column.
package enum StoreValue: Sendable, Equatable {
    /// Nothing.
    case null
    /// A number.
    case integer(Int64)
    /// A text.
    case text(String)
    /// Bytes.
    case blob([UInt8])

    /// The number, if this is one.
    package var integer: Int64? {
        guard case .integer(let value) = self else { return nil }
        return value
    }

    /// The text, if this is one.
    package var text: String? {
        guard case .text(let value) = self else { return nil }
        return value
    }

    /// The bytes, if these are some.
    package var blob: [UInt8]? {
        guard case .blob(let value) = self else { return nil }
        return value
    }

    /// Bytes that it holds, more or less.
    var size: Int {
        switch self {
        case .null, .integer: 8
        case .text(let text): text.utf8.count
        case .blob(let bytes): bytes.count
        }
    }
}

/// A statement of SQL that changes something, with the values of its parameters.
///
/// The text is prepared once and kept, so there must be few different ones: whatever varies is a value.
package struct StoreChange: Sendable, Equatable {
    /// The statement, with a `?` for each value.
    package let sql: String
    /// The values, in order.
    package let values: [StoreValue]

    /// Makes a change.
    package init(_ sql: String, _ values: [StoreValue] = []) {
        self.sql = sql
        self.values = values
    }

    /// Bytes that it holds while it waits.
    var size: Int { values.reduce(64) { $0 + $1.size } }
}
