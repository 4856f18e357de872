// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// Finds messages in what comes out of a pipe, without copying them.
///
/// The caller keeps the bytes and a position in them: the reader moves the position past everything it has dealt with,
/// and remembers how far beyond it looked. Between two calls, bytes before the position may be removed (with the position
/// moved along) and bytes may be added at the end; those in between must stay as they are.
///
/// In line framing CR LF counts as LF, and blank lines are passed over. In `Content-Length` framing the header names are
/// case-insensitive, lines may end with a bare LF, and lines that belong to no header are reported and passed over.
package struct FrameReader: Sendable {
    /// The most bytes that the header of one message may have.
    package static let headerLimit = 8192

    private let framing: Framing
    private let limit: Int
    /// How many bytes from the position on have no line end.
    private var scanned = 0
    private var isTooLong = false
    private var header = Header()

    /// A header being read.
    private struct Header {
        /// Whether a line of one has come.
        var isOpen = false
        var length: Int?
        var size = 0
        /// Whether the empty line has come, so that the body follows.
        var isWhole = false
    }

    /// Starts before the first byte of a pipe.
    ///
    /// A message, or another line, of more than `limit` bytes is too long.
    package init(framing: Framing, limit: Int) {
        self.framing = framing
        self.limit = max(0, min(limit, 1 << 40))
    }

    /// The next event in `input` at or after `position`, which must not lie beyond its end.
    package mutating func next(_ input: Span<UInt8>, from position: inout Int) -> FrameEvent {
        while !isTooLong {
            let event: FrameEvent?
            switch framing {
            case .newline: event = content(input, nextLine(input, &position))
            case .contentLength: event = nextPart(input, &position)
            }
            guard let event else { continue }
            guard event == .tooLong else { return event }
            isTooLong = true
        }
        return .tooLong
    }

    /// What a line holds, or nil for an empty one.
    private func content(_ input: Span<UInt8>, _ line: Line) -> FrameEvent? {
        switch line {
        case .needMore: return .needMore
        case .tooLong: return .tooLong
        case .line(let range):
            let text = trimmed(input, range)
            guard let first = text.first else { return nil }
            return input[first] == UInt8(ascii: "{") || input[first] == UInt8(ascii: "[")
                ? .message(text) : .skip(text)
        }
    }
}

// MARK: Lines

extension FrameReader {
    private enum Line: Equatable {
        /// A line, without its end.
        case line(Range<Int>)
        case needMore
        case tooLong
    }

    private mutating func nextLine(_ input: Span<UInt8>, _ position: inout Int) -> Line {
        let start = position
        guard let end = input.firstIndex(of: UInt8(ascii: "\n"), from: start + scanned) else {
            scanned = input.count - start
            // One more for the CR that may stand before the LF.
            return scanned > limit + 1 ? .tooLong : .needMore
        }
        scanned = 0
        position = end + 1
        var line = start..<end
        if let last = line.last, input[last] == UInt8(ascii: "\r") { line.removeLast() }
        return line.count > limit ? .tooLong : .line(line)
    }

    private func trimmed(_ input: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var range = range
        while let first = range.first, isSpace(input[first]) { range.removeFirst() }
        while let last = range.last, isSpace(input[last]) { range.removeLast() }
        return range
    }

    /// White space of JSON (RFC 8259 §2).
    private func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A
    }
}

// MARK: Content-Length

extension FrameReader {
    /// One step: a header line, or the body.
    ///
    /// Nil if there is nothing to report.
    private mutating func nextPart(_ input: Span<UInt8>, _ position: inout Int) -> FrameEvent? {
        if header.isWhole, let length = header.length {
            guard input.count - position >= length else { return .needMore }
            let body = position..<position + length
            position = body.upperBound
            header = Header()
            return content(input, .line(body))
        }
        let start = position
        let found = nextLine(input, &position)
        guard case .line(let line) = found else {
            let isLong = found == .tooLong || header.isOpen && header.size + scanned > Self.headerLimit
            return isLong ? .tooLong : .needMore
        }
        if header.isOpen {
            header.size += position - start
            guard header.size <= Self.headerLimit else { return .tooLong }
        }
        return take(input, line)
    }

    private mutating func take(_ input: Span<UInt8>, _ line: Range<Int>) -> FrameEvent? {
        let text = trimmed(input, line)
        guard !text.isEmpty else { return endHeader(line) }
        if let value = value(of: "content-length", input, text) {
            guard let length = decimal(input, value), header.length == nil || header.length == length else {
                header = Header()
                return .skip(text)
            }
            header.isOpen = true
            header.length = length
            return length > limit ? .tooLong : nil
        }
        if value(of: "content-type", input, text) != nil { header.isOpen = true }
        // Other fields are allowed within a header; elsewhere they are talk.
        return header.isOpen ? nil : .skip(text)
    }

    private mutating func endHeader(_ line: Range<Int>) -> FrameEvent? {
        guard header.isOpen else { return nil }
        guard header.length != nil else {
            header = Header()
            return .skip(line)
        }
        header.isWhole = true
        return nil
    }

    /// Where the value of a field stands, if the line is that field.
    private func value(of lowercase: StaticString, _ input: Span<UInt8>, _ line: Range<Int>) -> Range<Int>? {
        let length = lowercase.utf8CodeUnitCount
        guard line.count > length else { return nil }
        let colon = line.lowerBound + length
        guard input[colon] == UInt8(ascii: ":") else { return nil }
        let isName = lowercase.withUTF8Buffer { name in
            (0..<length).allSatisfy { unsafe ASCII.lowercased(input[line.lowerBound + $0]) == name[$0] }
        }
        return isName ? trimmed(input, colon + 1..<line.upperBound) : nil
    }

    /// A number written in digits only; nil for anything else and for what no message could have.
    private func decimal(_ input: Span<UInt8>, _ range: Range<Int>) -> Int? {
        guard !range.isEmpty, range.count <= 15 else { return nil }
        var number = 0
        for index in range {
            guard ASCII.isDigit(input[index]) else { return nil }
            number = number * 10 + Int(input[index] - UInt8(ascii: "0"))
        }
        return number
    }
}
