// Gatehouse. SPDX-License-Identifier: MIT

import HTTPWire
import Testing

@Suite struct ResponseHeadTests {
    private func write(
        _ status: Int,
        _ fields: HTTPResponseFields = [],
        _ body: HTTPResponseHead.Body = .length(0),
        close: Bool = false
    ) throws -> String {
        var output = Array("before|".utf8)
        try HTTPResponseHead.write(status: status, fields: fields, body: body, close: close, to: &output)
        return String(output.text.dropFirst(7))
    }

    @Test func `a head is written with its framing`() throws {
        #expect(
            try write(200, [("Content-Type", Array("application/json".utf8))], .length(12))
                == "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n"
        )
        #expect(try write(200, [], .chunked) == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(
            try write(204, [], .none, close: true) == "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
        )
        #expect(try write(299) == "HTTP/1.1 299 Success\r\nContent-Length: 0\r\n\r\n")
    }

    @Test func `every status has a reason and stays in one line`() throws {
        for status in 100...599 {
            let isBodiless = status < 200 || status == 204 || status == 304
            let text = try write(status, [], isBodiless ? .none : .length(0))
            #expect(text.hasPrefix("HTTP/1.1 \(status) "))
            #expect(text.utf8.count(where: { $0 == 10 }) == (isBodiless ? 2 : 3))
        }
    }

    @Test func `a value that could end its line is never written`() {
        for byte in [UInt8](0...31) + [127] where byte != 9 {
            var output = Array("before".utf8)
            #expect(throws: HTTPWireError(.unsafeResponse)) {
                let value = Array("https://a/?x=".utf8) + [byte] + Array("Set-Cookie: a=b".utf8)
                try HTTPResponseHead.write(
                    status: 302,
                    fields: [("Location", value)],
                    body: .length(0),
                    close: false,
                    to: &output
                )
            }
            #expect(output.text == "before")
        }
        #expect(HTTPWireError(.unsafeResponse).status == 500)
    }

    @Test func `names that are no tokens or frame the message are never written`() {
        for name: StaticString in [
            "", "A b", "A:", "A\r\nB", "É", "Content-Length", "content-length", "Transfer-Encoding",
            "CONNECTION",
        ] {
            #expect(throws: HTTPWireError(.unsafeResponse)) { try write(200, [(name, [])]) }
        }
        #expect(throws: Never.self) { try write(200, [("Content-Type", []), ("Vary", [0xFC, 9])]) }
    }

    @Test func `fields are joined in their order, and one that is unsafe stays so`() throws {
        var fields: HTTPResponseFields = [("A", [49])]
        fields += [("B", [50])]
        #expect(
            try write(200, fields + [("C", [51])])
                == "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\nContent-Length: 0\r\n\r\n"
        )
        let bad: HTTPResponseFields = [("D", [10])]
        for joined in [fields + bad, bad + fields] {
            #expect(throws: HTTPWireError(.unsafeResponse)) { try write(200, joined) }
        }
    }

    @Test func `a status out of range or a body where there is none is never written`() {
        for status in [-1, 0, 99, 600, 1000, Int.max] {
            #expect(throws: HTTPWireError(.unsafeResponse)) { try write(status) }
        }
        #expect(throws: HTTPWireError(.unsafeResponse)) { try write(200, [], .length(-1)) }
        for status in [100, 199, 204, 304] {
            #expect(throws: HTTPWireError(.bodyNotAllowed)) { try write(status, [], .length(0)) }
            #expect(throws: HTTPWireError(.bodyNotAllowed)) { try write(status, [], .chunked) }
        }
    }

    @Test func `chunks that are written are read again`() throws {
        for size in [1, 9, 10, 15, 16, 255, 256, 4096, 70000] {
            let data = [UInt8](repeating: 120, count: size)
            var output: [UInt8] = []
            let nothing: [UInt8] = []
            HTTPResponseHead.append(chunk: nothing.span, to: &output)
            #expect(output.isEmpty)
            HTTPResponseHead.append(chunk: data.span, to: &output)
            HTTPResponseHead.append(chunk: data.span, to: &output)
            HTTPResponseHead.appendLastChunk(to: &output)
            var decoder = HTTPChunkedDecoder()
            var position = 0
            var read: [UInt8] = []
            while case .data(let range) = try decoder.next(output.span, from: &position) {
                read += output[range]
            }
            #expect(read == data + data)
            #expect(position == output.count)
        }
    }

    @Test(arguments: [(1, "1"), (15, "f"), (16, "10"), (171, "ab"), (4096, "1000"), (70_000, "11170")])
    func `a chunk is led by its size, without zeros before it`(_ size: Int, _ digits: String) {
        let data = [UInt8](repeating: 120, count: size)
        var output: [UInt8] = []
        HTTPResponseHead.append(chunk: data.span, to: &output)
        #expect(output.text == "\(digits)\r\n" + data.text + "\r\n")
    }

    @Test func `every error has a reason and a status of its own class`() {
        var reasons: Set<String> = []
        for kind in HTTPWireError.Kind.allCases {
            let error = HTTPWireError(kind)
            #expect([400, 414, 417, 431, 500, 501, 505].contains(error.status))
            #expect(reasons.insert(error.reason).inserted)
        }
        var output: [UInt8] = []
        HTTPResponseHead.writeContinue(to: &output)
        #expect(output.text == "HTTP/1.1 100 Continue\r\n\r\n")
    }
}
