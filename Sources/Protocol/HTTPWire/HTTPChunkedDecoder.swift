// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// Decodes a chunked body (RFC 9112 §7.1) wherever it is cut.
///
/// It starts at the first chunk size. Each call of `next` passes some bytes and says what they meant; data is
/// named by its place in the input and never copied. It ends with `end`, after the line that ends the trailers;
/// bytes behind that belong to the next request. Extensions are checked, counted and ignored; trailers are held to
/// the limits of a head and discarded.
///
/// Stricter than RFC 9112 asks: no white space around sizes, semicolons and equals signs.
package struct HTTPChunkedDecoder: Sendable {
    /// What the bytes just passed meant.
    package enum Event: Sendable, Equatable {
        /// The input is used up.
        case needMore
        /// A part of the body, never empty.
        case data(Range<Int>)
        /// The body is complete.
        case end
    }

    private enum Phase {
        case size, sizeLineFeed, data, dataReturn, dataLineFeed
        case extensionName, extensionValue, extensionToken, extensionQuoted, extensionEscape, extensionDone
        case trailerStart, trailerName, trailerValue, trailerLineFeed, lastLineFeed, done
    }

    private let limits: HTTPLimits
    private var phase = Phase.size
    private var digits = 0
    private var size = 0
    /// Whether the extension name holds a byte yet.
    private var isNamed = false
    private var extensionBytes = 0
    private var trailerBytes = 0
    private var trailerCount = 0
    private var lineBytes = 0
    private var failure: HTTPWireError?

    /// Starts before the first chunk.
    package init(limits: HTTPLimits = HTTPLimits()) {
        self.limits = limits.bounded()
    }

    /// Reads on at `position` and moves it behind what was read.
    package mutating func next(_ input: Span<UInt8>, from position: inout Int) throws(HTTPWireError) -> Event
    {
        if let failure { throw failure }
        do {
            return try advance(input, &position)
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func advance(_ input: Span<UInt8>, _ position: inout Int) throws(HTTPWireError) -> Event
    {
        if phase == .done { return .end }
        while position < input.count {
            if phase == .data {
                let start = position
                let count = min(size, input.count - start)
                size -= count
                position += count
                if size == 0 { phase = .dataReturn }
                return .data(start..<position)
            }
            let byte = input[position]
            position += 1
            switch phase {
            case .size, .sizeLineFeed: try passSize(byte)
            case .dataReturn:
                guard byte == HTTPBytes.carriageReturn else { throw HTTPWireError(.missingChunkEnd) }
                phase = .dataLineFeed
            case .dataLineFeed:
                guard byte == HTTPBytes.lineFeed else { throw HTTPWireError(.missingChunkEnd) }
                phase = .size
            case .extensionName, .extensionValue, .extensionToken, .extensionQuoted, .extensionEscape,
                .extensionDone:
                try passExtension(byte)
            default:
                try passTrailer(byte)
                if phase == .done { return .end }
            }
        }
        return .needMore
    }

    private mutating func passSize(_ byte: UInt8) throws(HTTPWireError) {
        if phase == .sizeLineFeed {
            guard byte == HTTPBytes.lineFeed else { throw HTTPWireError(.bareCarriageReturn) }
            phase = size == 0 ? .trailerStart : .data
            digits = 0
        } else if let digit = Hex.value(byte) {
            if digits == 0 { size = 0 }
            guard digits < 16 else { throw HTTPWireError(.malformedChunkSize) }
            guard size <= Int.max >> 4 else { throw HTTPWireError(.chunkTooLarge) }
            size = size << 4 | Int(digit)
            digits += 1
        } else if byte == HTTPBytes.lineFeed {
            throw HTTPWireError(.bareLineFeed)
        } else {
            guard digits > 0 else { throw HTTPWireError(.malformedChunkSize) }
            try endElement(byte, orThrow: .malformedChunkSize)
        }
    }

    /// Passes what may follow a size or an extension: the next extension or the line end.
    private mutating func endElement(_ byte: UInt8, orThrow kind: HTTPWireError.Kind) throws(HTTPWireError) {
        switch byte {
        case UInt8(ascii: ";"):
            try countExtensionByte()
            isNamed = false
            phase = .extensionName
        case HTTPBytes.carriageReturn: phase = .sizeLineFeed
        case HTTPBytes.lineFeed: throw HTTPWireError(.bareLineFeed)
        default: throw HTTPWireError(kind)
        }
    }

    private mutating func countExtensionByte() throws(HTTPWireError) {
        extensionBytes += 1
        guard extensionBytes <= limits.chunkExtensions else { throw HTTPWireError(.chunkExtensionsTooLarge) }
    }

    private mutating func passExtension(_ byte: UInt8) throws(HTTPWireError) {
        switch phase {
        case .extensionName:
            if HTTPBytes.isToken(byte) {
                isNamed = true
            } else {
                guard isNamed else { throw Self.wrongInExtension(byte) }
                guard byte == UInt8(ascii: "=") else {
                    return try endElement(byte, orThrow: .malformedChunkExtension)
                }
                phase = .extensionValue
            }
        case .extensionValue:
            if HTTPBytes.isToken(byte) {
                phase = .extensionToken
            } else {
                guard byte == UInt8(ascii: "\"") else { throw Self.wrongInExtension(byte) }
                phase = .extensionQuoted
            }
        case .extensionToken:
            guard HTTPBytes.isToken(byte) else {
                return try endElement(byte, orThrow: .malformedChunkExtension)
            }
        case .extensionQuoted:
            guard HTTPBytes.isValue(byte) else { throw Self.wrongInExtension(byte) }
            if byte == UInt8(ascii: "\\") { phase = .extensionEscape }
            if byte == UInt8(ascii: "\"") { phase = .extensionDone }
        case .extensionEscape:
            guard HTTPBytes.isValue(byte) else { throw Self.wrongInExtension(byte) }
            phase = .extensionQuoted
        default: return try endElement(byte, orThrow: .malformedChunkExtension)
        }
        try countExtensionByte()
    }

    private static func wrongInExtension(_ byte: UInt8) -> HTTPWireError {
        HTTPWireError(byte == HTTPBytes.lineFeed ? .bareLineFeed : .malformedChunkExtension)
    }

    private mutating func passTrailer(_ byte: UInt8) throws(HTTPWireError) {
        trailerBytes += 1
        guard trailerBytes <= limits.head else { throw HTTPWireError(.headTooLarge) }
        switch phase {
        case .trailerStart: try startTrailer(byte)
        case .trailerName:
            guard byte != HTTPBytes.colon else {
                phase = .trailerValue
                return try countLineByte()
            }
            guard HTTPBytes.isToken(byte) else { throw HTTPRequestHeadParser.wrongInName(byte) }
            try countLineByte()
        case .trailerValue:
            if byte == HTTPBytes.carriageReturn {
                phase = .trailerLineFeed
            } else {
                guard byte != HTTPBytes.lineFeed else { throw HTTPWireError(.bareLineFeed) }
                guard HTTPBytes.isValue(byte) else { throw HTTPWireError(.controlByteInValue) }
                try countLineByte()
            }
        default:
            guard byte == HTTPBytes.lineFeed else { throw HTTPWireError(.bareCarriageReturn) }
            phase = phase == .trailerLineFeed ? .trailerStart : .done
        }
    }

    private mutating func startTrailer(_ byte: UInt8) throws(HTTPWireError) {
        switch byte {
        case HTTPBytes.carriageReturn: phase = .lastLineFeed
        case HTTPBytes.lineFeed: throw HTTPWireError(.bareLineFeed)
        case HTTPBytes.colon: throw HTTPWireError(.emptyFieldName)
        case HTTPBytes.space, HTTPBytes.tab:
            throw HTTPWireError(trailerCount == 0 ? .leadingSpace : .foldedLine)
        default:
            guard HTTPBytes.isToken(byte) else { throw HTTPWireError(.malformedFieldName) }
            guard trailerCount < limits.fieldCount else { throw HTTPWireError(.tooManyFields) }
            trailerCount += 1
            lineBytes = 0
            phase = .trailerName
            try countLineByte()
        }
    }

    private mutating func countLineByte() throws(HTTPWireError) {
        lineBytes += 1
        guard lineBytes <= limits.field else { throw HTTPWireError(.fieldTooLarge) }
    }
}
