// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// The id of an event: which stream of the session, and which of its events.
///
/// It is unique in the session and means nothing outside of it. Written as two decimal numbers with a dash between.
package struct EventID: Sendable, Hashable {
    /// The stream's number.
    package let stream: Int
    /// The event's number in the stream, from 0.
    package let event: Int

    /// Makes an id.
    package init(stream: Int, event: Int) {
        self.stream = stream
        self.event = event
    }

    /// Reads the value of `Last-Event-ID`; nil if it cannot be one of ours.
    package init?(_ text: ArraySlice<UInt8>) {
        guard text.count <= 40, text.allSatisfy({ ASCII.isDigit($0) || $0 == UInt8(ascii: "-") }) else {
            return nil
        }
        let parts = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 2, let stream = Int(String(decoding: parts[0], as: UTF8.self)),
            let event = Int(String(decoding: parts[1], as: UTF8.self))
        else { return nil }
        self.init(stream: stream, event: event)
    }

    /// The id as text.
    package var text: [UInt8] {
        var output: [UInt8] = []
        output.append(decimal: stream)
        output.append(UInt8(ascii: "-"))
        output.append(decimal: event)
        return output
    }
}

/// What a session's event streams sent, kept for clients that come back (2025-11-25, transports, "Resumability").
///
/// Bounded in bytes, events and time; past a bound the oldest are forgotten. A client that asks for what was forgotten is
/// refused, rather than given a stream with a hole.
package struct EventLog: Sendable {
    private struct Entry: Sendable {
        let id: EventID
        let time: UInt64
        let message: [UInt8]
    }

    private let byteLimit: Int
    private let countLimit: Int
    private let age: UInt64
    private var entries: [Entry] = []
    private var bytes = 0
    /// The newest event of each stream that was forgotten.
    private var forgotten: [Int: Int] = [:]

    /// Starts empty.
    ///
    /// - Parameters:
    ///   - bytes: Bytes of messages that are kept.
    ///   - events: Messages that are kept.
    ///   - age: For how many milliseconds.
    package init(bytes: Int, events: Int, age: UInt64) {
        byteLimit = bytes
        countLimit = events
        self.age = age
    }

    /// Keeps a message that was sent under an id.
    package mutating func append(_ id: EventID, _ message: Span<UInt8>, at now: UInt64) {
        entries.append(Entry(id: id, time: now, message: [UInt8](message)))
        bytes += message.count
        trim(at: now)
    }

    /// What a stream sent after an event.
    ///
    /// - Returns: The messages in order; nil if some of them were forgotten.
    package mutating func messages(after id: EventID, at now: UInt64) -> [(EventID, [UInt8])]? {
        trim(at: now)
        if let newest = forgotten[id.stream], newest > id.event { return nil }
        return entries.filter { $0.id.stream == id.stream && $0.id.event > id.event }.map {
            ($0.id, $0.message)
        }
    }

    private mutating func trim(at now: UInt64) {
        var count = 0
        while count < entries.count {
            let entry = entries[count]
            guard bytes > byteLimit || entries.count - count > countLimit || entry.time &+ age < now else {
                break
            }
            bytes -= entry.message.count
            forgotten[entry.id.stream] = max(forgotten[entry.id.stream] ?? 0, entry.id.event)
            count += 1
        }
        entries.removeFirst(count)
        // A stream with nothing kept and nothing forgotten lately needs no mark; streams are few, but not bounded in life.
        if forgotten.count > countLimit, let oldest = forgotten.keys.min() { forgotten[oldest] = nil }
    }
}
