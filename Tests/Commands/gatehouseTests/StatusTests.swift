// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import Testing

@testable import gatehouse

@Suite struct StatusTests {
    private let plain = Style(isTerminal: false, hasColours: false, width: 80)

    private func text(_ json: String, _ style: Style? = nil) throws -> String {
        let bytes = Array(json.utf8)
        return StatusText.of(try JSONValue(bytes.span), style ?? plain)
    }

    private static let status = #"""
        {"active_sessions":1,"total_processes":2,"version":"1.2","uptime_seconds":7300,"draining":false,"open_calls":0,
        "servers":[{"name":"git","state":"up","sessions":1,"processes":2,"restarts":1,"last_exit":"exit status 7",
        "children":[{"pid":41,"state":"up","uptime_seconds":61,"sent_messages":3,"sent_bytes":1536,
        "received_messages":12,"received_bytes":12582912,"stderr_tail_bytes":0},
        {"pid":4200,"state":"stopping","uptime_seconds":200,"sent_messages":0,"sent_bytes":0,
        "received_messages":0,"received_bytes":0,"stderr_tail_bytes":8192,"stderr_tail":"first\nlast\u001b[2J\n"}]},
        {"name":"broken","state":"unusable","sessions":0,"processes":0,"problem":"no such\u001b[2J\ncommand"}]}
        """#

    @Test func `a page has a line for the gateway, each server and each process`() throws {
        #expect(
            try text(Self.status) == """
                gatehouse 1.2, up 2 h, 1 session, 2 processes, 0 open calls

                git     up, 1 session, 2 processes, 1 restart, last ended by itself: exit status 7
                  pid   state     up     sent         received     stderr
                  41    up        61 s   3 (1.5 KiB)  12 (12 MiB)  0 B
                  4200  stopping  3 min  0 (0 B)      0 (0 B)      8.0 KiB
                  4200 said last: last\\u{1b}[2J

                broken  unusable, 0 sessions, 0 processes
                  no such\\u{1b}[2J command
                """
        )
    }

    @Test func `a server elsewhere is shown by its lines`() throws {
        let status = #"""
            {"active_sessions":1,"total_processes":0,"servers":[{"name":"far","state":"away","sessions":1,"processes":0,
            "restarts":0,"children":[],"remote":{"state":"away","opened":3,"greeted_again":1,"failures":2,
            "last_failure":"The server cannot be reached:\u001b no","lines":[{"state":"up","uptime_seconds":61,"calls":7,
            "greeted_again":1,"sent_messages":9,"sent_bytes":1536,"received_messages":8,"received_bytes":0}]}},
            {"name":"other","state":"unknown","sessions":0,"processes":0,
            "remote":{"state":"untried","opened":0,"greeted_again":0,"failures":0,"lines":[]}}]}
            """#
        #expect(
            try text(status) == """
                1 session, 0 processes

                far    away, 1 session, 1 line, 1 session forgotten, 2 failures, last: The server cannot be reached:\\u{1b} no
                  line  for   calls  forgotten  sent         received
                  up    61 s  7      1          9 (1.5 KiB)  8 (0 B)

                other  unknown, 0 sessions, 0 lines
                """
        )
    }

    @Test func `colours are for terminals`() throws {
        let colours = Style(isTerminal: true, hasColours: true, width: 80)
        #expect(try text(Self.status, colours).contains("\u{1B}[32mup\u{1B}[0m"))
        #expect(try !text(Self.status).contains("\u{1B}"))
    }

    @Test func `who is told two numbers is shown two numbers`() throws {
        #expect(
            try text(#"{"active_sessions":2,"total_processes":1}"#) == """
                2 sessions, 1 process
                More is told only on the machine where it runs.
                """
        )
    }

    @Test(arguments: [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (10_239, "9.9 KiB"), (10_240, "10 KiB"),
        (1_048_576, "1.0 MiB"), (-1, "0 B"), (Int.max, "8388608 TiB"),
    ])
    func `sizes are short`(_ bytes: Int, _ text: String) {
        #expect(StatusText.size(bytes) == text)
    }

    @Test(arguments: [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/api/session_metrics"),
        ("http://127.0.0.1:8080/mcp/git?x", "http://127.0.0.1:8080/api/session_metrics"),
        ("localhost:9", "http://localhost:9/api/session_metrics"),
        ("https://gate.example/", "https://gate.example/api/session_metrics"),
    ])
    func `any address of a gateway will do`(_ given: String, _ asked: String) throws {
        #expect(try Status.address(given) == asked)
    }

    @Test(arguments: ["ftp://x", "http://", "http:///x"])
    func `what is no address is a mistake`(_ given: String) {
        #expect(throws: Options.Misuse.self) { try Status.address(given) }
    }
}
