// Gatehouse. SPDX-License-Identifier: MIT

/// How large the parts of a message may be.
///
/// One byte more is refused.
package struct HTTPLimits: Sendable {
    /// Bytes of the request target; beyond: 414.
    package var target: Int
    /// Bytes of one field line without its line end; beyond: 431.
    package var field: Int
    /// Bytes of the head whole, request line and line ends included, and of the trailers alike; beyond: 431.
    package var head: Int
    /// Fields of a head, and of the trailers alike; beyond: 431.
    package var fieldCount: Int
    /// Bytes of all chunk extensions of one body, semicolons included; beyond: 400.
    package var chunkExtensions: Int

    /// The largest value of any of them that takes effect.
    static let ceiling = 1 << 30

    /// The defaults are those of the strict profile.
    package init(
        target: Int = 8192,
        field: Int = 16384,
        head: Int = 65536,
        fieldCount: Int = 128,
        chunkExtensions: Int = 1024
    ) {
        self.target = target
        self.field = field
        self.head = head
        self.fieldCount = fieldCount
        self.chunkExtensions = chunkExtensions
    }

    /// The same limits, each within what the parsers count with.
    func bounded() -> HTTPLimits {
        func bound(_ limit: Int, _ most: Int = HTTPLimits.ceiling) -> Int { min(max(limit, 0), most) }
        return HTTPLimits(
            target: bound(target),
            field: bound(field),
            head: bound(head),
            fieldCount: bound(fieldCount, Int(UInt16.max)),
            chunkExtensions: bound(chunkExtensions)
        )
    }
}
