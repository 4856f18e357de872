// Gatehouse. SPDX-License-Identifier: MIT

/// Where a value stands in a text: half-open offsets, in eight bytes, so that a message's index stays small.
///
/// The empty slice at zero means that the value is absent; no JSON value is empty, and no message is longer than
/// 4 GiB (limits see to that). Inlinable, as it is read many times for each message.
package struct JSONSlice: Sendable, Equatable {
    @usableFromInline var lower: UInt32
    @usableFromInline var upper: UInt32

    /// The slice of an absent value.
    package static let absent = JSONSlice(0, 0)

    /// Makes a slice; offsets beyond 4 GiB become the absent slice.
    package init(_ start: Int, _ end: Int) {
        lower = UInt32(exactly: start) ?? 0
        upper = UInt32(exactly: end) ?? 0
    }

    /// The offset of the first byte.
    @inlinable package var start: Int { Int(lower) }
    /// The offset after the last byte.
    @inlinable package var end: Int { Int(upper) }
    /// The number of bytes.
    @inlinable package var count: Int { end - start }
    /// The offsets.
    @inlinable package var range: Range<Int> { start..<end }
    /// Whether there is a value.
    @inlinable package var isPresent: Bool { upper > 0 }
}

/// Where a string's contents stand in a text, quotes not included.
package struct JSONString: Sendable, Equatable {
    /// The contents, as written.
    package let slice: JSONSlice
    /// Whether an escape stands in them, so that the written bytes are not the string's.
    package let hasEscapes: Bool

    /// An absent string.
    package static let absent = JSONString(slice: .absent, hasEscapes: false)

    /// Makes one.
    package init(slice: JSONSlice, hasEscapes: Bool) {
        self.slice = slice
        self.hasEscapes = hasEscapes
    }

    /// Whether there is a string; an empty string is present.
    package var isPresent: Bool { slice.isPresent }
    /// The string with its quotes.
    package var quoted: JSONSlice { isPresent ? JSONSlice(slice.start - 1, slice.end + 1) : .absent }
}

/// The walk over an object's members: how many came, and which names, so that a second one is refused.
package struct JSONMembers: Sendable {
    private var few = InlineArray<12, UInt64>(repeating: 0)
    private var many: Set<UInt64> = []
    /// How many members came.
    package private(set) var count = 0

    init() {}

    /// Remembers a name by its hash; false if it came before.
    mutating func insert(_ hash: UInt64) -> Bool {
        defer { count += 1 }
        if count < few.count {
            for index in 0..<count where few[index] == hash { return false }
            few[count] = hash
            return true
        }
        if count == few.count {
            for index in few.indices { many.insert(few[index]) }
        }
        return many.insert(hash).inserted
    }
}

/// The walk over an array's elements.
package struct JSONElements: Sendable {
    /// How many elements came.
    package internal(set) var count = 0

    init() {}
}
