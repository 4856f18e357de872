// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventStream
import Testing

@Suite struct EventStreamTests {
    private let nothing: [UInt8] = []

    private func feed(_ parser: inout EventStreamParser, _ text: String) throws -> [String] {
        try parser.feed(Array(text.utf8)).map { String(decoding: $0.data, as: UTF8.self) }
    }

    /// The error of a stream, which must not depend on how it is cut.
    private func error(_ text: String, _ limits: EventStreamLimits) -> EventStreamError? {
        func outcome(_ size: Int) -> EventStreamError? {
            do {
                _ = try events(Array(text.utf8), by: size, limits: limits)
                return nil
            } catch { return error }
        }
        let whole = outcome(text.utf8.count)
        for size in 1...max(text.utf8.count, 1) { #expect(outcome(size) == whole, "in pieces of \(size)") }
        return whole
    }

    @Test func `the id of an event without data counts`() throws {
        var parser = EventStreamParser()
        #expect(try feed(&parser, "id: 7\n\n").isEmpty)
        #expect(parser.lastEventID == Array("7".utf8))
        #expect(try feed(&parser, "id: 8\ndata: x\n").isEmpty)
        #expect(parser.lastEventID == Array("7".utf8))
        #expect(try feed(&parser, "\n") == ["x"])
        #expect(parser.lastEventID == Array("8".utf8))
    }

    @Test func `a resumed stream starts with the id it was resumed with`() throws {
        var parser = EventStreamParser(lastEventID: Array("5".utf8))
        let events = try parser.feed(Array("data: x\n\n".utf8))
        #expect(events.map(\.id) == [Array("5".utf8)])
    }

    @Test func `a retry is digits only`() throws {
        var parser = EventStreamParser()
        for bad in ["", " ", "x", "-1", "+1", "1.5", "1 ", "٣", "99999999999999999999"] {
            _ = try feed(&parser, "retry:\(bad)\n\n")
            #expect(parser.retry == nil, "\(bad)")
        }
        _ = try feed(&parser, "retry: 2500\n")
        #expect(parser.retry == 2500)
    }

    @Test func `a byte order mark is passed once, at the start, even in pieces`() throws {
        let bytes = Array("\u{FEFF}data: x\n\ndata: y\n\n".utf8)
        for cut in bytes.indices { #expect(try events(bytes, cut: cut).count == 2) }
        #expect(try events(Array("\u{FEFF}\n\u{FEFF}data: x\n\n".utf8), by: 1).isEmpty)
    }

    @Test func `lines, data and names are bounded`() {
        let limits = EventStreamLimits(line: 12, data: 8, name: 4)
        #expect(error("data:1234567\n\n", limits) == nil)
        #expect(error("data:12345678\n\n", limits) == .lineTooLong)
        #expect(error(":23456789012345", limits) == .lineTooLong)
        #expect(error("data:123\ndata:1234\n\n", limits) == nil)
        #expect(error("data:123\ndata:12345\n\n", limits) == .eventTooLarge)
        #expect(error(String(repeating: "data\n", count: 9), limits) == nil)
        #expect(error(String(repeating: "data\n", count: 10), limits) == .eventTooLarge)
        #expect(error("id:1234\nevent:1234\n\n", limits) == nil)
        #expect(error("id:12345\n\n", limits) == .nameTooLong)
        #expect(error("event:12345\n\n", limits) == .nameTooLong)
    }

    @Test func `an error is repeated`() {
        var parser = EventStreamParser(limits: EventStreamLimits(line: 3))
        for _ in 0..<2 {
            #expect(throws: EventStreamError.lineTooLong) { _ = try parser.feed(Array("abcd".utf8)) }
        }
    }

    @Test func `events that are written are read again`() throws {
        let data = Array(#"{"jsonrpc":"2.0","id":1}"#.utf8)
        var output: [UInt8] = []
        try EventStreamWriter.append(data: data.span, to: &output)
        try EventStreamWriter.append(
            id: Array("s1.7".utf8),
            event: Array("endpoint".utf8),
            retry: 3000,
            data: data.span,
            to: &output
        )
        EventStreamWriter.appendHeartbeat(to: &output)
        let comment = Array("hello\ndata: no\r\n\rmore".utf8)
        EventStreamWriter.append(comment: comment.span, to: &output)
        try EventStreamWriter.append(id: Array("s1.8".utf8), data: nothing.span, to: &output)
        for size in [1, 2, 3, output.count] {
            var parser = EventStreamParser()
            var found: [ServerSentEvent] = []
            for start in stride(from: 0, to: output.count, by: size) {
                found += try parser.feed(Array(output[start..<min(start + size, output.count)]))
            }
            #expect(
                found == [
                    ServerSentEvent(type: Array("message".utf8), data: data, id: []),
                    ServerSentEvent(type: Array("endpoint".utf8), data: data, id: Array("s1.7".utf8)),
                    ServerSentEvent(type: Array("message".utf8), data: [], id: Array("s1.8".utf8)),
                ]
            )
            #expect(parser.retry == 3000)
        }
    }

    @Test func `text with line breaks stays one event`() throws {
        for text in [
            "\n\nevent: x\ndata: y", "a\r\ndata: b", "a\rid: 9\r\r", "\u{85}\u{2028}x", "a\r\n\r\nb", "\n",
        ] {
            var output: [UInt8] = []
            let data = Array(text.utf8)
            try EventStreamWriter.append(id: [65], data: data.span, to: &output)
            let found = try events(output, by: output.count)
            #expect(found.count == 1)
            let lines = text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
            #expect(found.first?.data == Array(lines.utf8), "\(text.debugDescription)")
            #expect(found.first?.id == [65])
            #expect(found.first?.type == Array("message".utf8))
        }
    }

    @Test func `ids and types that could end their line are never written`() {
        for byte in UInt8.min...UInt8.max where byte <= 32 || byte >= 127 {
            var output: [UInt8] = []
            #expect(throws: EventStreamError.unsafeName) {
                try EventStreamWriter.append(id: [65, byte], data: nothing.span, to: &output)
            }
            #expect(throws: EventStreamError.unsafeName) {
                try EventStreamWriter.append(event: [65, byte], data: nothing.span, to: &output)
            }
            #expect(output.isEmpty)
        }
        var output: [UInt8] = []
        #expect(throws: EventStreamError.unsafeName) {
            try EventStreamWriter.append(id: [], data: nothing.span, to: &output)
        }
    }
}
