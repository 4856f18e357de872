// Gatehouse. SPDX-License-Identifier: MIT

import HTTPWire
import Testing

@Suite struct ChunkedTests {
    private let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    private func body(_ text: String, limits: HTTPLimits = HTTPLimits()) -> HTTPWireError.Kind? {
        let transcript = read(head + text, limits: limits)
        #expect(transcript.refusal != nil || transcript.ending == .complete)
        return transcript.refusal
    }

    @Test func `chunks are joined`() throws {
        #expect(try message(head + "3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\n").body.text == "abc0123456789")
        #expect(try message(head + "000\r\n\r\n").body.isEmpty)
        #expect(try message(head + "4\r\n\r\n\r\n\r\n0000000000000000\r\n\r\n").body.text == "\r\n\r\n")
    }

    @Test func `a size is one to sixteen hexadecimal digits`() {
        for size in [
            "", "0x3", "+3", "-3", "_3", " 3", "3 ", "3\t", "g", "3g", "٣", "00000000000000003", "3.", "3,3",
            "3 ;a",
        ] {
            #expect(body(size + "\r\nabc\r\n0\r\n\r\n") == .malformedChunkSize, "\(size)")
        }
        #expect(body("0000000000000003\r\nabc\r\n0\r\n\r\n") == nil)
        #expect(body("8000000000000000\r\n") == .chunkTooLarge)
        #expect(body("ffffffffffffffff\r\n") == .chunkTooLarge)
        #expect(read(head + "7fffffffffffffff\r\nab").ending == .incomplete)
    }

    @Test func `lines end in carriage return and line feed`() {
        #expect(body("3\nabc\r\n0\r\n\r\n") == .bareLineFeed)
        #expect(body("3\rabc\r\n0\r\n\r\n") == .bareCarriageReturn)
        #expect(body("3\r\nabc\n0\r\n\r\n") == .missingChunkEnd)
        #expect(body("3\r\nabc\rX0\r\n\r\n") == .missingChunkEnd)
        #expect(body("3\r\nabcXX0\r\n\r\n") == .missingChunkEnd)
        #expect(body("3\r\nabcd\r\n0\r\n\r\n") == .missingChunkEnd)
        #expect(body("0\n\r\n") == .bareLineFeed)
        #expect(body("0\r\n\n") == .bareLineFeed)
        #expect(body("0\r\n\rX") == .bareCarriageReturn)
    }

    @Test func `extensions are passed over`() {
        for text in [";a", ";a=b", ";a=\"b c\";d", ";a=\"\\\";\\\\\"", ";a=\"\u{E9}\t\""] {
            #expect(body("3\(text)\r\nabc\r\n0\(text)\r\n\r\n") == nil, "\(text)")
        }
    }

    @Test func `malformed extensions are refused`() {
        for text in [
            ";", ";;", "; a", ";a ", ";a =b", ";a=", ";a= b", ";a=\"b", ";a=\"b\"c", ";=b", ";a=\u{E9}",
            ";a\u{0}",
        ] {
            #expect(body("3\(text)\r\nabc\r\n0\r\n\r\n") == .malformedChunkExtension, "\(text)")
        }
        for text in [";\n", ";a\n", ";a=\n", ";a=b\n", ";a=\"\n", ";a=\"b\"\n", ";a=\"\\\n"] {
            #expect(body("3\(text)abc\r\n0\r\n\r\n") == .bareLineFeed, "\(text)")
        }
        for text in [";a\r", ";a=b\r", ";a=\"b\"\r"] {
            #expect(body("3\(text)abc\r\n0\r\n\r\n") == .bareCarriageReturn, "\(text)")
        }
        #expect(body("3;a=\"\r\n\"\r\nabc\r\n0\r\n\r\n") == .malformedChunkExtension)
    }

    @Test func `extensions are counted over all chunks`() {
        let limits = HTTPLimits(chunkExtensions: 8)
        #expect(body("1;a=b\r\nx\r\n1;abc\r\nx\r\n0\r\n\r\n", limits: limits) == nil)
        #expect(body("1;a=b\r\nx\r\n1;abcd\r\nx\r\n0\r\n\r\n", limits: limits) == .chunkExtensionsTooLarge)
        #expect(body("1;a=\"bcdef", limits: limits) == .chunkExtensionsTooLarge)
    }

    @Test func `trailers are checked and discarded`() throws {
        let request = try message(
            head + "1\r\nx\r\n0\r\nHost: evil\r\nContent-Length: 9\r\nAuthorization: Bearer x\r\nE:\r\n\r\n"
        )
        #expect(request.body.text == "x")
        #expect(request.authority?.text == "a")
        #expect(request.fields.count == 2)
        #expect(body("0\r\n A: b\r\n\r\n") == .leadingSpace)
        #expect(body("0\r\nA: b\r\n c\r\n\r\n") == .foldedLine)
        #expect(body("0\r\n: b\r\n\r\n") == .emptyFieldName)
        #expect(body("0\r\nA : b\r\n\r\n") == .spaceBeforeColon)
        #expect(body("0\r\nA@: b\r\n\r\n") == .malformedFieldName)
        #expect(body("0\r\n@: b\r\n\r\n") == .malformedFieldName)
        #expect(body("0\r\nA\r\n\r\n") == .malformedFieldName)
        #expect(body("0\r\nA: b\n\r\n") == .bareLineFeed)
        #expect(body("0\r\nA: b\rC\r\n\r\n") == .bareCarriageReturn)
        #expect(body("0\r\nA: \u{0}\r\n\r\n") == .controlByteInValue)
    }

    @Test func `trailers are held to the limits of a head`() {
        func limited(_ text: String, _ limits: HTTPLimits) -> HTTPWireError.Kind? {
            var decoder = HTTPChunkedDecoder(limits: limits)
            var position = 0
            do {
                let bytes = Array(text.utf8)
                let event = try decoder.next(bytes.span, from: &position)
                #expect(event == .end)
                #expect(position == text.utf8.count)
                return nil
            } catch { return error.kind }
        }
        #expect(limited("0\r\nA: bc\r\n\r\n", HTTPLimits(field: 5)) == nil)
        #expect(limited("0\r\nA: bcd\r\n\r\n", HTTPLimits(field: 5)) == .fieldTooLarge)
        #expect(limited("0\r\nABCDEF: b\r\n\r\n", HTTPLimits(field: 5)) == .fieldTooLarge)
        #expect(limited("0\r\nA: b\r\nA: b\r\n\r\n", HTTPLimits(fieldCount: 2)) == nil)
        #expect(limited("0\r\nA: b\r\nA: b\r\n\r\n", HTTPLimits(fieldCount: 1)) == .tooManyFields)
        #expect(limited("0\r\nA: b\r\n\r\n", HTTPLimits(head: 8)) == nil)
        #expect(limited("0\r\nA: b\r\n\r\n", HTTPLimits(head: 7)) == .headTooLarge)
    }

    @Test func `the end stays the end and what follows is left alone`() throws {
        var decoder = HTTPChunkedDecoder()
        let bytes = Array("1\r\nx\r\n0\r\n\r\nGET".utf8)
        var position = 0
        #expect(try decoder.next(bytes.span, from: &position) == .data(3..<4))
        #expect(try decoder.next(bytes.span, from: &position) == .end)
        #expect(position == 11)
        #expect(try decoder.next(bytes.span, from: &position) == .end)
        #expect(position == 11)
    }

    @Test func `an error is repeated`() {
        var decoder = HTTPChunkedDecoder()
        var position = 0
        let bytes = Array("x".utf8)
        for _ in 0..<2 {
            #expect(throws: HTTPWireError(.malformedChunkSize)) {
                _ = try decoder.next(bytes.span, from: &position)
            }
        }
    }
}
