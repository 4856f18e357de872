// Gatehouse. SPDX-License-Identifier: MIT

import Testing

@testable import MCPCore

@Suite struct RememberedRequestTests {
    private func untraced(_ text: String) -> String {
        String(decoding: Message.untraced(Array(text.utf8)), as: UTF8.self)
    }

    private func request(_ params: String) -> String {
        #"{"jsonrpc":"2.0","id":1.0,"method":"initialize","params":\#(params)}"#
    }

    private let parent = #""traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01""#

    @Test func `a request that is said again is in no trace`() {
        let meta = #"{"a":{"traceparent":1},\#(parent),"tracestate":"x=1","baggage":"k=v","progressToken":7}"#
        let text = request(#"{"protocolVersion":"2025-11-25","_meta":\#(meta),"traceparent":"mine"}"#)
        let plain = #"{"a":{"traceparent":1},"progressToken":7}"#
        let expected = request(#"{"protocolVersion":"2025-11-25","_meta":\#(plain),"traceparent":"mine"}"#)
        #expect(untraced(text) == expected)
        #expect(untraced(request(#"{"_meta":{\#(parent)}}"#)) == request(#"{"_meta":{}}"#))
    }

    @Test(arguments: [
        #"{ "_meta": {"progressToken": 7} }"#, #"{"traceparent":"x"}"#, #"{"_meta":[]}"#, "{}",
    ])
    func `what is in none stays as it was written`(_ params: String) {
        #expect(untraced(request(params)) == request(params))
    }

    @Test func `what is no request stays as it is`() {
        #expect(untraced("{") == "{" && untraced("") == "")
    }
}

@Suite struct CallClockTests {
    @Test func `a time-out says how long was waited, since progress or in all`() {
        var clock = CallClock(at: 100, patience: 10, ceiling: 25)
        #expect(clock.deadline == 110 && clock.limit == 10 && !clock.isAtCeiling)
        let short = CallClock(at: 0, patience: 30, ceiling: 10)
        #expect(short.limit == 30 && !short.isAtCeiling, "a ceiling takes nothing away")
        clock.noteProgress(at: 110)
        #expect(clock.deadline == 120 && clock.limit == 10)
        clock.noteProgress(at: 119)
        #expect(clock.deadline == 125 && clock.limit == 25 && clock.isAtCeiling)
    }
}
