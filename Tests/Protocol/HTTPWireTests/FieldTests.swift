// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import HTTPWire
import Testing

@Suite struct FieldTests {
    private func head(_ text: String) throws -> HTTPRequestHead {
        var parser = HTTPRequestHeadParser()
        let bytes = Array(text.utf8)
        #expect(try parser.parse(bytes.span) == bytes.count)
        return parser.takeHead()
    }

    @Test func `a name is found in any case and its value without white space around it`() throws {
        let head = try head(
            "GET / HTTP/1.1\r\nhOST:a\r\nMCP-SESSION-ID: \t x y \t \r\nX-One:1\r\nx-one: 2\r\nEmpty:\r\n\r\n"
        )
        #expect(head.value(.host)?.equals("a") == true)
        #expect(head.value(.mcpSessionID)?.equals("x y") == true)
        #expect(head.values(named: "x-one").map { Array($0).text } == ["1", "2"])
        #expect(head.values(named: "empty").map { Array($0).text } == [""])
        #expect(head.values(named: "host").count == 1)
        #expect(head.values(named: "absent").isEmpty)
        #expect(head.value(.origin) == nil)
        #expect(head.count(.origin) == 0)
        #expect(head.fieldCount == 5)
    }

    @Test(arguments: HTTPFieldName.allCases.dropLast())
    func `every slot is found by its name and by no other`(name: HTTPFieldName) throws {
        let value =
            switch name {
            case .host, .contentLength: "1"
            case .transferEncoding: "chunked"
            case .expect: "100-continue"
            default: "v"
            }
        let host = name == .host ? "" : "Host: h\r\n"
        for spelling in [name.spelling, name.spelling.uppercased()] {
            let head = try head("GET / HTTP/1.1\r\n\(host)\(spelling): \(value)\r\n\r\n")
            #expect(head.value(name)?.elementsEqual(value.utf8) == true)
            #expect(head.count(name) == 1)
        }
        for index in name.spelling.utf8.indices {
            var other = Array(name.spelling.utf8)
            let place = name.spelling.utf8.distance(from: name.spelling.startIndex, to: index)
            other[place] = UInt8(ascii: "~")
            let head = try head("GET / HTTP/1.1\r\nHost: h\r\n\(other.text): \(value)\r\n\r\n")
            #expect(head.count(name) == (name == .host ? 1 : 0))
        }
        #expect(HTTPFieldName.other.spelling.isEmpty)
    }

    @Test func `fields that come twice are counted and the first is given`() throws {
        let head = try head(
            "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer 1\r\nauthorization: Bearer 2\r\n\r\n"
        )
        #expect(head.count(.authorization) == 2)
        #expect(head.value(.authorization)?.equals("Bearer 1") == true)
    }

    @Test func `fields are passed in the order they were sent`() throws {
        let request = try message("GET / HTTP/1.1\r\nB: 1\r\nHost: h\r\nA: 2\r\nb: 3\r\n\r\n")
        #expect(request.fields.map(\.text) == ["B:1", "Host:h", "A:2", "b:3"])
    }

    @Test func `a head that is held keeps its bytes while the parser reads on`() throws {
        var parser = HTTPRequestHeadParser()
        let one = Array("GET /one HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        _ = try parser.parse(one.span)
        let first = parser.takeHead()
        let two = Array("PUT /two HTTP/1.1\r\nHost: b\r\nOrigin: o\r\n\r\n".utf8)
        _ = try parser.parse(two.span)
        let second = parser.takeHead()
        #expect(first.path.equals("/one") && first.authority?.equals("a") == true && first.method == .get)
        #expect(second.path.equals("/two") && second.count(.origin) == 1 && first.count(.origin) == 0)
    }

    @Test func `the length of the head is given without what follows and stays the same`() throws {
        var parser = HTTPRequestHeadParser()
        let head = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let bytes = head + Array("GET".utf8)
        #expect(try parser.parse(bytes.span) == head.count)
        #expect(try parser.parse(bytes.span) == head.count)
    }

    @Test(arguments: 1...20)
    func `a control byte in a value is found wherever it is`(_ length: Int) throws {
        for place in 0..<length {
            for byte in [UInt8](0...0x21) + [0x7E, 0x7F, 0x80, 0xA0, 0xFF] {
                var value = [UInt8](repeating: UInt8(ascii: "v"), count: length)
                value[place] = byte
                let text = Array("GET / HTTP/1.1\r\nHost: h\r\nX: a".utf8) + value + Array("z\r\n\r\n".utf8)
                var parser = HTTPRequestHeadParser()
                let isProper = byte >= 0x20 && byte != 0x7F || byte == 9
                if isProper {
                    #expect(try parser.parse(text.span) == text.count)
                    let read = parser.takeHead().values(named: "x").map { Array($0) }
                    #expect(read == [[UInt8(ascii: "a")] + value + [UInt8(ascii: "z")]])
                } else {
                    let kind: HTTPWireError.Kind =
                        switch byte {
                        case 10: .bareLineFeed
                        case 13: .bareCarriageReturn
                        default: .controlByteInValue
                        }
                    #expect(throws: HTTPWireError(kind)) { _ = try parser.parse(text.span) }
                }
            }
        }
    }

    @Test func `an error is repeated`() {
        var parser = HTTPRequestHeadParser()
        let bad: [UInt8] = [0]
        let good = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(throws: HTTPWireError(.malformedRequestLine)) { _ = try parser.parse(bad.span) }
        #expect(throws: HTTPWireError(.malformedRequestLine)) { _ = try parser.parse(good.span) }
    }

    @Test func `lines end in carriage return and line feed`() {
        #expect(refusal("GET / HTTP/1.1\nHost: a\r\n\r\n") == .bareLineFeed)
        #expect(refusal("GET / HTTP/1.1\rHost: a\r\n\r\n") == .bareCarriageReturn)
        #expect(refusal("GET / HTTP/1.1\r\nHost: a\n\r\n") == .bareLineFeed)
        #expect(refusal("GET / HTTP/1.1\r\nHost: a\r\n\n") == .bareLineFeed)
        #expect(refusal("GET / HTTP/1.1\r\nHost: a\r\n\rX") == .bareCarriageReturn)
        #expect(refusal("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n") == .bareCarriageReturn)
        #expect(refusal(fields: "A: b\rC: d") == .bareCarriageReturn)
        #expect(refusal(fields: "A: b\nC: d") == .bareLineFeed)
        #expect(refusal(fields: "A\nC: d") == .bareLineFeed)
        #expect(refusal(fields: "A:\n") == .bareLineFeed)
    }

    @Test func `white space before a name or its colon is refused`() {
        #expect(refusal("GET / HTTP/1.1\r\n Host: a\r\n\r\n") == .leadingSpace)
        #expect(refusal("GET / HTTP/1.1\r\n\tHost: a\r\n\r\n") == .leadingSpace)
        #expect(refusal(fields: "A: b", " c") == .foldedLine)
        #expect(refusal(fields: "A: b", "\tc") == .foldedLine)
        #expect(refusal(fields: "Transfer-Encoding:", " chunked") == .malformedTransferEncoding)
        #expect(refusal(fields: "A : b") == .spaceBeforeColon)
        #expect(refusal(fields: "Content-Length\t: 1") == .spaceBeforeColon)
        #expect(refusal(fields: "A b: c") == .spaceBeforeColon)
    }

    @Test func `a name is a token and not empty`() {
        #expect(refusal(fields: ": a") == .emptyFieldName)
        for name in [
            "A\u{0}", "A\"", "(A)", "A,B", "A/B", "A;B", "A@B", "[A]", "{A}", "é", "A\\", "A\u{7F}", "A\u{B}",
            "A",
        ] {
            let line = name == "A" ? "A" : "\(name): b"
            #expect(refusal(fields: line) == .malformedFieldName, "\(name)")
        }
        #expect(refusal(fields: "!#$%&'*+-.^_`|~09azAZ: b") == nil)
    }

    @Test func `a value holds no control byte but tab`() {
        for byte in [UInt8](0...31) + [127] where ![9, 10, 13].contains(byte) {
            let value = "a\(Character(UnicodeScalar(byte)))b"
            #expect(refusal(fields: "A: \(value)") == .controlByteInValue, "\(byte)")
            #expect(refusal(fields: "A: \(Character(UnicodeScalar(byte)))") == .controlByteInValue, "\(byte)")
        }
        #expect(refusal(fields: "A: \u{FC}\tb\u{7E}") == nil)
    }

    @Test func `names and values agree with the grammar byte by byte`() {
        for byte in UInt8.min...UInt8.max {
            let name = Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8) + [byte] + Array(": b\r\n\r\n".utf8)
            let isName = WireConnection.read(name).refusal == nil
            #expect(isName == ASCII.isToken(byte), "name \(byte)")
            let value = Array("GET / HTTP/1.1\r\nHost: a\r\nA: x".utf8) + [byte] + Array("y\r\n\r\n".utf8)
            let isValue = WireConnection.read(value).refusal == nil
            #expect(isValue == (byte == 9 || byte >= 32 && byte != 127), "value \(byte)")
        }
    }
}
