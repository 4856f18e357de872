// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import StdioFraming
import Testing

/// What a reader says about `text` when it comes in pieces: messages plain, other lines after "skip ".
private func read(
    _ text: String,
    _ framing: Framing,
    limit: Int = 64,
    pieces: [Int],
    compact: Bool = false
) -> [String] {
    let bytes = Array(text.utf8)
    var reader = FrameReader(framing: framing, limit: limit)
    var input: [UInt8] = []
    var position = 0
    var found: [String] = []
    var start = 0
    for end in pieces + [bytes.count] {
        input += bytes[start..<end]
        start = end
        reading: while true {
            switch reader.next(input.span, from: &position) {
            case .message(let range): found.append(String(decoding: input[range], as: UTF8.self))
            case .skip(let range): found.append("skip " + String(decoding: input[range], as: UTF8.self))
            case .tooLong: return found + ["too long"]
            case .needMore: break reading
            }
        }
        if compact {
            input.removeFirst(position)
            position = 0
        }
    }
    return found
}

/// Reads in one piece, byte by byte, and in two pieces cut at every place.
private func expect(
    _ text: String,
    _ framing: Framing,
    limit: Int = 64,
    _ expected: [String],
    at location: SourceLocation = #_sourceLocation
) {
    let count = text.utf8.count
    #expect(read(text, framing, limit: limit, pieces: []) == expected, sourceLocation: location)
    for compact in [false, true] {
        let single = read(text, framing, limit: limit, pieces: Array(0..<count), compact: compact)
        #expect(single == expected, "byte by byte", sourceLocation: location)
        for cut in 0...count {
            let halves = read(text, framing, limit: limit, pieces: [cut], compact: compact)
            #expect(halves == expected, "cut at \(cut)", sourceLocation: location)
        }
    }
}

@Suite struct `Line framing` {
    @Test func `finds a message in each line`() {
        expect("{\"a\":1}\n[2]\n{\"c\":3}\n", .newline, ["{\"a\":1}", "[2]", "{\"c\":3}"])
    }

    @Test func `takes CR LF, passes over blank lines and trims white space`() {
        expect("\r\n\n  \t\r\n {\"a\":1} \r\n\n[]\r\n", .newline, ["{\"a\":1}", "[]"])
    }

    @Test func `does not end a message at a CR inside`() {
        expect("{\"a\":\r1}\n", .newline, ["{\"a\":\r1}"])
    }

    @Test func `reports lines that are no messages`() {
        expect(
            "Listening…\n{}\n \"text\"\nnull\n",
            .newline,
            ["skip Listening…", "{}", "skip \"text\"", "skip null"]
        )
    }

    @Test func `waits for the end of the line`() {
        expect("{}\n{\"open\":", .newline, ["{}"])
    }

    @Test func `refuses more than the limit, with and without a line end`() {
        let fits = "[" + String(repeating: "1", count: 62) + "]"
        expect(fits + "\n{}\n", .newline, [fits, "{}"])
        expect(fits + "\r\n{}\n", .newline, [fits, "{}"])
        expect("{}\n" + fits + " \n{}\n", .newline, ["{}", "too long"])
        expect("{}\n" + String(repeating: "x", count: 66), .newline, ["{}", "too long"])
    }

    @Test func `stays too long`() {
        var reader = FrameReader(framing: .newline, limit: 2)
        var position = 0
        let input = Array("[1]\n[]\n".utf8)
        #expect(reader.next(input.span, from: &position) == .tooLong)
        #expect(reader.next(input.span, from: &position) == .tooLong)
    }
}

@Suite struct `Content-Length framing` {
    @Test func `finds each message by its length`() {
        expect(
            "Content-Length: 7\r\n\r\n{\"a\":1}Content-Length:2\r\n\r\n[]",
            .contentLength,
            ["{\"a\":1}", "[]"]
        )
    }

    @Test func `takes any case, other fields, bare line feeds and line ends between messages`() {
        expect(
            "content-TYPE: application/json\nCONTENT-length: 2\nX-Other: y\n\n{}\r\n\r\ncontent-length:\t2 \r\n\r\n[]",
            .contentLength,
            ["{}", "[]"]
        )
    }

    @Test func `keeps line ends inside a message`() {
        expect(
            "Content-Length: 6\r\n\r\n{\r\n\r\n}Content-Length: 2\r\n\r\n{}",
            .contentLength,
            ["{\r\n\r\n}", "{}"]
        )
    }

    @Test func `passes over lines before a header`() {
        expect(
            "INFO: starting\n[done]\nContent-Length: 2\r\n\r\n{}",
            .contentLength,
            ["skip INFO: starting", "skip [done]", "{}"]
        )
    }

    @Test(arguments: ["", "-1", "+2", "2x", "0x2", "1 2", "9999999999999999999999", "²"])
    func `passes over a header with a bad length`(_ length: String) {
        expect(
            "Content-Length: \(length)\r\n\r\nContent-Length: 2\r\n\r\n{}",
            .contentLength,
            ["skip " + (length.isEmpty ? "Content-Length:" : "Content-Length: \(length)"), "{}"]
        )
    }

    @Test func `passes over two lengths that differ, and a header without one`() {
        expect(
            "Content-Length: 2\r\nContent-Length: 3\r\n\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
            .contentLength,
            ["skip Content-Length: 3", "{}"]
        )
        expect("Content-Type: x\r\n\r\nContent-Length: 2\r\n\r\n{}", .contentLength, ["skip ", "{}"])
    }

    @Test func `reports bodies that are no messages, and passes over empty ones`() {
        expect(
            "Content-Length: 4\r\n\r\nnullContent-Length: 0\r\n\r\nContent-Length: 2\r\n\r\n{}",
            .contentLength,
            ["skip null", "{}"]
        )
    }

    @Test func `refuses a length above the limit before the body comes`() {
        expect("Content-Length: 65\r\n", .contentLength, ["too long"])
        let fits = "[" + String(repeating: "1", count: 62) + "]"
        expect("Content-Length: 64\r\n\r\n" + fits, .contentLength, [fits])
    }

    @Test func `refuses a header without end`() {
        let field = "X-Field: " + String(repeating: "y", count: 1000) + "\r\n"
        let text = "Content-Length: 2\r\n" + String(repeating: field, count: 9)
        #expect(read(text, .contentLength, limit: 4096, pieces: []) == ["too long"])
        #expect(read(text, .contentLength, limit: 4096, pieces: Array(0..<text.utf8.count)) == ["too long"])
        let line = "Content-Length: 2\r\nX-Field: " + String(repeating: "y", count: 9000)
        #expect(read(line, .contentLength, limit: 65536, pieces: []) == ["too long"])
        #expect(read(String(repeating: "z", count: 70), .contentLength, pieces: []) == ["too long"])
    }
}

@Suite struct `A frame writer` {
    @Test(arguments: [Framing.newline, .contentLength])
    func `writes what a reader reads`(_ framing: Framing) {
        let messages = ["{\"a\":\"é\"}", "[1,2]", "{}"]
        var output: [UInt8] = []
        for message in messages {
            FrameWriter.append(Array(message.utf8).span, framing: framing, to: &output)
        }
        expect(String(decoding: output, as: UTF8.self), framing, messages)
    }

    @Test func `keeps a message with line ends on one line`() {
        var output: [UInt8] = []
        FrameWriter.append(Array("{\r\n\"a\":\n1}".utf8).span, framing: .newline, to: &output)
        #expect(output == Array("{  \"a\": 1}\n".utf8))
    }

    @Test func `counts bytes, and composes in place`() {
        var output: [UInt8] = []
        FrameWriter.appendHeader(length: 4, framing: .contentLength, to: &output)
        output.append("\"é\"")
        FrameWriter.appendTerminator(framing: .contentLength, to: &output)
        #expect(output == Array("Content-Length: 4\r\n\r\n\"é\"".utf8))
    }
}
