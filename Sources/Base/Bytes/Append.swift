// Gatehouse. SPDX-License-Identifier: MIT

/// Writing into byte buffers: what every room that speaks on a wire needs.
///
/// Inlinable, as all of this room that is generic or called for each byte: without it, the message path of `make bench`
/// spends a tenth of its time in unspecialised collections.
extension [UInt8] {
    /// Appends the UTF-8 bytes of a string.
    @inlinable
    package mutating func append(_ text: String) {
        append(contentsOf: text.utf8)
    }

    /// Appends the bytes of a literal, without making a `String` of it.
    @inlinable
    package mutating func append(literal text: StaticString) {
        text.withUTF8Buffer { unsafe append(contentsOf: $0) }
    }

    /// Appends borrowed bytes.
    @inlinable
    package mutating func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends a part of borrowed bytes; `range` must lie within them.
    @inlinable
    package mutating func append(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        append(bytes.extracting(range))
    }

    /// Appends a number in decimal.
    @inlinable
    package mutating func append(decimal number: some BinaryInteger) {
        if number < 0 { append(UInt8(ascii: "-")) }
        // Ids and lengths are short, and quicker one by one; times are not.
        if number.magnitude >= 100_000 { return append(digitsOf: number.magnitude) }
        let start = count
        var rest = number.magnitude
        repeat {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        // The digits came last first. Not `reverse()` of a slice: that copies the whole array.
        var (low, high) = (start, count - 1)
        while low < high {
            swapAt(low, high)
            low += 1
            high -= 1
        }
    }

    /// Appends the digits of a large number, which are put together apart, from the last to the first.
    @inlinable
    mutating func append(digitsOf number: some BinaryInteger) {
        // A digit is more than three bits.
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: number.bitWidth / 3 + 1) { digits in
            var start = digits.count
            var rest = number
            while rest > 0 {
                start -= 1
                unsafe digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            unsafe append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
        }
    }

    /// Appends bytes as lower-case hexadecimal, two digits each.
    @inlinable
    package mutating func append(hex bytes: some Sequence<UInt8>) {
        for byte in bytes {
            append(Hex.digits[Int(byte >> 4)])
            append(Hex.digits[Int(byte & 15)])
        }
    }

    /// Appends a number as 16 lower-case hexadecimal digits.
    ///
    /// Eight digits at a time: ids of traces are written on the path of every call.
    package mutating func append(hex number: UInt64) {
        let text = Hex.text(number)
        unsafe Swift.withUnsafeBytes(of: text) { unsafe append(contentsOf: $0) }
    }

    /// Copies borrowed bytes.
    package init(_ bytes: Span<UInt8>) {
        self.init()
        append(bytes)
    }

    /// Copies a part of borrowed bytes; `range` must lie within them.
    package init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        self.init(bytes.extracting(range))
    }
}

/// Hexadecimal digits, as ids and chunk sizes use them.
@usableFromInline
package enum Hex {
    @usableFromInline
    package static let digits = Array("0123456789abcdef".utf8)

    /// Sixteen digits as they stand in memory.
    package static func text(_ number: UInt64) -> (UInt64, UInt64) {
        (half(UInt32(truncatingIfNeeded: number >> 32)), half(UInt32(truncatingIfNeeded: number)))
    }

    private static func half(_ number: UInt32) -> UInt64 {
        // The first digit comes into the lowest byte, and so on, one digit in each.
        var digits = UInt64(number.byteSwapped)
        digits = (digits | digits << 16) & 0x0000_FFFF_0000_FFFF
        digits = (digits | digits << 8) & 0x00FF_00FF_00FF_00FF
        digits = (digits >> 4 | digits << 8) & 0x0F0F_0F0F_0F0F_0F0F
        // One in each byte that is to be a letter, which follow the figures at some distance.
        let letters = (digits &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        let gap = UInt64(UInt8(ascii: "a") - UInt8(ascii: "0") - 10)
        return (digits &+ 0x3030_3030_3030_3030 &+ letters &* gap).littleEndian
    }

    /// The value of a hexadecimal digit of either case, or nil.
    @inlinable
    package static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
