// Gatehouse. SPDX-License-Identifier: MIT

import EventStream

/// The events of a stream that comes in pieces of one size.
func events(
    _ bytes: [UInt8],
    by size: Int,
    limits: EventStreamLimits = EventStreamLimits()
)
    throws(EventStreamError) -> [ServerSentEvent]
{
    var parser = EventStreamParser(limits: limits)
    var events: [ServerSentEvent] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        events += try parser.feed(Array(rest.prefix(max(size, 1))))
        rest = rest.dropFirst(max(size, 1))
    }
    return events
}

/// The events of a stream that comes in two pieces.
func events(
    _ bytes: [UInt8],
    cut: Int,
    limits: EventStreamLimits = EventStreamLimits()
)
    throws(EventStreamError) -> [ServerSentEvent]
{
    var parser = EventStreamParser(limits: limits)
    return try parser.feed(Array(bytes.prefix(cut))) + parser.feed(Array(bytes.dropFirst(cut)))
}

extension EventStreamParser {
    /// All events that a piece completes.
    mutating func feed(_ bytes: [UInt8]) throws(EventStreamError) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        var position = 0
        while let event = try next(bytes.span, from: &position) { events.append(event) }
        return events
    }
}
