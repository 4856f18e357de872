// Gatehouse. SPDX-License-Identifier: MIT

import HTTPWire
import Testing

@Suite struct FramingTests {
    @Test func `a length says how many bytes follow`() throws {
        let request = try message("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        #expect(request.framing == .length(5))
        #expect(request.body.text == "hello")
        #expect(
            try message("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\t 0\r\n\r\n").framing == .length(0)
        )
    }

    @Test func `a length is a plain decimal number`() {
        for value in [
            "", "+5", "-5", "-0", "0x5", "5,5", "5, 5", "5 5", "5;", "a", "5a", "٥", "5.0", "1e3", "5 ",
            "5\t", "00",
            "05", "005", "\"5\"", "_5", "5_0",
        ] {
            #expect(refusal(fields: "Content-Length: \(value)") == .malformedContentLength, "\(value)")
        }
    }

    @Test func `a length beyond what fits is refused`() {
        #expect(refusal(fields: "Content-Length: \(Int.max)") == nil)
        for value in ["9223372036854775808", "18446744073709551616", "99999999999999999999999999999999"] {
            #expect(refusal(fields: "Content-Length: \(value)") == .contentLengthTooLarge, "\(value)")
        }
    }

    @Test func `a length that is given twice is refused even when both agree`() {
        #expect(refusal(fields: "Content-Length: 5", "Content-Length: 5") == .repeatedContentLength)
        #expect(refusal(fields: "Content-Length: 5", "A: b", "content-length: 6") == .repeatedContentLength)
    }

    @Test func `a length beside chunks is refused in either order`() {
        #expect(
            refusal(fields: "Content-Length: 5", "Transfer-Encoding: chunked")
                == .contentLengthWithTransferEncoding
        )
        #expect(
            refusal(fields: "Transfer-Encoding: chunked", "Content-Length: 0")
                == .contentLengthWithTransferEncoding
        )
    }

    @Test func `chunked is the only coding and is given once`() throws {
        let request = try message("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n")
        #expect(request.framing == .chunked)
        for coding in [
            "gzip", "identity", "xchunked", "chunkedx", "gzip, chunked", "chunked, chunked", "chunked,",
        ] {
            #expect(
                refusal(fields: "Transfer-Encoding: \(coding)") == .unsupportedTransferCoding,
                "\(coding)"
            )
        }
        for coding in [
            "", "\"chunked\"", "chunked;a", "chun\u{E9}ked", "chunked\t, x", "chunked/1", "chunked ",
            "chunked\t",
        ] {
            #expect(
                refusal(fields: "Transfer-Encoding: \(coding)") == .malformedTransferEncoding,
                "\(coding)"
            )
        }
        for coding in ["\u{B}chunked", "\u{C}chunked", "chunked\u{0}", "chun\u{8}ked"] {
            #expect(refusal(fields: "Transfer-Encoding: \(coding)") == .controlByteInValue, "\(coding)")
        }
        #expect(
            refusal(fields: "Transfer-Encoding: chunked", "Transfer-Encoding: chunked")
                == .repeatedTransferEncoding
        )
        #expect(refusal(fields: "Transfer-Encoding\t: chunked") == .spaceBeforeColon)
        #expect(HTTPWireError(.unsupportedTransferCoding).status == 501)
        #expect(HTTPWireError(.malformedTransferEncoding).status == 400)
    }

    @Test func `a name that only starts like Transfer-Encoding is refused`() {
        for name in ["Transfer-Encoding1", "transfer-encoding-", "Transfer-Encoding_x"] {
            #expect(refusal(fields: "\(name): chunked") == .malformedTransferEncoding, "\(name)")
        }
        #expect(refusal(fields: "X-Transfer-Encoding: chunked", "Transfer-Encodin: chunked") == nil)
    }

    @Test func `CONNECT has no body`() {
        let head = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n"
        #expect(refusal(head + "Content-Length: 0\r\n\r\n") == nil)
        #expect(refusal(head + "Content-Length: 1\r\n\r\nx") == .bodyOfConnect)
        #expect(refusal(head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == .bodyOfConnect)
    }

    @Test func `HTTP 1 point 0 has no chunks`() {
        #expect(refusal(fields: "Transfer-Encoding: chunked", version: "1.0") == .transferEncodingInHTTP10)
    }

    @Test func `requests follow each other on one connection`() {
        let transcript = read(
            "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nabGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
                + "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                + "GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /5 HTTP/1.1\r\n"
        )
        #expect(transcript.messages.map(\.path.text) == ["/1", "/2", "/3", "/4"])
        #expect(transcript.messages.map(\.body.text) == ["ab", "", "abc", ""])
        #expect(transcript.ending == .unread)
    }

    @Test func `a connection is kept by default in HTTP 1 point 1 only`() throws {
        func keeps(_ minor: Int, _ connection: String...) throws -> Bool {
            let fields = connection.map { "Connection: \($0)\r\n" }.joined()
            return try message("GET / HTTP/1.\(minor)\r\nHost: a\r\n\(fields)\r\n").keepsAlive
        }
        #expect(try keeps(1))
        #expect(try keeps(1, "keep-alive"))
        #expect(try keeps(1, "upgrade, HTTP2-Settings"))
        #expect(try keeps(1, "closed"))
        #expect(try keeps(1, ""))
        #expect(try !keeps(1, "close"))
        #expect(try !keeps(1, "Foo , ,\tCLOSE ,bar"))
        #expect(try !keeps(1, "keep-alive", "close"))
        #expect(try !keeps(0))
        #expect(try keeps(0, "Keep-Alive"))
        #expect(try !keeps(0, "keep-alive, close"))
    }

    @Test func `connection options are tokens`() {
        for value in ["close keep-alive", "close;a", "\"close\"", "clo\u{E9}se", "a, b c"] {
            #expect(refusal(fields: "Connection: \(value)") == .malformedConnection, "\(value)")
        }
    }
}
