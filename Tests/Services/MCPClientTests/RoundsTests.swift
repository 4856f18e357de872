// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPClient
import Testing

@Suite struct RoundsTests {
    private let params: JSONValue = ["name": "t", "arguments": ["x": 1]]
    private let refusal = Failure(.methodNotFound, "nobody", source: .client)

    private func input(_ keys: [String], state: JSONValue? = nil) -> JSONValue {
        let requests = keys.map {
            JSONValue.Member($0, ["method": "elicitation/create", "params": ["message": .string($0)]])
        }
        var members: [JSONValue.Member] = [.init("resultType", "input_required")]
        if !keys.isEmpty { members.append(.init("inputRequests", .object(requests))) }
        if let state { members.append(.init("requestState", state)) }
        return .object(members)
    }

    private func retry(_ step: Rounds.Step) -> JSONValue? {
        guard case .retry(let params) = step else { return nil }
        return params
    }

    @Test func `a retry waits for the last answer and carries all of them`() {
        var rounds = Rounds(params: params)
        guard case .ask(let questions) = rounds.begin(input(["a", "b"], state: "s\u{E4}")) else {
            Issue.record("nothing is asked")
            return
        }
        #expect(questions.map(\.key) == ["a", "b"])
        #expect(rounds.answered("b", .success(["action": "decline"])) == .wait)
        #expect(rounds.answered("b", .success(["action": "accept"])) == .wait)
        #expect(rounds.answered("c", .success(["action": "accept"])) == .wait)
        let sent = retry(rounds.answered("a", .success(["action": "accept"])))
        #expect(sent?["name"] == "t" && sent?["arguments"] == ["x": 1])
        #expect(
            sent?["inputResponses"]
                == .object([
                    .init("b", ["action": "decline"]), .init("a", ["action": "accept"]),
                ])
        )
        #expect(sent?["requestState"] == "s\u{E4}")
    }

    @Test func `a state is sent back if it was given, even an empty one, and belongs to its round`() {
        var rounds = Rounds(params: params)
        #expect(retry(rounds.begin(input([], state: "")))?["requestState"] == "")
        _ = rounds.begin(input(["a"]))
        let sent = retry(rounds.answered("a", .success([:])))
        #expect(sent != nil && sent?["requestState"] == nil)
        let bare = retry(rounds.begin(input([], state: "x")))
        #expect(bare?["inputResponses"] == nil)
    }

    @Test func `what the caller gave under the names of a retry is not sent twice`() {
        var rounds = Rounds(params: ["name": "t", "requestState": "old", "inputResponses": ["z": [:]]])
        _ = rounds.begin(input(["a"]))
        let sent = retry(rounds.answered("a", .success([:])))
        #expect(sent?["requestState"] == nil)
        #expect(sent?["inputResponses"] == ["a": [:]])
    }

    @Test func `an elicitation without an answer is cancelled, anything else ends the call`() {
        var rounds = Rounds(params: params)
        _ = rounds.begin(input(["a"]))
        #expect(
            retry(rounds.answered("a", .failure(refusal)))?["inputResponses"] == ["a": ["action": "cancel"]]
        )
        _ = rounds.begin(["inputRequests": ["m": ["method": "sampling/createMessage"]]])
        #expect(rounds.answered("m", .failure(refusal)) == .fail(.unanswered("nobody")))
    }

    @Test(
        arguments: [
            [:], ["requestState": 7], ["inputRequests": []], ["inputRequests": "x", "requestState": "s"],
            ["inputRequests": ["a": [:]]], ["inputRequests": ["a": ["method": 1]]], ["inputRequests": [:]],
        ] as [JSONValue]
    )
    func `what asks in another form ends the call`(_ result: JSONValue) {
        var rounds = Rounds(params: params)
        guard case .fail(.malformed) = rounds.begin(result) else {
            Issue.record("it was taken")
            return
        }
    }

    @Test func `there are ten rounds`() {
        var rounds = Rounds(params: params)
        for _ in 0..<10 { #expect(retry(rounds.begin(input([], state: "s"))) != nil) }
        guard case .fail(.malformed) = rounds.begin(input([], state: "s")) else {
            Issue.record("there are more")
            return
        }
    }

    // MARK: URLs that must be visited first

    private func required(_ elicitations: JSONValue) -> Failure {
        Failure(ErrorCode(-32042), "visit", data: ["elicitations": elicitations], source: .upstream)
    }

    @Test func `the call is sent again as it was once all URLs were agreed to`() {
        var rounds = Rounds(params: params)
        let page: JSONValue = ["mode": "url", "url": "https://h/", "elicitationId": "e"]
        let other: JSONValue = ["mode": "url", "url": "https://i/"]
        guard case .ask(let questions) = rounds.begin(required([page, other])) else {
            Issue.record("nothing is asked")
            return
        }
        #expect(questions.map(\.key) == ["e", "url-2"])
        #expect(questions.first?.params == page)
        #expect(rounds.answered("e", .success(["action": "accept"])) == .wait)
        #expect(rounds.answered("url-2", .success(["action": "accept"])) == .retry(params))
    }

    @Test(arguments: ["decline", "cancel"])
    func `a URL that is refused leaves the error`(_ action: String) {
        var rounds = Rounds(params: params)
        let failure = required([["mode": "url", "url": "https://h/", "elicitationId": "e"]])
        _ = rounds.begin(failure)
        #expect(
            rounds.answered("e", .success(["action": .string(action)]))
                == .fail(.refused(failure, status: nil))
        )
    }

    @Test(
        arguments: [
            [], [["mode": "form"]], [["url": "x"]],
            [["mode": "url", "elicitationId": "e"], ["mode": "url", "elicitationId": "e"]], "x",
        ] as [JSONValue]
    )
    func `an error that names no proper URLs stays an error`(_ elicitations: JSONValue) {
        var rounds = Rounds(params: params)
        let failure = required(elicitations)
        #expect(rounds.begin(failure) == .fail(.refused(failure, status: nil)))
    }
}
