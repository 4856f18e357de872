// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import Testing

@Suite struct BridgeParkedCallsTests {
    static let declared: JSONValue = ["elicitation": ["form": .object([])], "roots": .object([])]
    static let form: JSONValue = [
        "message": "m", "requestedSchema": ["type": "object", "properties": .object([])],
    ]
    static let accept: JSONValue = ["action": "accept", "content": ["a": 1]]

    private func named(_ key: String) -> JSONValue {
        .object((Self.form.members ?? []) + [.init("_meta", ["io.github.gatehouse/inputKey": .string(key)])])
    }

    /// A machine at a server that may ask, with calls that it already has.
    private func machine(_ limits: ParkedCalls.Limits = .init(), running: Int = 0) -> ParkedCalls {
        var machine = ParkedCalls(mayAsk: true, limits: limits)
        for key in 0..<running { _ = machine.add(key, mayAsk: true) }
        return machine
    }

    private func ask(
        _ machine: inout ParkedCalls,
        _ number: Int,
        at now: UInt64,
        key: String? = nil
    )
        -> [ParkedCalls.Action]
    {
        machine.asked(number, .elicit, key.map(named) ?? Self.form, declared: Self.declared, at: now)
    }

    /// A machine with the call 0 parked behind question 1, at time 20, with state 1.
    private func parked(_ limits: ParkedCalls.Limits = .init()) -> ParkedCalls {
        var machine = machine(limits, running: 1)
        _ = ask(&machine, 1, at: 0, key: "k")
        _ = machine.tick(at: 20)
        return machine
    }

    private func kinds(_ actions: [ParkedCalls.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .start(let key): "start \(key)"
            case .ask(let key, let questions, let state):
                "ask \(key) \(questions.map(\.number)) state \(state)"
            case .resume(let key): "resume \(key)"
            case .answer(let number, let value): "answer \(number) \(value["action"]?.string ?? "")"
            case .refuse(let number, let failure): "refuse \(number) \(failure.code.value)"
            case .deliver(let key): "deliver \(key)"
            case .keep(let key): "keep \(key)"
            case .cancel(let key): "cancel \(key)"
            case .drain(let key): "drain \(key)"
            case .replace: "replace"
            case .forget(let key): "forget \(key)"
            case .fail(let key, let failure): "fail \(key) \(failure.code.value)"
            }
        }
    }

    private func kinds(_ retry: ParkedCalls.Retry) -> [String] {
        switch retry {
        case .taken(let key, let actions): ["taken \(key)"] + kinds(actions)
        case .refused(let failure): ["refused \(failure.code.value)"]
        }
    }

    // MARK: Turns

    @Test func `where the server may ask, one call at a time is with it`() {
        var machine = machine()
        #expect(machine.add(1, mayAsk: true) == [.start(1)])
        #expect(machine.add(2, mayAsk: true) == [])
        #expect(machine.add(3, mayAsk: true) == [])
        #expect(machine.settled(1) == [.deliver(1), .start(2)])
        #expect(machine.cancel(2) == [.cancel(2), .drain(2)])
        #expect(machine.drained(2) == [.start(3)])
        #expect(machine.settled(3) == [.deliver(3)])
        #expect(machine.count == 0)
        #expect(machine.add(4, mayAsk: true) == [.start(4)])
    }

    @Test func `a call whose caller could not be asked needs no turn`() {
        var machine = machine(running: 1)
        #expect(machine.add(7, mayAsk: false) == [.start(7)])
        #expect(kinds(ask(&machine, 1, at: 0)) == [])
        #expect(kinds(machine.tick(at: 20)) == ["ask 0 [1] state 1"])
        #expect(machine.settled(7) == [.deliver(7)])
    }

    @Test func `where the server may not ask, all calls are with it, and none is asked`() {
        var machine = ParkedCalls(mayAsk: false)
        for key in 0..<500 { #expect(machine.add(key, mayAsk: true) == [.start(key)]) }
        #expect(kinds(ask(&machine, 1, at: 0)) == ["refuse 1 -32603"])
        #expect(machine.settled(250) == [.deliver(250)])
    }

    @Test func `only so many calls wait for their turn`() {
        var limits = ParkedCalls.Limits()
        limits.queued = 2
        var machine = machine(limits, running: 3)
        #expect(machine.add(9, mayAsk: true) == nil)
        #expect(machine.count == 3)
        #expect(machine.add(10, mayAsk: false) == [.start(10)])
        #expect(machine.cancel(1) == [.forget(1)])
        #expect(machine.add(9, mayAsk: true) == [])
    }

    @Test func `a call that waits for its turn leaves without a word to the server`() {
        var machine = machine(running: 3)
        #expect(machine.cancel(1) == [.forget(1)])
        #expect(machine.settled(2) == [.deliver(2)])
        #expect(machine.settled(0) == [.deliver(0)])
        #expect(machine.count == 0)
    }

    // MARK: Rounds

    @Test func `what the server asks before it is silent is one round`() {
        var machine = machine(running: 2)
        #expect(ask(&machine, 1, at: 0) == [])
        #expect(machine.nextDeadline == 20)
        #expect(ask(&machine, 2, at: 15) == [])
        #expect(machine.nextDeadline == 35)
        #expect(machine.tick(at: 34) == [])
        #expect(kinds(machine.tick(at: 35)) == ["ask 0 [1, 2] state 1", "start 1"])
        #expect(machine.hasParked)
        #expect(machine.nextDeadline == 300_035)
    }

    @Test func `the keys of a round are the server's, and none stands twice`() throws {
        var machine = machine(running: 1)
        for (number, key) in [(1, "a"), (2, "a-3"), (3, "a"), (4, "a"), (5, "elicitation-6")] {
            _ = ask(&machine, number, at: 0, key: key)
        }
        _ = ask(&machine, 6, at: 0)
        guard case .ask(_, let questions, _)? = machine.tick(at: 20).first else {
            Issue.record("no round")
            return
        }
        #expect(questions.map(\.key).prefix(2) == ["a", "a-3"])
        #expect(Set(questions.map(\.key)).count == 6)
    }

    @Test func `the answers reach the server and the call goes on`() {
        var machine = parked()
        let retry = machine.retry(1, [.init("k", Self.accept), .init("other", 5)], at: 30)
        #expect(retry == .taken(0, [.resume(0), .answer(1, Self.accept)]))
        #expect(machine.nextDeadline == nil)
        #expect(!machine.hasParked)
        #expect(machine.settled(0) == [.deliver(0)])
    }

    @Test func `a state is good once, and none that was not given is good`() {
        var machine = parked()
        for state in [0, -1, 2, Int.max, Int.min] {
            #expect(kinds(machine.retry(state, [.init("k", Self.accept)], at: 30)) == ["refused -32602"])
        }
        #expect(kinds(machine.retry(1, [.init("k", Self.accept)], at: 30)).first == "taken 0")
        #expect(kinds(machine.retry(1, [.init("k", Self.accept)], at: 30)) == ["refused -32602"])
    }

    @Test func `an answer that is none changes nothing`() {
        var machine = parked()
        #expect(kinds(machine.retry(1, [.init("k", 5)], at: 30)) == ["refused -32602"])
        #expect(kinds(machine.retry(1, [.init("k", Self.accept)], at: 30)).first == "taken 0")
    }

    @Test func `without an answer the questions are asked again, under a new state`() {
        var machine = parked()
        #expect(
            kinds(machine.retry(1, [.init("x", Self.accept)], at: 30)) == ["taken 0", "ask 0 [1] state 2"]
        )
        #expect(kinds(machine.retry(1, [.init("k", Self.accept)], at: 30)) == ["refused -32602"])
        #expect(machine.nextDeadline == 300_030)
        #expect(kinds(machine.retry(2, [.init("k", Self.accept)], at: 40)).first == "taken 0")
    }

    @Test func `what is still open after some answers is asked in the next round`() {
        var machine = machine(running: 1)
        _ = ask(&machine, 1, at: 0, key: "a")
        _ = ask(&machine, 2, at: 0, key: "b")
        _ = machine.tick(at: 20)
        #expect(
            kinds(machine.retry(1, [.init("b", Self.accept)], at: 30)) == [
                "taken 0", "resume 0", "answer 2 accept",
            ]
        )
        #expect(ask(&machine, 3, at: 40) == [])
        #expect(kinds(machine.tick(at: 60)) == ["ask 0 [1, 3] state 2"])
    }

    @Test func `a caller that comes back while another call has the turn waits for it`() {
        var machine = machine(running: 3)
        _ = ask(&machine, 1, at: 0, key: "k")
        #expect(kinds(machine.tick(at: 20)) == ["ask 0 [1] state 1", "start 1"])
        #expect(machine.retry(1, [.init("k", Self.accept)], at: 30) == .taken(0, []))
        #expect(machine.settled(1) == [.deliver(1), .start(2)])
        #expect(machine.settled(2) == [.deliver(2), .resume(0), .answer(1, Self.accept)])
        #expect(machine.onlyRunning == 0)
    }

    @Test func `two calls are parked side by side, and each state wakes its own`() {
        var machine = machine(running: 2)
        _ = ask(&machine, 1, at: 0, key: "k")
        _ = machine.tick(at: 20)
        _ = ask(&machine, 2, at: 30, key: "k")
        #expect(kinds(machine.tick(at: 50)) == ["ask 1 [2] state 2"])
        #expect(
            kinds(machine.retry(2, [.init("k", Self.accept)], at: 60)) == [
                "taken 1", "resume 1", "answer 2 accept",
            ]
        )
        #expect(machine.retry(1, [.init("k", Self.accept)], at: 60) == .taken(0, []))
        #expect(kinds(machine.settled(1)) == ["deliver 1", "resume 0", "answer 1 accept"])
    }

    @Test func `what a parked call asks comes with its next round`() {
        var machine = parked()
        #expect(ask(&machine, 2, at: 25, key: "l") == [])
        #expect(machine.tick(at: 100) == [])
        #expect(kinds(machine.retry(1, [.init("k", Self.accept)], at: 30)).count == 3)
        #expect(kinds(machine.tick(at: 50)) == ["ask 0 [2] state 2"])
    }

    // MARK: Questions that cannot be asked

    @Test func `a question that belongs to no call is refused`() {
        var idle = machine()
        #expect(kinds(ask(&idle, 1, at: 0)) == ["refuse 1 -32603"])
        var several = machine(running: 2)
        _ = ask(&several, 1, at: 0)
        _ = several.tick(at: 20)
        _ = ask(&several, 2, at: 20)
        _ = several.tick(at: 40)
        #expect(kinds(ask(&several, 3, at: 50)) == ["refuse 3 -32603"])
    }

    @Test func `what the caller did not declare ends its call`() {
        var machine = machine(running: 2)
        _ = ask(&machine, 1, at: 0)
        let sampling: JSONValue = [
            "maxTokens": 1, "messages": [["role": "user", "content": ["type": "text", "text": "t"]]],
        ]
        let actions = machine.asked(2, .createMessage, sampling, declared: Self.declared, at: 1)
        #expect(
            kinds(actions) == ["refuse 1 -32603", "refuse 2 -32601", "fail 0 -32021", "cancel 0", "drain 0"]
        )
        #expect(machine.drained(0) == [.start(1)])
        #expect(machine.count == 1)
    }

    @Test func `at a server that may ask nothing, only a call that is alone there is ended by a question`() {
        var alone = ParkedCalls(mayAsk: false)
        _ = alone.add(1, mayAsk: true)
        let actions = alone.asked(5, .elicit, Self.form, declared: .object([]), at: 0)
        #expect(kinds(actions) == ["refuse 5 -32601", "fail 1 -32021", "cancel 1"])
        #expect(alone.count == 0)

        var listing = ParkedCalls(mayAsk: false)
        _ = listing.add(1, mayAsk: false)
        #expect(
            kinds(listing.asked(5, .elicit, Self.form, declared: .object([]), at: 0)) == ["refuse 5 -32601"]
        )
        var several = ParkedCalls(mayAsk: false)
        for key in 1...2 { _ = several.add(key, mayAsk: true) }
        #expect(
            kinds(several.asked(5, .elicit, Self.form, declared: .object([]), at: 0)) == ["refuse 5 -32601"]
        )
        #expect(several.count == 2)
    }

    @Test func `what a caller that is away did not declare is refused, and its call goes on`() {
        var machine = parked()
        let url: JSONValue = ["mode": "url", "message": "m", "url": "https://a.example/"]
        let actions = machine.asked(2, .elicit, url, declared: Self.declared, at: 30)
        #expect(kinds(actions) == ["refuse 2 -32601"])
        #expect(kinds(machine.retry(1, [.init("k", Self.accept)], at: 40)).first == "taken 0")
    }

    @Test func `what is no question is refused`() {
        var machine = machine(running: 1)
        #expect(
            kinds(machine.asked(1, .toolsCall, .object([]), declared: Self.declared, at: 0))
                == ["refuse 1 -32601"]
        )
        #expect(kinds(machine.asked(2, .elicit, 5, declared: Self.declared, at: 0)) == ["refuse 2 -32602"])
        #expect(machine.nextDeadline == nil)
    }

    @Test func `a call asks only so much at once`() {
        var limits = ParkedCalls.Limits()
        limits.questions = 2
        var machine = machine(limits, running: 1)
        #expect(ask(&machine, 1, at: 0) == [])
        #expect(ask(&machine, 2, at: 0) == [])
        #expect(kinds(ask(&machine, 3, at: 0)) == ["refuse 3 -32603"])
        #expect(kinds(machine.tick(at: 20)) == ["ask 0 [1, 2] state 1"])
        #expect(kinds(ask(&machine, 4, at: 30)) == ["refuse 4 -32603"])
    }

    @Test func `only so many calls are parked`() {
        var limits = ParkedCalls.Limits()
        limits.parked = 1
        var machine = machine(limits, running: 2)
        _ = ask(&machine, 1, at: 0)
        #expect(kinds(machine.tick(at: 20)) == ["ask 0 [1] state 1", "start 1"])
        _ = ask(&machine, 2, at: 30)
        #expect(kinds(machine.tick(at: 50)) == ["refuse 2 -32603"])
        // Of two that are with the server, nobody can tell whose a message is.
        #expect(machine.onlyRunning == nil)
        // The one that is parked may still be asked again.
        #expect(kinds(machine.retry(1, [], at: 60)) == ["taken 0", "ask 0 [1] state 2"])
    }

    @Test func `a question that the server takes back is not asked`() {
        var machine = machine(running: 1)
        _ = ask(&machine, 1, at: 0)
        machine.withdrew(1)
        #expect(machine.nextDeadline == nil)
        #expect(machine.tick(at: 100) == [])
        _ = ask(&machine, 2, at: 100)
        _ = ask(&machine, 3, at: 100)
        machine.withdrew(2)
        machine.withdrew(99)
        #expect(kinds(machine.tick(at: 120)) == ["ask 0 [3] state 1"])
        machine.withdrew(3)
        #expect(kinds(machine.retry(1, [], at: 130)) == ["taken 0", "resume 0"])
    }

    @Test func `an answer whose question was taken back meanwhile is not given`() {
        var machine = machine(running: 2)
        _ = ask(&machine, 1, at: 0, key: "k")
        _ = machine.tick(at: 20)
        _ = machine.retry(1, [.init("k", Self.accept)], at: 30)
        machine.withdrew(1)
        #expect(machine.settled(1) == [.deliver(1), .resume(0)])
    }

    // MARK: Ends

    @Test func `an answer that comes while the caller is away is kept for it`() {
        var machine = parked()
        #expect(kinds(machine.settled(0)) == ["refuse 1 -32603", "keep 0"])
        #expect(machine.settled(0) == [])
        #expect(kinds(machine.retry(1, [], at: 30)) == ["taken 0", "deliver 0"])
        #expect(kinds(machine.retry(1, [], at: 30)) == ["refused -32602"])
        #expect(machine.count == 0)
    }

    @Test func `what is kept is forgotten in time`() {
        var machine = parked()
        _ = machine.settled(0)
        #expect(machine.tick(at: 300_019) == [])
        #expect(machine.tick(at: 300_020) == [.forget(0)])
        #expect(machine.count == 0)
    }

    @Test func `a caller that does not come back closes the form and takes the call back`() {
        var machine = machine(running: 1)
        _ = ask(&machine, 1, at: 0)
        _ = machine.asked(2, .rootsList, .object([]), declared: Self.declared, at: 0)
        _ = machine.tick(at: 20)
        #expect(
            kinds(machine.tick(at: 300_020)) == ["answer 1 cancel", "refuse 2 -32603", "cancel 0", "drain 0"]
        )
        #expect(kinds(machine.retry(1, [], at: 300_021)) == ["refused -32602"])
        #expect(machine.drained(0) == [])
        #expect(machine.count == 0)
    }

    @Test func `the end gives up what is parked and takes the rest back`() {
        var machine = parked()
        _ = machine.add(1, mayAsk: true)
        _ = machine.add(2, mayAsk: true)
        _ = ask(&machine, 2, at: 30)
        _ = machine.retry(1, [.init("k", Self.accept)], at: 31)
        _ = machine.add(3, mayAsk: false)
        var other = parked()
        #expect(kinds(other.end()) == ["answer 1 cancel", "cancel 0"])
        #expect(
            kinds(machine.end()) == [
                "refuse 1 -32603", "cancel 0", "refuse 2 -32603", "cancel 1", "cancel 3",
            ]
        )
        #expect(machine.count == 0 && machine.nextDeadline == nil)
        #expect(machine.add(4, mayAsk: true) == [.start(4)])
    }

    @Test func `a call that is taken back leaves no question open`() {
        var running = machine(running: 1)
        _ = ask(&running, 1, at: 0)
        #expect(kinds(running.cancel(0)) == ["refuse 1 -32603", "cancel 0", "drain 0"])

        var returning = machine(running: 2)
        _ = ask(&returning, 1, at: 0, key: "k")
        _ = ask(&returning, 2, at: 0, key: "l")
        _ = returning.tick(at: 20)
        _ = returning.retry(1, [.init("k", Self.accept)], at: 30)
        // It takes its turn first, so that what it may still ask is not taken for another's question.
        #expect(kinds(returning.cancel(0)) == [])
        #expect(
            kinds(returning.settled(1)) == [
                "deliver 1", "refuse 1 -32603", "refuse 2 -32603", "cancel 0", "drain 0",
            ]
        )

        var settled = machine(running: 2)
        _ = ask(&settled, 1, at: 0, key: "k")
        _ = settled.tick(at: 20)
        _ = settled.retry(1, [.init("k", Self.accept)], at: 30)
        #expect(kinds(settled.settled(0)) == ["refuse 1 -32603", "deliver 0"])
    }

    @Test func `a call that was given up keeps the turn until the server has read that`() {
        var machine = machine(running: 1)
        #expect(kinds(machine.cancel(0)) == ["cancel 0", "drain 0"])
        #expect(machine.add(1, mayAsk: true) == [])
        #expect(kinds(ask(&machine, 1, at: 0)) == ["refuse 1 -32603"])
        #expect(machine.onlyRunning == nil && machine.cancel(0) == [] && machine.settled(0) == [])
        #expect(machine.drained(9) == [])
        #expect(machine.drained(0) == [.drain(0)])
        #expect(machine.drained(0) == [.start(1)])
        #expect(machine.drained(0) == [])
        #expect(kinds(ask(&machine, 2, at: 1)) == [])
        #expect(kinds(machine.tick(at: 21)) == ["ask 1 [2] state 1"])
    }

    @Test func `a server that asks on is waited for again, and at last replaced`() {
        var limits = ParkedCalls.Limits()
        limits.patienceWithAskers = 2
        var machine = machine(limits, running: 2)
        _ = machine.cancel(0)
        #expect(kinds(ask(&machine, 1, at: 0)) == ["refuse 1 -32603"])
        #expect(machine.drained(0) == [.drain(0)])
        #expect(kinds(ask(&machine, 2, at: 0)) == ["refuse 2 -32603"])
        #expect(machine.drained(0) == [.drain(0)])
        var patient = machine
        #expect(patient.drained(0) == [.start(1)])
        #expect(kinds(ask(&machine, 3, at: 0)) == ["refuse 3 -32603"])
        #expect(machine.drained(0) == [.replace, .start(1)])
    }

    @Test func `a call whose time is over takes its turn before it is given up`() {
        var machine = parked()
        #expect(machine.add(1, mayAsk: true) == [.start(1)])
        #expect(kinds(machine.tick(at: 300_020)) == [])
        #expect(kinds(machine.retry(1, [.init("k", Self.accept)], at: 300_021)) == ["refused -32602"])
        #expect(kinds(machine.settled(1)) == ["deliver 1", "answer 1 cancel", "cancel 0", "drain 0"])
        #expect(machine.drained(0) == [] && machine.count == 0)

        var answered = parked()
        _ = answered.add(1, mayAsk: true)
        _ = answered.tick(at: 300_020)
        #expect(kinds(answered.settled(0)) == ["answer 1 cancel", "forget 0"])
        #expect(answered.settled(1) == [.deliver(1)])

        var withdrawn = parked()
        _ = withdrawn.add(1, mayAsk: true)
        _ = withdrawn.tick(at: 300_020)
        withdrawn.withdrew(1)
        #expect(kinds(withdrawn.settled(1)) == ["deliver 1", "cancel 0", "drain 0"])
        #expect(kinds(withdrawn.end()) == [])
    }

    @Test func `nobody can take back a call whose caller is away, or one that is not there`() {
        var machine = parked()
        #expect(machine.cancel(0) == [])
        #expect(machine.cancel(9) == [])
        #expect(machine.settled(9) == [])
        #expect(machine.count == 1)
    }

    @Test func `a thousand parked calls each find their way back`() {
        var machine = machine()
        for key in 0..<1024 {
            #expect(machine.add(key, mayAsk: true) == [.start(key)])
            _ = ask(&machine, key + 1, at: UInt64(key) * 100)
            #expect(
                kinds(machine.tick(at: UInt64(key) * 100 + 20)) == [
                    "ask \(key) [\(key + 1)] state \(key + 1)"
                ]
            )
        }
        for key in (0..<1024).reversed() {
            let answer = JSONValue.Member("elicitation-\(key + 1)", Self.accept)
            #expect(
                machine.retry(key + 1, [answer], at: 200_000)
                    == .taken(key, [.resume(key), .answer(key + 1, Self.accept)])
            )
            #expect(machine.settled(key) == [.deliver(key)])
        }
        #expect(machine.count == 0)
    }
}
