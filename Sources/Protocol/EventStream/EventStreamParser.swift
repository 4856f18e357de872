// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// A server-sent event as it is dispatched.
package struct ServerSentEvent: Sendable, Equatable {
    /// The type; `message` where the stream named none.
    package var type: [UInt8]
    /// The data, lines joined by line feeds.
    package var data: [UInt8]
    /// The last event id at that time; empty where there is none.
    package var id: [UInt8]

    /// Puts an event together.
    package init(type: [UInt8], data: [UInt8], id: [UInt8]) {
        self.type = type
        self.data = data
        self.id = id
    }
}

/// How large the parts of a stream may be.
///
/// One byte more ends the reading.
package struct EventStreamLimits: Sendable {
    /// Bytes of a line, name and colon included.
    package var line: Int
    /// Bytes of the data of an event, line feeds included.
    package var data: Int
    /// Bytes of an id, and of a type.
    package var name: Int

    /// The defaults admit a message of 4 MiB in one line.
    package init(line: Int = 4 << 20 | 1024, data: Int = 4 << 20, name: Int = 1024) {
        self.line = line
        self.data = data
        self.name = name
    }
}

/// Reads an event stream (HTML Standard §9.2.6) wherever it is cut.
///
/// It starts before the first byte of the response body. Each call of `next` reads on until an event is complete.
/// It has no end of its own: when the connection ends, what was not followed by an empty line is dropped. Bytes are
/// not decoded; whoever reads the data checks that it is UTF-8. After an error it repeats the error.
package struct EventStreamParser: Sendable {
    /// The id to send as `Last-Event-ID` when the stream is resumed; empty where there is none.
    package private(set) var lastEventID: [UInt8] = []
    /// Milliseconds to wait before the stream is resumed, where it said so.
    package private(set) var retry: Int?

    private let limits: EventStreamLimits
    private var line: [UInt8] = []
    private var type: [UInt8] = []
    private var data: [UInt8] = []
    private var id: [UInt8] = []
    /// Whether the last byte was a carriage return, so that a line feed now belongs to it.
    private var isAfterReturn = false
    /// Whether the first line, which may start with a byte order mark, is still to come.
    private var isAtStart = true
    private var failure: EventStreamError?

    /// Starts before the first byte.
    ///
    /// `lastEventID` is what the stream was resumed with.
    package init(limits: EventStreamLimits = EventStreamLimits(), lastEventID: [UInt8] = []) {
        self.limits = limits
        self.lastEventID = lastEventID
        id = lastEventID
    }

    /// Reads on at `position` and moves it behind what was read; nil when the input is used up.
    package mutating func next(
        _ input: Span<UInt8>,
        from position: inout Int
    ) throws(EventStreamError)
        -> ServerSentEvent?
    {
        if let failure { throw failure }
        do {
            return try advance(input, &position)
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func advance(
        _ input: Span<UInt8>,
        _ position: inout Int
    ) throws(EventStreamError)
        -> ServerSentEvent?
    {
        while position < input.count {
            if isAfterReturn {
                isAfterReturn = false
                if input[position] == UInt8(ascii: "\n") {
                    position += 1
                    continue
                }
            }
            let start = position
            var end = start
            while end < input.count, input[end] != UInt8(ascii: "\n"), input[end] != UInt8(ascii: "\r") {
                end += 1
            }
            guard end - start <= limits.line - line.count else { throw .lineTooLong }
            line.append(input, start..<end)
            position = end
            guard end < input.count else { return nil }
            isAfterReturn = input[end] == UInt8(ascii: "\r")
            position = end + 1
            let event = try endLine()
            line.removeAll(keepingCapacity: line.count <= Self.keptCapacity)
            if let event { return event }
        }
        return nil
    }

    private static let keptCapacity = 64 << 10
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private mutating func endLine() throws(EventStreamError) -> ServerSentEvent? {
        var content = line[...]
        if isAtStart {
            isAtStart = false
            if content.starts(with: Self.byteOrderMark) { content = content.dropFirst(3) }
        }
        if content.isEmpty { return dispatch() }
        guard let colon = content.firstIndex(of: UInt8(ascii: ":")) else {
            try setField(content, [])
            return nil
        }
        var value = content[(colon + 1)...]
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        try setField(content[..<colon], value)
        return nil
    }

    private mutating func setField(
        _ name: ArraySlice<UInt8>,
        _ value: ArraySlice<UInt8>
    )
        throws(EventStreamError)
    {
        if name.equals("data") {
            guard value.count <= limits.data - data.count else { throw .eventTooLarge }
            data.append(contentsOf: value)
            data.append(UInt8(ascii: "\n"))
        } else if name.equals("event") {
            guard value.count <= limits.name else { throw .nameTooLong }
            type = Array(value)
        } else if name.equals("id") {
            guard !value.contains(0) else { return }
            guard value.count <= limits.name else { throw .nameTooLong }
            id = Array(value)
        } else if name.equals("retry"), !value.isEmpty, value.allSatisfy(ASCII.isDigit) {
            retry = Self.number(value) ?? retry
        }
    }

    /// The number of a text of digits; nil where it does not fit.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var number = 0
        for digit in digits {
            let (product, tooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(Int(digit & 15))
            guard !tooLarge, !overflow else { return nil }
            number = sum
        }
        return number
    }

    /// Ends an event.
    ///
    /// One without data is not dispatched, but its id counts.
    private mutating func dispatch() -> ServerSentEvent? {
        lastEventID = id
        defer {
            type = []
            data = []
        }
        guard !data.isEmpty else { return nil }
        data.removeLast()
        return ServerSentEvent(type: type.isEmpty ? Array("message".utf8) : type, data: data, id: lastEventID)
    }
}
