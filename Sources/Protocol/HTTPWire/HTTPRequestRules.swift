// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// What the fields mean for the message itself, and which of them may not stand together.
extension HTTPRequestHeadParser {
    /// Applies the rules of one field.
    ///
    /// `endsBlank`: white space stood after the value.
    mutating func apply(
        _ name: HTTPFieldName,
        _ input: Span<UInt8>,
        _ start: Int,
        _ end: Int,
        endsBlank: Bool
    ) throws(HTTPWireError) {
        let isFirst = parts.count(name) == 1
        switch name {
        case .host:
            guard isFirst else { throw HTTPWireError(.repeatedHost) }
            guard HTTPAuthority.isValid(input, start, end) else { throw HTTPWireError(.malformedHost) }
            parts.authorityRange = start..<end
        case .contentLength:
            guard isFirst else { throw HTTPWireError(.repeatedContentLength) }
            guard !isChunked else { throw HTTPWireError(.contentLengthWithTransferEncoding) }
            guard !endsBlank else { throw HTTPWireError(.malformedContentLength) }
            length = try Self.contentLength(input, start, end)
        case .transferEncoding:
            guard isFirst else { throw HTTPWireError(.repeatedTransferEncoding) }
            guard length == nil else { throw HTTPWireError(.contentLengthWithTransferEncoding) }
            guard parts.version == .http11 else { throw HTTPWireError(.transferEncodingInHTTP10) }
            guard !endsBlank else { throw HTTPWireError(.malformedTransferEncoding) }
            try Self.checkTransferEncoding(input, start, end)
            isChunked = true
        case .connection: try readConnection(input, start, end)
        case .expect:
            guard isFirst else { throw HTTPWireError(.repeatedExpectation) }
            guard input.equalsIgnoringCase(start, end, "100-continue") else {
                throw HTTPWireError(.unsupportedExpectation)
            }
        default: break
        }
    }

    /// Refuses a name that only starts like Transfer-Encoding: some readers (http_parser among them) take it for that.
    static func checkUnknown(_ input: Span<UInt8>, _ start: Int, _ end: Int) throws(HTTPWireError) {
        guard end - start > 17, input.equalsIgnoringCase(start, start + 17, "transfer-encoding") else {
            return
        }
        throw HTTPWireError(.malformedTransferEncoding)
    }

    /// Reads one to nineteen decimal digits without leading zeros.
    private static func contentLength(
        _ input: Span<UInt8>,
        _ start: Int,
        _ end: Int
    ) throws(HTTPWireError)
        -> Int
    {
        guard end > start else { throw HTTPWireError(.malformedContentLength) }
        var value = 0
        for index in start..<end {
            let byte = input[index]
            guard HTTPBytes.isDigit(byte) else { throw HTTPWireError(.malformedContentLength) }
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            guard !tooLarge, !overflow else { throw HTTPWireError(.contentLengthTooLarge) }
            value = sum
        }
        guard input[start] != UInt8(ascii: "0") || end - start == 1 else {
            throw HTTPWireError(.malformedContentLength)
        }
        return value
    }

    /// Passes exactly `chunked`.
    ///
    /// Other codings are answered 501 where they are a list of names, else 400.
    private static func checkTransferEncoding(
        _ input: Span<UInt8>,
        _ start: Int,
        _ end: Int
    )
        throws(HTTPWireError)
    {
        if input.equalsIgnoringCase(start, end, "chunked") { return }
        var isList = end > start
        for index in start..<end {
            let byte = input[index]
            if !HTTPBytes.isToken(byte) && byte != UInt8(ascii: ",") && byte != HTTPBytes.space {
                isList = false
            }
        }
        throw HTTPWireError(isList ? .unsupportedTransferCoding : .malformedTransferEncoding)
    }

    /// Reads a list of tokens (RFC 9110 §5.6.1, empty elements passed) and keeps `close` and `keep-alive`.
    private mutating func readConnection(_ input: Span<UInt8>, _ start: Int, _ end: Int) throws(HTTPWireError)
    {
        var index = start
        while index < end {
            let byte = input[index]
            if byte == UInt8(ascii: ",") || HTTPBytes.isBlank(byte) {
                index += 1
                continue
            }
            let first = index
            while index < end, HTTPBytes.isToken(input[index]) { index += 1 }
            let last = index
            while index < end, HTTPBytes.isBlank(input[index]) { index += 1 }
            guard last > first, index == end || input[index] == UInt8(ascii: ",") else {
                throw HTTPWireError(.malformedConnection)
            }
            if input.equalsIgnoringCase(first, last, "close") { hasClose = true }
            if input.equalsIgnoringCase(first, last, "keep-alive") { hasKeepAlive = true }
        }
    }

    /// Applies the rules that need the whole head, and settles method, target, framing and connection.
    mutating func finish(_ input: Span<UInt8>, _ end: Int) throws(HTTPWireError) {
        parts.method = HTTPMethod(input.extracting(0..<parts.methodEnd))
        if parts.version == .http11 && parts.authorityRange == nil { throw HTTPWireError(.missingHost) }
        try readTarget(input)
        if isChunked {
            parts.bodyFraming = .chunked
        } else if let length {
            parts.bodyFraming = .length(length)
        }
        // Some readers take what follows CONNECT for a tunnel and not for a body.
        guard parts.method != .connect || parts.bodyFraming == .none || parts.bodyFraming == .length(0) else {
            throw HTTPWireError(.bodyOfConnect)
        }
        parts.keepsAlive = !hasClose && (parts.version == .http11 || hasKeepAlive)
        // HTTP/1.0 does not know the expectation, and without a body there is nothing to wait for.
        parts.expectsContinue =
            parts.count(.expect) > 0 && parts.version == .http11 && parts.bodyFraming != .none
            && parts.bodyFraming != .length(0)
    }

    /// Takes the target apart (RFC 9112 §3.2).
    private mutating func readTarget(_ input: Span<UInt8>) throws(HTTPWireError) {
        let target = parts.targetRange
        if input[target.lowerBound] == UInt8(ascii: "/") {
            guard parts.method != .connect else { throw HTTPWireError(.malformedTarget) }
            return split(input, target)
        }
        if target.count == 1, input[target.lowerBound] == UInt8(ascii: "*") {
            guard parts.method == .options else { throw HTTPWireError(.malformedTarget) }
            parts.pathRange = target
            return
        }
        if parts.method == .connect {
            guard HTTPAuthority.isValid(input, target.lowerBound, target.upperBound) else {
                throw HTTPWireError(.malformedTarget)
            }
            parts.pathRange = target.upperBound..<target.upperBound
            return try settle(input, target)
        }
        let start = target.lowerBound
        let authorityStart: Int
        if target.count > 7, input.equalsIgnoringCase(start, start + 7, "http://") {
            authorityStart = start + 7
        } else if target.count > 8, input.equalsIgnoringCase(start, start + 8, "https://") {
            authorityStart = start + 8
        } else {
            throw HTTPWireError(.malformedTarget)
        }
        var authorityEnd = authorityStart
        while authorityEnd < target.upperBound, input[authorityEnd] != UInt8(ascii: "/"),
            input[authorityEnd] != UInt8(ascii: "?")
        {
            authorityEnd += 1
        }
        guard HTTPAuthority.isValid(input, authorityStart, authorityEnd) else {
            throw HTTPWireError(.malformedTarget)
        }
        split(input, authorityEnd..<target.upperBound)
        try settle(input, authorityStart..<authorityEnd)
    }

    /// Lets the authority of the target win, provided that `Host`, where it is given, says the same.
    private mutating func settle(_ input: Span<UInt8>, _ authority: Range<Int>) throws(HTTPWireError) {
        if let host = parts.authorityRange, !input.equalsIgnoringCase(host, authority) {
            throw HTTPWireError(.hostMismatch)
        }
        parts.authorityRange = authority
    }

    private mutating func split(_ input: Span<UInt8>, _ range: Range<Int>) {
        var mark = range.lowerBound
        while mark < range.upperBound, input[mark] != UInt8(ascii: "?") { mark += 1 }
        parts.pathRange = range.lowerBound..<mark
        parts.queryRange = mark < range.upperBound ? mark + 1..<range.upperBound : nil
    }
}
