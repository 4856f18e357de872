// Gatehouse. SPDX-License-Identifier: MIT

import EventLoop
import JSON
import JSONRPC
import MCPClient
import TestSupport
import Testing

/// Questions of servers, while calls go on.
@Suite struct QuestionTests {
    /// A legacy server that asks twice during a call, and answers the call with both answers.
    private static let twice = """
        *'"initialize"'*) reply "$welcome" ;;
        *'"both"'*) call=$id
          printf '{"jsonrpc":"2.0","id":"q1","method":"roots/list","params":{"_meta":{"io.github.gatehouse/inputKey":"k1"}}}\\n'
          printf '{"jsonrpc":"2.0","id":7,"method":"roots/list"}\\n' ;;
        *'"id":"q1"'*) echo "first $line" >&2 ;;
        *'"id":7'*) id=$call; reply '{}' ;;
        """

    private static func ask(_ bench: Bench) {
        bench.client.onRequest = { [weak bench] question in
            bench?.questions.append(question)
            let id = question.request.id
            question.onWithdrawn = { bench?.told.append("withdrawn \(id)") }
        }
    }

    @Test func `several questions are open at once and answered in any order`() async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop, era: .legacy) { (shell(Self.twice), nil) }
            try await loop.run {
                Self.ask(bench.value)
                bench.value.request("both")
            }
            try await loop.wait("the questions") { bench.value.questions.count == 2 }
            try await loop.run {
                let questions = bench.value.questions
                #expect(questions.map(\.request.id) == ["\"q1\"", "7"])
                #expect(questions.map(\.request.key) == ["k1", nil])
                questions[1].answer(.success(["roots": []]))
                #expect(!questions[1].isOpen && questions[0].isOpen)
            }
            try await loop.wait("the end of the call") { bench.value.results.count == 1 }
            try await loop.run {
                bench.value.questions[0].answer(.success(["roots": [["uri": "file:///x"]]]))
                bench.value.questions[0].answer(.success([:]))
            }
            try await loop.wait("the other answer") { bench.value.events.joined().contains("first ") }
            try await bench.close()
            try await loop.run {
                let text = bench.value.events.joined()
                #expect(
                    text.contains(#"{"jsonrpc":"2.0","id":"q1","result":{"roots":[{"uri":"file:///x"}]}}"#)
                )
                #expect(text.ranges(of: "first ").count == 1)
                #expect(bench.value.told.isEmpty)
            }
        }
    }

    @Test func `a question that the server takes back is withdrawn and not answered`() async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop, era: .legacy) {
                (
                    shell(
                        """
                        *'"initialize"'*) reply "$welcome" ;;
                        *'"both"'*) printf '{"jsonrpc":"2.0","id":7,"method":"roots/list"}\\n'
                          printf '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}\\n'
                          reply '{}' ;;
                        *result*) echo answered >&2 ;;
                        *last*) reply '{}' ;;
                        """
                    ), nil
                )
            }
            try await loop.run { Self.ask(bench.value) }
            try await bench.request("both")
            try await loop.run {
                #expect(bench.value.told == ["withdrawn 7"])
                bench.value.questions[0].answer(.success(["roots": []]))
            }
            try await bench.request("last")
            try await bench.close()
            try await loop.run { #expect(!bench.value.events.joined().contains("answered")) }
        }
    }

    @Test func `the questions of a call are withdrawn with it`() async throws {
        let round =
            #"{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}},"requestState":"s"}"#
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop) {
                (
                    shell(
                        """
                        *server/discover*) reply '{"supportedVersions":["2026-07-28"],"capabilities":{}}' ;;
                        *tools/call*) reply '\(round)' ;;
                        """
                    ), nil
                )
            }
            let call = try await loop.run {
                Self.ask(bench.value)
                return LoopBound(
                    bench.value.client.request("tools/call", ["name": "t"]) {
                        bench.value.results.append($0)
                    },
                    loop
                )
            }
            try await loop.wait("the question") { bench.value.questions.count == 1 }
            try await loop.run {
                #expect(bench.value.questions[0].request.key == "k")
                call.value.cancel()
                #expect(bench.value.texts == ["! \(MCPClientError.cancelled)"])
                #expect(bench.value.told == ["withdrawn "])
                bench.value.questions[0].answer(.success([:]))
                #expect(bench.value.results.count == 1)
            }
            try await bench.close()
        }
    }

    @Test func `calls at the same time keep their states and answers apart`() async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop) {
                (
                    shell(
                        """
                        *server/discover*) reply '{"supportedVersions":["2026-07-28"],"capabilities":{}}' ;;
                        *inputResponses*) text=${line#*\\"requestState\\":\\"}; text=${text%%\\"*}
                          name=${line#*\\"name\\":\\"}; name=${name%%\\"*}
                          case $line in *"answer-$name"*) ;; *) text=wrong ;; esac
                          reply "{\\"said\\":\\"$name $text\\"}" ;;
                        *tools/call*) name=${line#*\\"name\\":\\"}; name=${name%%\\"*}
                          reply "{\\"resultType\\":\\"input_required\\",\\"inputRequests\\":{\\"$name\\":{\\"method\\":\\"roots/list\\"}},\\"requestState\\":\\"state-$name\\"}" ;;
                        *) name= ;;
                        """
                    ), nil
                )
            }
            try await loop.run {
                Self.ask(bench.value)
                bench.value.request("tools/call", ["name": "a"])
                bench.value.request("tools/call", ["name": "b"])
            }
            try await loop.wait("the questions") { bench.value.questions.count == 2 }
            try await loop.run {
                for question in bench.value.questions.reversed() {
                    question.answer(
                        .success(["roots": [["uri": .string("answer-\(question.request.key ?? "")")]]])
                    )
                }
            }
            try await loop.wait("the ends") { bench.value.results.count == 2 }
            try await loop.run {
                #expect(Set(bench.value.texts) == [#"{"said":"a state-a"}"#, #"{"said":"b state-b"}"#])
            }
            try await bench.close()
        }
    }

    @Test func `a mode that was not declared is refused as bad parameters, a kind as unknown`() async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop, era: .legacy) {
                (
                    shell(
                        """
                        *'"initialize"'*) reply "$welcome" ;;
                        *go*) printf '{"jsonrpc":"2.0","id":"m","method":"elicitation/create","params":{"mode":"x"}}\\n'
                          printf '{"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{}}\\n' ;;
                        *'"id":"s"'*) echo "$line" >&2; id=2; reply '{}' ;;
                        *'"id":"m"'*) echo "$line" >&2 ;;
                        """
                    ), nil
                )
            }
            try await loop.run { Self.ask(bench.value) }
            try await bench.request("go")
            try await bench.close()
            try await loop.run {
                let text = bench.value.events.joined()
                #expect(text.contains(#""id":"m","error":{"code":-32602"#))
                #expect(text.contains(#""id":"s","error":{"code":-32601"#))
                #expect(bench.value.questions.isEmpty)
            }
        }
    }
}
