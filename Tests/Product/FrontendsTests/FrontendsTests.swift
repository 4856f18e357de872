// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Crypto
import Diagnostics
import Gateway
import HTTPWire
import JSON
import MCPCore
import Sessions
import Testing

@testable import Frontends

@Suite struct FrontendsTests {
    private func head(_ fields: [String]) throws -> HTTPRequestHead {
        let text = "POST /mcp HTTP/1.1\r\nHost: x\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
        var parser = HTTPRequestHeadParser(limits: HTTPLimits())
        let bytes = Array(text.utf8)
        _ = try #require(try parser.parse(bytes.span))
        return parser.takeHead()
    }

    @Test func `the level of the log is the one of the command line, of the file, or the usual one`() {
        var configuration = GatewayConfiguration()
        func level(_ stated: LogLevel?, of subsystem: LogSubsystem = .calls) -> LogLevel {
            Log(configuration.logOutput(stated, usual: .warning), subsystem: subsystem).level
        }
        #expect(level(nil) == .warning)
        #expect(level(.debug) == .debug)
        configuration.log.level = .error
        configuration.log.levels = [.server: .info]
        #expect(level(nil) == .error)
        #expect(level(.warning) == .warning)
        #expect(level(nil, of: .server) == .info)
        #expect(configuration.logOutput().format == .human)
    }

    @Test(arguments: [
        (["Accept: application/json, text/event-stream"], true, true), (["Accept: */*"], true, true),
        (["Accept: application/json"], true, false), (["Accept: text/event-stream"], false, true),
        ([], false, false),
        (["Accept: application/json", "Accept: text/event-stream"], true, true),
        (["Accept: text/event-stream;q=0.5 , APPLICATION/JSON; q=1.0"], true, true),
        (["Accept: application/json;q=0, text/event-stream"], false, true),
        (["Accept: application/*, text/*"], true, true),
        (["Accept: application/jsonx, xtext/event-stream"], false, false),
    ])
    func `the kinds of answer that a client takes are read`(
        _ fields: [String],
        _ json: Bool,
        _ events: Bool
    ) throws {
        let negotiation = Negotiation(try head(fields))
        #expect(negotiation.acceptsJSON == json)
        #expect(negotiation.acceptsEvents == events)
    }

    @Test(
        arguments: [
            (["Content-Type: application/json", "Accept: */*"], nil),
            (["Content-Type: application/json; charset=utf-8", "Accept: */*"], nil),
            (["Content-Type: text/plain", "Accept: */*"], 415), (["Accept: */*"], 415),
            (["Content-Type: application/jsonx", "Accept: */*"], 415),
            (["Content-Type: application/json", "Content-Encoding: gzip", "Accept: */*"], 415),
            (["Content-Type: application/json", "Content-Type: application/json", "Accept: */*"], 415),
            (["Content-Type: application/json", "Accept: application/json"], 406),
            (["Content-Type: application/json"], 406),
        ] as [([String], Int?)]
    )
    func `a POST sends JSON and takes both kinds of answer`(_ fields: [String], _ status: Int?) throws {
        var refused: Int?
        do {
            try Negotiation.checkPost(try head(fields))
        } catch {
            refused = (error as? Refusal)?.status
        }
        #expect(refused == status)
    }

    private static let alice = Principal(issuer: "i", subject: "a", client: "c", tenant: "t")
    private static let bob = Principal(issuer: "i", subject: "b", client: "c", tenant: "t")

    private func unquoted(_ text: [UInt8]) -> [UInt8] { Array(text.dropFirst().dropLast()) }

    @Test func `a cursor is good for whom and for what it was given`() {
        let sealer = Sealer()
        let seal = CursorSeal(sealer, server: "s", principal: Self.alice, method: .toolsList)
        let cursor = unquoted(seal.seal(Array("page \"2\"".utf8)))
        #expect(seal.open(cursor) == Array(#""page \"2\"""#.utf8))
        #expect(CursorSeal(sealer, server: "s", principal: Self.bob, method: .toolsList).open(cursor) == nil)
        #expect(
            CursorSeal(sealer, server: "t", principal: Self.alice, method: .toolsList).open(cursor) == nil
        )
        #expect(
            CursorSeal(sealer, server: "s", principal: Self.alice, method: .promptsList).open(cursor) == nil
        )
        #expect(
            CursorSeal(Sealer(), server: "s", principal: Self.alice, method: .toolsList).open(cursor) == nil
        )
        #expect(seal.open(Array("made up".utf8)) == nil)
        #expect(seal.open(unquoted(seal.seal([]))) == Array("\"\"".utf8))
    }

    private func mark(_ arguments: String, name: String = "t", room: Int = 4096) throws -> ParametersMark {
        let text =
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\#(name)","arguments":\#(arguments)}}"#
        let bytes = Array(text.utf8)
        return ParametersMark(try Message(bytes.span), bytes.span, room: room)
    }

    @Test func `a mark tells parameters apart, small and large ones`() throws {
        let large = "{\"a\":\"\(String(repeating: "x", count: 10_000))\"}"
        let texts = ["{}", #"{"a":1}"#, #"{"a":"1"}"#, large, large.replacing("xx\"", with: "xy\"")]
        let digests = try texts.map { try mark($0).digest }
        #expect(Set(digests).count == texts.count)
        #expect(digests.allSatisfy { $0.count == 32 })
        #expect(try mark("{}").digest == mark("{}").digest)
        #expect(try mark("{}").digest != mark("{}", name: "u").digest)
        #expect(try mark(large).digest == mark(large, room: 1 << 20).digest, "kept or not, it is the same")
        #expect(try mark(large).size == 32)
    }

    @Test(arguments: [nil, "", "the server's \"state\""])
    func `a request state comes back only to its own request`(_ inner: String?) {
        let sealer = Sealer()
        let digest = SHA256.hash([1])
        let state = RequestState(instance: 7, inner: inner.map { Array($0.utf8) })
        let sealed = unquoted(
            state.sealed(sealer, server: "s", principal: Self.alice, digest: digest, expires: 100)
        )
        func open(
            _ text: [UInt8],
            _ sealer: Sealer,
            server: String = "s",
            _ principal: Principal = Self.alice,
            digest: [UInt8] = digest,
            now: UInt64 = 99
        ) -> RequestState? {
            RequestState(text, sealer, server: server, principal: principal, digest: digest, now: now)
        }
        let opened = open(sealed, sealer)
        #expect(opened?.instance == 7)
        #expect(opened?.inner == state.inner)
        #expect(open(sealed, sealer, Self.bob) == nil)
        #expect(open(sealed, sealer, server: "t") == nil)
        #expect(open(sealed, sealer, digest: SHA256.hash([2])) == nil)
        #expect(open(sealed, sealer, now: 100) == nil)
        #expect(open(sealed, Sealer()) == nil)
        #expect(open(Array(sealed.dropLast()), sealer) == nil)
        #expect(open([], sealer) == nil)
    }

    @Test func `a server may ask only what the client declared`() {
        let some = ClientCapabilities(["sampling": .object([]), "roots": ["listChanged": true]])
        #expect(some.allow(.createMessage))
        #expect(some.allow(.rootsList))
        #expect(!some.allow(.elicit))
        #expect(!ClientCapabilities(nil).allow(.createMessage))
    }

    @Test(arguments: [
        ("/mcp/git/sse", "", "/mcp/git/message"), ("/mcp/sse/", "", "/mcp/message"),
        ("/api/mcp/git/sse", "/gate", "/gate/api/mcp/git/message"),
    ])
    func `messages go beside the path of their stream`(_ path: String, _ prefix: String, _ messages: String) {
        let found = EventStreamFrontend.messagePath(of: Array(path.utf8)[...], behind: prefix)
        #expect(String(decoding: found, as: UTF8.self) == messages)
    }
}
