// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import Testing

@Suite struct BridgeInputRoundsTests {
    private static let capabilities: JSONValue = [
        "elicitation": ["form": .object([]), "url": .object([])], "roots": .object([]),
        "sampling": .object([]),
    ]
    private static let form: JSONValue = [
        "method": "elicitation/create",
        "params": ["message": "m", "requestedSchema": ["type": "object", "properties": .object([])]],
    ]
    private static let roots: JSONValue = ["method": "roots/list"]
    private static let state = Array(#""s""#.utf8)
    private static let fault = Failure(.internalError, "no", source: .client)

    private func rounds(_ revision: Revision = .v2025_11_25) -> InputRounds {
        InputRounds(capabilities: Self.capabilities, revision: revision)
    }

    private func failure(_ actions: [InputRounds.Action]) -> Failure? {
        guard actions.count == 1, case .fail(let failure) = actions[0] else { return nil }
        return failure
    }

    @Test func `a round is asked, answered and told with the server's state`() {
        var rounds = rounds()
        var next = 5
        let asked = rounds.needs(["a": Self.form, "b": Self.roots], state: Self.state, nextNumber: &next)
        let params = Self.form["params"] ?? .null
        #expect(asked == [.ask(5, .elicit, params), .ask(6, .rootsList, .object([]))])
        #expect(next == 7)
        #expect(rounds.numbers == [5, 6])
        #expect(rounds.answered(6, ["roots": []]) == [])
        #expect(rounds.numbers == [5])
        #expect(rounds.isAsking)
        let responses: JSONValue = ["a": ["action": "decline"], "b": ["roots": []]]
        #expect(
            rounds.answered(5, ["action": "decline"]) == [.retry(responses: responses, state: Self.state)]
        )
        #expect(!rounds.isAsking)
    }

    @Test func `answers that nobody waits for change nothing`() {
        var rounds = rounds()
        var next = 1
        #expect(rounds.answered(1, .object([])) == [])
        #expect(rounds.refused(1, Self.fault) == [])
        _ = rounds.needs(["a": Self.form, "b": Self.form], state: nil, nextNumber: &next)
        #expect(rounds.answered(9, .object([])) == [])
        _ = rounds.answered(1, ["action": "cancel"])
        #expect(rounds.answered(1, ["action": "accept"]) == [])
        #expect(rounds.refused(1, Self.fault) == [])
        #expect(
            rounds.answered(2, ["action": "cancel"])
                == [.retry(responses: ["a": ["action": "cancel"], "b": ["action": "cancel"]], state: nil)]
        )
        #expect(rounds.answered(2, ["action": "cancel"]) == [])
    }

    @Test func `a URL gets an id that is its own`() {
        var rounds = rounds()
        var next = 3
        let url: JSONValue = [
            "method": "elicitation/create",
            "params": ["mode": "url", "message": "m", "url": "https://a.example/"],
        ]
        let ids = rounds.needs(["a": url, "b": url], state: nil, nextNumber: &next).compactMap { action in
            if case .ask(_, _, let params) = action { params["elicitationId"]?.string } else { nil }
        }
        #expect(Set(ids).count == 2)
    }

    @Test func `state alone is sent back at once`() {
        var rounds = rounds()
        var next = 1
        for requests: JSONValue? in [nil, .object([])] {
            #expect(
                rounds.needs(requests, state: Self.state, nextNumber: &next)
                    == [.retry(responses: nil, state: Self.state)]
            )
        }
        #expect(next == 1)
    }

    @Test func `a round that asks nothing is a fault of the server`() {
        var rounds = rounds()
        var next = 1
        let actions = rounds.needs(nil, state: nil, nextNumber: &next)
        #expect(failure(actions)?.source == .upstream)
    }

    @Test func `what is no list of questions is a fault of the server`() {
        for requests: JSONValue in [.null, 5, [], "x", ["a": 5], ["a": ["method": "tools/call"]]] {
            var rounds = rounds()
            var next = 1
            let failed = failure(rounds.needs(requests, state: Self.state, nextNumber: &next))
            #expect(failed?.code == .internalError)
            #expect(failed?.source == .upstream)
            #expect(!rounds.isAsking)
        }
    }

    @Test func `only so many questions are asked at once`() {
        func asks(_ count: Int) -> [InputRounds.Action] {
            var rounds = rounds()
            var next = 1
            let members = (0..<count).map { JSONValue.Member("k\($0)", Self.roots) }
            return rounds.needs(.object(members), state: nil, nextNumber: &next)
        }
        #expect(asks(InputRounds.questionLimit).count == InputRounds.questionLimit)
        #expect(failure(asks(InputRounds.questionLimit + 1))?.source == .upstream)
    }

    @Test func `only so many rounds are held`() {
        var rounds = rounds()
        var next = 1
        for number in 1...InputRounds.limit {
            let asked = rounds.needs(["a": Self.roots], state: nil, nextNumber: &next)
            #expect(asked == [.ask(number, .rootsList, .object([]))])
            #expect(rounds.answered(number, ["roots": []]).count == 1)
        }
        #expect(failure(rounds.needs(["a": Self.roots], state: nil, nextNumber: &next))?.source == .upstream)
        #expect(failure(rounds.needs(nil, state: Self.state, nextNumber: &next)) != nil)
    }

    @Test func `one question that cannot be carried ends the round before any is asked`() {
        var rounds = rounds(.v2025_03_26)
        var next = 1
        let failed = failure(rounds.needs(["a": Self.roots, "b": Self.form], state: nil, nextNumber: &next))
        #expect(failed?.code == .missingClientCapability)
        #expect(failed?.data == ["requiredCapabilities": ["elicitation": ["form": .object([])]]])
        #expect(!rounds.isAsking)
        #expect(rounds.end() == [])
    }

    @Test func `a form that nobody fills in was closed`() {
        var rounds = rounds()
        var next = 1
        _ = rounds.needs(["a": Self.form], state: Self.state, nextNumber: &next)
        #expect(
            rounds.refused(1, Self.fault)
                == [.retry(responses: ["a": ["action": "cancel"]], state: Self.state)]
        )
    }

    @Test func `any other refusal ends the call and takes back what is still asked`() {
        var rounds = rounds()
        var next = 1
        _ = rounds.needs(["a": Self.form, "b": Self.roots, "c": Self.form], state: nil, nextNumber: &next)
        _ = rounds.answered(1, ["action": "cancel"])
        #expect(rounds.refused(2, Self.fault) == [.withdraw(3), .fail(Self.fault)])
        #expect(!rounds.isAsking)
        #expect(rounds.answered(3, ["action": "cancel"]) == [])
    }

    @Test func `the end takes back what waits for an answer, once`() {
        var rounds = rounds()
        #expect(rounds.end() == [])
        var next = 1
        _ = rounds.needs(["a": Self.form, "b": Self.form], state: nil, nextNumber: &next)
        _ = rounds.answered(1, ["action": "cancel"])
        #expect(rounds.end() == [.withdraw(2)])
        #expect(rounds.end() == [])
    }
}
