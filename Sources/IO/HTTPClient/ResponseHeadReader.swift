// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// Gathers the lines of a response's head, as libcurl gives them one by one.
///
/// It starts before the status line. An interim head (1xx) is passed over; after the final one, lines belong to a
/// trailer and are passed over too.
struct ResponseHeadReader {
    /// The most bytes that all lines may have together.
    static let limit = 65_536

    private var status = 0
    private var fields: [HTTPField] = []
    private var size = 0
    private var isWhole = false
    private var isTaken = false

    /// Takes a line, its end included.
    ///
    /// False if it is one too many.
    mutating func append(_ line: Span<UInt8>) -> Bool {
        size += line.count
        guard size <= Self.limit else { return false }
        guard !isTaken else { return true }
        var end = line.count
        while end > 0, line[end - 1] == 0x0D || line[end - 1] == 0x0A { end -= 1 }
        let text = [UInt8](line, 0..<end)
        if text.starts(with: Array("HTTP/".utf8)) {
            status = Self.status(of: text)
            fields = []
        } else if text.isEmpty {
            isWhole = status >= 200
        } else if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
            let value = text[(colon + 1)...].trimmed
            fields.append(
                HTTPField(
                    String(decoding: text[..<colon].map(ASCII.lowercased), as: UTF8.self),
                    String(decoding: value, as: UTF8.self)
                )
            )
        }
        return true
    }

    /// The final head, once it is whole; it is given out once.
    mutating func takeWhole() -> HTTPResponse? {
        guard isWhole, !isTaken else { return nil }
        isTaken = true
        return HTTPResponse(status: status, fields: fields)
    }

    /// The number after the first space; 0 if there is none.
    private static func status(of line: [UInt8]) -> Int {
        guard let space = line.firstIndex(of: 0x20) else { return 0 }
        let digits = line[(space + 1)...].prefix { ASCII.isDigit($0) }
        return digits.count == 3 ? digits.reduce(0) { $0 * 10 + Int($1 & 15) } : 0
    }
}

extension ArraySlice<UInt8> {
    /// Without spaces and tabs at its ends.
    fileprivate var trimmed: ArraySlice<UInt8> {
        var slice = drop { $0 == 0x20 || $0 == 9 }
        while let last = slice.last, last == 0x20 || last == 9 { slice.removeLast() }
        return slice
    }
}
