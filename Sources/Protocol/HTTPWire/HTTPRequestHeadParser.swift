// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// Reads the head of a request (RFC 9112 §2 to §6) under a strict profile: what two readers could understand
/// differently is refused.
///
/// It is fed the bytes of the head gathered so far, each time from the first one, and looks at every byte once: it
/// remembers where it was. It ends with the length of the head, or with an error, which it then repeats. Which error
/// that is depends on the bytes only, not on how they were cut. `takeHead` starts the next request.
///
/// Stricter than RFC 9112 asks: no line before the request line, no white space after the values of Content-Length
/// and Transfer-Encoding, no leading zeros, no Transfer-Encoding beside Content-Length, no body of CONNECT, no names
/// that only start like Transfer-Encoding, ports of one to five digits.
package struct HTTPRequestHeadParser: Sendable {
    /// What the next byte is a part of.
    private enum Phase {
        case method, target, version, fieldStart, name, blank, value, lineFeed, lastLineFeed, done
    }

    let limits: HTTPLimits
    var parts = HTTPRequestHead.Parts()
    private var phase = Phase.method
    private var position = 0
    /// Where the target, the version or the field line started.
    private var start = 0
    private var nameEnd = 0
    private var valueStart = 0
    private var failure: HTTPWireError?
    var hasClose = false
    var hasKeepAlive = false
    var length: Int?
    var isChunked = false

    /// Starts before the first byte of a request.
    package init(limits: HTTPLimits = HTTPLimits()) {
        self.limits = limits.bounded()
    }

    /// Gives the head away once it is whole, and starts again before the first byte of the next request.
    package mutating func takeHead() -> HTTPRequestHead {
        var whole = HTTPRequestHead.Parts()
        swap(&whole, &parts)
        phase = .method
        position = 0
        hasClose = false
        hasKeepAlive = false
        length = nil
        isChunked = false
        return HTTPRequestHead(whole)
    }

    /// Reads on in the head gathered so far; the length of the head once it is whole, nil while it is not.
    package mutating func parse(_ input: Span<UInt8>) throws(HTTPWireError) -> Int? {
        if let failure { throw failure }
        do {
            return try advance(input)
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func advance(_ input: Span<UInt8>) throws(HTTPWireError) -> Int? {
        let end = min(input.count, limits.head)
        while position < end || phase == .done {
            switch phase {
            case .method: try passMethod(input, end)
            case .target: try passTarget(input, end)
            case .version: try passVersion(input, end)
            case .fieldStart: try startField(input[position])
            case .name: try passName(input, end)
            case .blank: try passBlank(input, end)
            case .value: try passValue(input, end)
            case .lineFeed:
                try passLineFeed(input[position])
                try endField(input)
                phase = .fieldStart
            case .lastLineFeed:
                try passLineFeed(input[position])
                try finish(input, position)
                parts.bytes.append(input, 0..<position)
                phase = .done
            case .done: return position
            }
        }
        if input.count > limits.head { throw HTTPWireError(.headTooLarge) }
        return nil
    }

    private mutating func passMethod(_ input: Span<UInt8>, _ end: Int) throws(HTTPWireError) {
        var index = position
        defer { position = index }
        while index < end {
            let byte = input[index]
            if byte == HTTPBytes.space && index > 0 {
                parts.methodEnd = index
                index += 1
                start = index
                phase = .target
                return
            }
            guard HTTPBytes.isToken(byte) else { throw HTTPWireError(.malformedRequestLine) }
            guard index < HTTPMethod.longestName else { throw HTTPWireError(.methodTooLong) }
            index += 1
        }
    }

    private mutating func passTarget(_ input: Span<UInt8>, _ end: Int) throws(HTTPWireError) {
        var index = position
        defer { position = index }
        let bound = start + limits.target
        while index < end {
            let byte = input[index]
            if byte == HTTPBytes.space {
                guard index > start else { throw HTTPWireError(.malformedRequestLine) }
                parts.targetRange = start..<index
                index += 1
                start = index
                phase = .version
                return
            }
            if byte == HTTPBytes.carriageReturn || byte == HTTPBytes.lineFeed {
                throw HTTPWireError(.malformedRequestLine)
            }
            guard HTTPBytes.isTarget(byte) else { throw HTTPWireError(.malformedTarget) }
            guard index < bound else { throw HTTPWireError(.targetTooLong) }
            index += 1
        }
    }

    /// Passes `HTTP/1.0` or `HTTP/1.1` and the line end.
    private mutating func passVersion(_ input: Span<UInt8>, _ end: Int) throws(HTTPWireError) {
        while position < end {
            let byte = input[position]
            switch position - start {
            case 0: try expect(byte == UInt8(ascii: "H"))
            case 1, 2: try expect(byte == UInt8(ascii: "T"))
            case 3: try expect(byte == UInt8(ascii: "P"))
            case 4: try expect(byte == UInt8(ascii: "/"))
            case 5: try expect(HTTPBytes.isDigit(byte))
            case 6: try expect(byte == UInt8(ascii: "."))
            case 7:
                try expect(HTTPBytes.isDigit(byte))
                guard input[start + 5] == UInt8(ascii: "1"), byte <= UInt8(ascii: "1") else {
                    throw HTTPWireError(.unsupportedVersion)
                }
                parts.version = byte == UInt8(ascii: "1") ? .http11 : .http10
            case 8:
                if byte == HTTPBytes.lineFeed { throw HTTPWireError(.bareLineFeed) }
                try expect(byte == HTTPBytes.carriageReturn)
            default:
                try passLineFeed(byte)
                phase = .fieldStart
                return
            }
            position += 1
        }
    }

    private func expect(_ holds: Bool) throws(HTTPWireError) {
        guard holds else { throw HTTPWireError(.malformedVersion) }
    }

    private mutating func startField(_ byte: UInt8) throws(HTTPWireError) {
        switch byte {
        case HTTPBytes.carriageReturn:
            position += 1
            phase = .lastLineFeed
        case HTTPBytes.lineFeed: throw HTTPWireError(.bareLineFeed)
        case HTTPBytes.space, HTTPBytes.tab:
            throw HTTPWireError(parts.fields.isEmpty ? .leadingSpace : .foldedLine)
        case HTTPBytes.colon: throw HTTPWireError(.emptyFieldName)
        default:
            guard parts.fields.count < limits.fieldCount else { throw HTTPWireError(.tooManyFields) }
            if parts.fields.isEmpty { parts.fields.reserveCapacity(16) }
            start = position
            phase = .name
        }
    }

    private mutating func passName(_ input: Span<UInt8>, _ end: Int) throws(HTTPWireError) {
        var index = position
        defer { position = index }
        let bound = start + limits.field
        while index < end {
            let byte = input[index]
            if !HTTPBytes.isToken(byte) {
                guard byte == HTTPBytes.colon else { throw Self.wrongInName(byte) }
                guard index < bound else { throw HTTPWireError(.fieldTooLarge) }
                nameEnd = index
                index += 1
                phase = .blank
                return
            }
            guard index < bound else { throw HTTPWireError(.fieldTooLarge) }
            index += 1
        }
    }

    static func wrongInName(_ byte: UInt8) -> HTTPWireError {
        switch byte {
        case HTTPBytes.space, HTTPBytes.tab: HTTPWireError(.spaceBeforeColon)
        case HTTPBytes.lineFeed: HTTPWireError(.bareLineFeed)
        default: HTTPWireError(.malformedFieldName)
        }
    }

    private mutating func passBlank(_ input: Span<UInt8>, _ end: Int) throws(HTTPWireError) {
        let bound = start + limits.field
        while position < end {
            guard HTTPBytes.isBlank(input[position]) else {
                valueStart = position
                phase = .value
                return
            }
            guard position < bound else { throw HTTPWireError(.fieldTooLarge) }
            position += 1
        }
    }

    private mutating func passValue(_ input: Span<UInt8>, _ end: Int) throws(HTTPWireError) {
        var index = position
        defer { position = index }
        let bound = start + limits.field
        let stop = min(end, bound)
        let raw = unsafe input.bytes
        while index &+ 8 <= stop {
            let controls = HTTPBytes.controls(UInt64(littleEndian: Span.word(raw, index, UInt64.self)))
            index &+= controls.trailingZeroBitCount / 8
            guard controls != 0 else { continue }
            guard input[index] == HTTPBytes.tab else { break }
            index &+= 1
        }
        while index < stop, HTTPBytes.isValue(input[index]) { index += 1 }
        guard index < end else { return }
        let byte = input[index]
        switch byte {
        case HTTPBytes.carriageReturn:
            index += 1
            phase = .lineFeed
        case HTTPBytes.lineFeed: throw HTTPWireError(.bareLineFeed)
        default: throw HTTPWireError(HTTPBytes.isValue(byte) ? .fieldTooLarge : .controlByteInValue)
        }
    }

    private mutating func passLineFeed(_ byte: UInt8) throws(HTTPWireError) {
        guard byte == HTTPBytes.lineFeed else { throw HTTPWireError(.bareCarriageReturn) }
        position += 1
    }

    /// Enters the field that just ended into the list and its slot, and applies the rules of its name.
    private mutating func endField(_ input: Span<UInt8>) throws(HTTPWireError) {
        let lineEnd = position - 2
        var valueEnd = lineEnd
        while valueEnd > valueStart, HTTPBytes.isBlank(input[valueEnd - 1]) { valueEnd -= 1 }
        let name = HTTPFieldName(input, start, nameEnd)
        if name == .other {
            try Self.checkUnknown(input, start, nameEnd)
        } else {
            let slot = Int(name.rawValue)
            if parts.slots[slot].count == 0 { parts.slots[slot].first = UInt16(parts.fields.count) }
            parts.slots[slot].count += 1
            try apply(name, input, valueStart, valueEnd, endsBlank: valueEnd < lineEnd)
        }
        parts.fields.append(
            HTTPRequestHead.Field(
                nameStart: UInt32(start),
                nameEnd: UInt32(nameEnd),
                valueStart: UInt32(valueStart),
                valueEnd: UInt32(valueEnd)
            )
        )
    }
}
