// Gatehouse. SPDX-License-Identifier: MIT

/// A host with an optional port, as `Host` and absolute targets name it (RFC 9110 §7.2).
///
/// Narrower than RFC 3986: letters, digits, `-`, `.` and `_`, or an IPv6 address in brackets; no percent-encoding,
/// user name, list or white space. A port, where there is a colon, has one to five digits and is below 65536.
enum HTTPAuthority {
    /// Whether the part of the bytes is one.
    static func isValid(_ input: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        guard start < end else { return false }
        var index = start
        if input[start] == UInt8(ascii: "[") {
            index += 1
            while index < end, isAddress(input[index]) { index += 1 }
            guard index > start + 1, index < end, input[index] == UInt8(ascii: "]") else { return false }
            index += 1
        } else {
            while index < end, isName(input[index]) { index += 1 }
            guard index > start else { return false }
        }
        guard index < end else { return true }
        return input[index] == HTTPBytes.colon && isPort(input, index + 1, end)
    }

    private static func isName(_ byte: UInt8) -> Bool {
        if HTTPBytes.isLetter(byte) || HTTPBytes.isDigit(byte) { return true }
        return byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    private static func isAddress(_ byte: UInt8) -> Bool {
        if HTTPBytes.isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 6 { return true }
        return byte == HTTPBytes.colon || byte == UInt8(ascii: ".")
    }

    private static func isPort(_ input: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        guard 1...5 ~= end - start else { return false }
        var port = 0
        for index in start..<end {
            guard HTTPBytes.isDigit(input[index]) else { return false }
            port = port * 10 + Int(input[index] - UInt8(ascii: "0"))
        }
        return port <= 65535
    }
}
